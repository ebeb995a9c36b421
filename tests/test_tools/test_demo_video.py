import importlib.util
import json
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
from helpers import REPOSITORY
from pycocotools import mask as coco_mask
from squares import CLASSES, square_frame, write_checkpoint, write_config, write_frames

from mmvseg.image_io import read_image
from mmvseg.visualization import VideoWriter, open_source, track_color

spec = importlib.util.spec_from_file_location('demo_video', REPOSITORY / 'tools/demo_video.py')
demo_video = importlib.util.module_from_spec(spec)
spec.loader.exec_module(demo_video)

FPS = Fraction(30000, 1001)


class Unsafe:
    """Something that only unpickling restores."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path / 'squares.py')
    write_checkpoint(tmp_path / 'squares.pth')
    write_frames(tmp_path / 'frames')
    with VideoWriter(tmp_path / 'clip.mp4', FPS, crf=1) as writer:
        for index in range(7):
            writer.write(square_frame(index))
    return tmp_path


def run(monkeypatch, source, *options, checkpoint='squares.pth', device='cpu'):
    arguments = ['demo_video.py', source, 'squares.py', checkpoint, '--device', device]
    monkeypatch.setattr('sys.argv', [*arguments, *options])
    with pytest.raises(SystemExit) as ended:
        demo_video.main()
    return ended.value.code


def has_color(image, track, tolerance=40):
    distance = np.abs(image.astype(int) - track_color(track)).max(axis=2)
    return (distance < tolerance).sum() > 20


def test_video_gives_an_overlay_of_its_rate_size_and_length(folder, monkeypatch, capsys):
    assert run(monkeypatch, 'clip.mp4') == 0
    overlay = open_source('work_dirs/demo/clip.mp4')
    assert (overlay.fps, overlay.size, overlay.length) == (FPS, (48, 64), 7)
    for frame in overlay:
        assert has_color(frame.image, 10)  # one colour a track in all frames
        assert has_color(frame.image, 11)
    printed = capsys.readouterr()
    assert '2 tracks of score >= 0.3: 1 red, 1 green' in printed.out
    assert 'overlay: work_dirs/demo/clip.mp4' in printed.out
    assert 'segmenting: 7/7 frames' in printed.err
    assert 'drawing: 7/7 frames' in printed.err


def test_score_thr_leaves_tracks_out_of_overlay_and_json(folder, monkeypatch, capsys):
    run(monkeypatch, 'clip.mp4', '--score-thr', '0.6', '--json', 'tracks.json')
    assert '1 tracks of score >= 0.6: 1 red' in capsys.readouterr().out
    for frame in open_source('work_dirs/demo/clip.mp4'):
        assert has_color(frame.image, 10)
        assert not has_color(frame.image, 11)
    assert len(json.loads((folder / 'tracks.json').read_text())) == 1


def test_score_thr_above_all_says_what_the_best_is(folder, monkeypatch, capsys):
    assert run(monkeypatch, 'clip.mp4', '--score-thr', '0.95') == 0
    assert 'no track has a score >= 0.95' in capsys.readouterr().out
    assert open_source('work_dirs/demo/clip.mp4').length == 7


def test_json_holds_official_entries_with_class_names(folder, monkeypatch, capsys):
    run(monkeypatch, 'frames', '--json', 'deep/tracks.json')
    assert 'deep/tracks.json' in capsys.readouterr().out
    first, second = json.loads((folder / 'deep/tracks.json').read_text())
    assert (first['category'], first['category_id'], first['track_id']) == ('red', 5, 10)
    assert (second['category'], second['video_id']) == ('green', 1)
    assert first['score'] == pytest.approx(0.9)
    assert len(first['segmentations']) == 7
    assert coco_mask.decode(first['segmentations'][0]).shape == (48, 64)


def test_folder_and_its_rate(folder, monkeypatch):
    assert run(monkeypatch, 'frames', '--out', 'a/b.mp4') == 0
    assert open_source('a/b.mp4').fps == 6
    run(monkeypatch, 'frames', '--out', 'a/b.mp4', '--fps', '12.5')
    assert open_source('a/b.mp4').fps == Fraction(25, 2)


def test_odd_sizes(folder, monkeypatch):
    write_frames(folder / 'odd', height=47, width=63)
    assert run(monkeypatch, 'odd') == 0
    assert open_source('work_dirs/demo/odd.mp4').size == (48, 64)


def test_image_gives_an_image(folder, monkeypatch):
    cv2.imwrite('photo.png', square_frame(2)[..., ::-1])
    assert run(monkeypatch, 'photo.png') == 0
    drawn = read_image('work_dirs/demo/photo.png')
    assert drawn.shape == (48, 64, 3)
    assert has_color(drawn, 10)
    assert run(monkeypatch, 'photo.png', '--out', 'drawn.jpg') == 0
    assert read_image('drawn.jpg').shape == (48, 64, 3)


def test_cfg_options_reach_the_model(folder, monkeypatch, capsys):
    assert run(monkeypatch, 'clip.mp4', '--cfg-options', 'model.type=SquareSegmentr') == 1
    assert 'SquareSegmentor' in capsys.readouterr().err  # the closest name


@pytest.mark.parametrize(
    ('source', 'options', 'message'),
    [
        ('absent.mp4', (), 'absent.mp4: no such file'),
        ('empty.mp4', (), 'empty.mp4: not a readable video'),
        ('clip.mp4', ('--out', 'x.avi'), 'x.avi: must end in .mp4'),
        ('clip.mp4', ('--out', 'squares.py/x.mp4'), 'folder cannot be made'),
    ],
)
def test_mistakes_give_one_message(folder, monkeypatch, capsys, source, options, message):
    (folder / 'empty.mp4').write_bytes(b'')
    assert run(monkeypatch, source, *options) == 1
    printed = capsys.readouterr().err
    assert message in printed
    assert 'Traceback' not in printed


def test_wrong_device(folder, monkeypatch, capsys):
    assert run(monkeypatch, 'clip.mp4', device='cuda:77') == 1
    assert "device 'cuda:77' cannot be used here; available: cpu" in capsys.readouterr().err


def test_wrong_checkpoint(folder, monkeypatch, capsys):
    torch.save(dict(state_dict=dict(other=torch.zeros(1))), 'other.pth')
    assert run(monkeypatch, 'clip.mp4', checkpoint='other.pth') == 1
    assert 'other.pth' in capsys.readouterr().err


def test_refused_checkpoints_can_be_allowed(folder, monkeypatch, capsys):
    write_checkpoint(folder / 'pickled.pth', dataset_meta=dict(classes=CLASSES), made=Unsafe())
    assert run(monkeypatch, 'clip.mp4', checkpoint='pickled.pth') == 1
    assert '--allow-pickle' in capsys.readouterr().err
    assert run(monkeypatch, 'clip.mp4', '--allow-pickle', checkpoint='pickled.pth') == 0
    meta = dict(dataset_meta=dict(classes=CLASSES))
    torch.save(dict(state_dict=dict(other=torch.zeros(1)), meta=meta), 'other.pth')
    assert run(monkeypatch, 'clip.mp4', checkpoint='other.pth') == 1
    assert '--allow-missing scores' in capsys.readouterr().err
    for prefix in (['scores'], []):
        options = ('--allow-missing', *prefix)
        assert run(monkeypatch, 'clip.mp4', *options, checkpoint='other.pth') == 0


def test_truncated_video_gives_its_overlay_and_says_so(folder, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    with VideoWriter('cut.mp4', 10) as writer:
        for index in range(40):
            noise = rng.integers(0, 99, (48, 64, 3), dtype=np.uint8)
            writer.write(square_frame(index % 7) // 2 + noise)
    whole = (folder / 'cut.mp4').read_bytes()
    (folder / 'cut.mp4').write_bytes(whole[: len(whole) // 2])
    assert run(monkeypatch, 'cut.mp4') == 1
    assert 'the results cover the frames before' in capsys.readouterr().err
    assert 5 < open_source('work_dirs/demo/cut.mp4').length < 40
