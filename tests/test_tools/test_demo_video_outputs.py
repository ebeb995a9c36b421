"""What the demo writes and where: sound, numbers of tracks, paths, equal files."""

import json
import os

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from sound import packets_of, write_video_with_sound
from squares import SquareSegmentor, write_config, write_scene
from tool import run_tool

from mmvseg.media import open_source
from mmvseg.visualization import track_color

NO_FILE = 'is no file (a folder, a pipe or a device)'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_scene(tmp_path)
    return tmp_path


def run(source, *options):
    return run_tool('demo_video', source, 'squares.py', 'squares.pth', '--device', 'cpu', *options)


def test_sound_is_kept_unless_it_is_not_wanted(folder):
    path = write_video_with_sound(folder / 'clip.mp4', ['aac', 'aac'])
    assert run('clip.mp4') == 0
    assert packets_of('work_dirs/demo/clip.mp4') == packets_of(path)
    assert run('clip.mp4', '--max-frames', '10', '--out', 'part.mp4') == 0
    assert len(packets_of('part.mp4')) == pytest.approx(len(packets_of(path)) / 2, abs=2)
    assert run('clip.mp4', '--no-audio', '--out', 'silent.mp4') == 0
    with pytest.raises(IndexError):
        packets_of('silent.mp4')
    assert open_source('silent.mp4').length == 20


@pytest.mark.parametrize('live', [False, True])
def test_a_map_holds_the_track_of_the_json_plus_one(folder, monkeypatch, live):
    write_config(folder / 'squares.py', live=live)
    finish = SquareSegmentor.finish

    def from_zero(self, state):
        sample = finish(self, state)
        sample.pred.track_ids = np.arange(3)
        return sample

    monkeypatch.setattr(SquareSegmentor, 'finish', from_zero)
    options = ('--json', 'found.json', '--maps', 'maps', *['--live'] * live)
    assert run('frames', *options) == 0
    if live:
        tracks = json.loads((folder / 'found.json').read_text().splitlines()[3])['tracks']
        masks = [track['segmentation'] for track in tracks]
    else:
        tracks = json.loads((folder / 'found.json').read_text())
        masks = [track['segmentations'][3] for track in tracks]
    image = Image.open('maps/00003.png')
    expected = np.zeros((48, 64), int)
    for track, mask in zip(tracks, masks, strict=True):
        expected[coco_mask.decode(mask) > 0] = track['track_id'] + 1
    assert [track['track_id'] for track in tracks] == [0, 1]
    assert set(np.unique(expected)) == {0, 1, 2}
    np.testing.assert_array_equal(np.array(image), expected)
    if not live:
        assert tuple(image.getpalette()[:9]) == (0, 0, 0, *track_color(0), *track_color(1))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (('--out', 'frames'), '--out frames: must end in .mp4'),
        (('--out', 'folder.mp4'), f'--out folder.mp4: {NO_FILE}'),
        (('--out', 'noending'), '--out noending: must end in .mp4'),
        (('--out', 'x.gif'), '--out x.gif: must end in .mp4'),
        (('--out', 'x.mp4', '--json', 'x.mp4'), '--json x.mp4: is what --out gives'),
        (('--json', 'folder.mp4'), f'--json folder.mp4: {NO_FILE}'),
        (('--json', '/dev/null'), f'--json /dev/null: {NO_FILE}'),
        (('--json', 'squares.pth'), '--json squares.pth: is an input of this run'),
        (('--json', 'squares.py'), '--json squares.py: is an input of this run'),
        (('--json', 'frames/00003.png'), '--json frames/00003.png: is an input of this run'),
        (('--json', 'squares.py/x.json'), 'squares.py'),
        (('--maps', 'frames'), '--maps frames: holds the input of this run'),
        (('--maps', 'folder.mp4/../frames'), 'holds the input of this run'),
        (('--maps', 'squares.py'), '--maps squares.py: is no folder'),
        (('--out', '/proc/x.mp4'), '/proc'),
        (('--maps', '/proc/maps'), '/proc/maps'),
        (('--live', '--json', 'x' * 300), 'File name too long'),
    ],
)
def test_places_that_cannot_be_are_refused_before_the_model(
    folder, monkeypatch, capsys, options, message
):
    (folder / 'folder.mp4').mkdir()
    (folder / 'squares.pth').write_text('this would fail')
    before = sorted(folder.rglob('*.p*'))
    assert run('frames', *options) == 1
    printed = capsys.readouterr().err
    assert message in printed
    assert 'Traceback' not in printed
    assert printed.count('\n') == 1
    assert sorted(folder.rglob('*.p*')) == before


def test_the_input_is_no_place_for_the_overlay(folder, monkeypatch, capsys):
    write_video_with_sound(folder / 'clip.mp4')
    before = (folder / 'clip.mp4').read_bytes()
    os.symlink('clip.mp4', 'link.mp4')
    for out in ('clip.mp4', './frames/../clip.mp4', 'link.mp4'):
        assert run('clip.mp4', '--out', out) == 1
        assert f'--out {out[2:] if out[0] == "." else out}: is an input' in capsys.readouterr().err
    assert (folder / 'clip.mp4').read_bytes() == before


def test_maps_may_lie_beside_a_video(folder):
    write_video_with_sound(folder / 'clip.mp4')
    assert run('clip.mp4', '--maps', '.', '--max-frames', '2') == 0
    assert sorted(path.name for path in folder.glob('0*.png')) == ['00000.png', '00001.png']


def test_a_device_stays_what_it_is(folder):
    """A pipe stands for a device: a whole file would take its place."""
    os.mkfifo('pipe')
    assert run('frames', '--json', 'pipe') == 1
    assert not os.path.isfile('pipe')


def test_equal_runs_give_equal_files(folder):
    write_video_with_sound(folder / 'clip.mkv', ['pcm_s16le'])
    for name in ('first', 'second'):
        options = ('--json', f'{name}/clip.json', '--maps', f'{name}/maps')
        assert run('clip.mkv', '--out', f'{name}/clip.mp4', *options) == 0
    files = sorted(path for path in (folder / 'first').rglob('*') if path.is_file())
    assert len(files) == 22
    for path in files:
        other = folder / 'second' / path.relative_to(folder / 'first')
        assert path.read_bytes() == other.read_bytes(), path


@pytest.mark.parametrize('live', [False, True])
def test_an_object_is_shown_once_unless_all_tracks_are_wanted(folder, monkeypatch, live):
    write_config(folder / 'squares.py', live=live)
    finish = SquareSegmentor.finish

    def twice(self, state):
        """The red square, by another track and class, too."""
        sample = finish(self, state)
        sample.pred = sample.pred.select(np.array([0, 0, 1]))
        sample.pred.scores = np.array([0.6, 0.9, 0.5])
        sample.pred.labels, sample.pred.track_ids = np.array([2, 0, 1]), np.arange(3)
        return sample

    monkeypatch.setattr(SquareSegmentor, 'finish', twice)

    def tracks(*options):
        options = ('--json', 'found.json', '--maps', 'maps', *['--live'] * live, *options)
        assert run('frames', *options) == 0
        text = (folder / 'found.json').read_text()
        entries = json.loads(text.splitlines()[0])['tracks'] if live else json.loads(text)
        ids = np.unique(np.asarray(Image.open('maps/00000.png'))).astype(int) - 1
        return [entry['track_id'] for entry in entries], set(ids.tolist()) - {-1}

    drawn, mapped = tracks()
    assert (sorted(drawn), mapped) == ([1, 2], {1, 2})
    drawn, mapped = tracks('--all-tracks')
    assert (sorted(drawn), mapped) == ([0, 1, 2], {1, 2})  # the best one lies on top
