"""``mmvseg predict`` on several videos, and what it leaves out or writes as a table."""

import csv
import json
import logging
import os

import numpy as np
import pytest
from map_squares import write_map_checkpoint, write_map_config
from PIL import Image
from pycocotools import mask as coco_mask
from squares import square_frame, write_checkpoint, write_config, write_frames, write_scene
from tool import run_tool
from two_processes import two_processes

from mmvseg.apis.predict_videos import unique_names
from mmvseg.media import VideoWriter, open_source
from mmvseg.results.exports import COLUMNS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A model, frames, and a folder of two video files and one of frames."""
    monkeypatch.chdir(tmp_path)
    write_scene(tmp_path)
    for name, count in (('street', 7), ('yard', 4)):
        (tmp_path / 'videos').mkdir(exist_ok=True)
        with VideoWriter(tmp_path / 'videos' / f'{name}.mp4', 10, crf=1) as writer:
            for index in range(count):
                writer.write(square_frame(index))
    write_frames(tmp_path / 'videos' / 'alley', 3)
    return tmp_path


def predict(*args, config='squares.py', checkpoint='squares.pth'):
    return run_tool('demo_video', *args[:1], config, checkpoint, '--device', 'cpu', *args[1:])


def predict_all(inputs, *args):
    return run_tool('demo_video', *inputs, 'squares.py', 'squares.pth', '--device', 'cpu', *args)


def names(path):
    return sorted(os.listdir(path))


def read_csv(path):
    with open(path, newline='') as file:
        return list(csv.DictReader(file))


def test_a_folder_of_videos_gives_files_of_each(folder, capsys):
    outputs = ['--out', 'drawn', '--json', 'tracks', '--csv', 'tables', '--maps', 'maps']
    assert predict('videos', *outputs) == 0
    assert names('drawn') == ['alley.mp4', 'street.mp4', 'yard.mp4']
    assert names('tracks') == ['alley.json', 'street.json', 'yard.json']
    assert names('tables') == ['alley.csv', 'street.csv', 'yard.csv']
    assert [len(names(f'maps/{name}')) for name in ('alley', 'street', 'yard')] == [3, 7, 4]
    printed = capsys.readouterr().out
    assert '3 of 3 videos' in printed
    assert printed.count('2 tracks of score >=') == 3
    # each is what a run of its own gives
    assert (
        predict('videos/yard.mp4', '--out', 'one.mp4', '--json', 'one.json', '--csv', 'a.csv') == 0
    )
    for one, of_all in (('one.json', 'tracks/yard.json'), ('a.csv', 'tables/yard.csv')):
        assert (folder / one).read_bytes() == (folder / of_all).read_bytes()
    assert (folder / 'one.mp4').read_bytes() == (folder / 'drawn/yard.mp4').read_bytes()


@pytest.mark.parametrize('inputs', [['frames'], ['frames', 'videos/yard.mp4']])
def test_options_may_stand_before_the_model(folder, inputs):
    options = ['--device', 'cpu', '--out', 'a.mp4' if len(inputs) == 1 else 'drawn']
    assert run_tool('demo_video', *inputs, *options, 'squares.py', 'squares.pth') == 0


def test_several_inputs_of_one_name(folder):
    write_frames(folder / 'other' / 'street', 2)
    given = ['videos/street.mp4', 'other/street', 'videos/yard.mp4']
    assert predict_all(given, '--max-frames', '2') == 0
    assert names('work_dirs/demo') == ['street.mp4', 'street_2.mp4', 'yard.mp4']
    assert open_source('work_dirs/demo/street.mp4').fps == 10
    assert open_source('work_dirs/demo/street_2.mp4').fps == 6


def test_names_for_files_in_one_folder():
    given = ['a/x.mp4', 'b/X.mkv', 'x_2.mp4', 'seq/%05d.png', '*.jpg', 'rtsp://u:p@host/live?key=1']
    assert unique_names(given) == ['x', 'X_2', 'x_2_2', 'seq', 'frames', 'live']


def test_one_that_cannot_be_read_does_not_stop_the_others(folder, capsys):
    (folder / 'videos' / 'broken.mp4').write_bytes(b'no video at all')
    assert predict('videos', '--out', 'drawn') == 1
    assert names('drawn') == ['alley.mp4', 'street.mp4', 'yard.mp4']
    printed = capsys.readouterr()
    assert 'error: videos/broken.mp4' in printed.err
    assert '4 of 4 videos, 1 of them with an error' in printed.err


def test_no_other_input_is_written_over(folder, capsys):
    """Files of the first video would have the names of the second and third."""
    (folder / 'videos' / 'street.avi').write_bytes((folder / 'videos/street.mp4').read_bytes())
    write_frames(folder / 'videos' / 'street_2', 3)
    before = {path: path.read_bytes() for path in folder.glob('videos/**/*.*')}
    assert predict('videos', '--out', 'videos') == 1
    assert '--out videos/street.mp4: is an input of this run' in capsys.readouterr().err
    assert predict('videos', '--out', 'drawn', '--maps', 'videos') == 1
    assert '--maps videos/street_2: holds the input of this run' in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before


def test_many_pictures_are_no_video(folder, capsys):
    pictures = [f'frames/0000{index}.png' for index in range(3)]
    assert predict_all(pictures, '--out', 'drawn') == 0
    assert names('drawn') == ['00000.png', '00001.png', '00002.png']
    assert '3 pictures, each by itself; as the frames of one video' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('option', 'value'),
    [('--out', 'all.mp4'), ('--json', 'all.json'), ('--csv', 'all.csv'), ('--maps', 'squares.py')],
)
def test_of_several_videos_options_name_folders(folder, capsys, option, value):
    assert predict('videos', option, value) == 1
    printed = capsys.readouterr().err
    assert f'error: {option} {value}: ' in printed
    assert 'give' in printed
    assert not os.path.exists('work_dirs')


def test_inputs_are_not_overwritten(folder, capsys):
    assert predict('videos', '--out', 'videos') == 1
    assert 'videos/street.mp4: is an input of this run' in capsys.readouterr().err
    assert open_source('videos/street.mp4').length == 7


def test_live_takes_several_videos(folder):
    write_config(folder / 'squares.py', live=True)
    assert predict('videos', '--live', '--json', 'lines') == 0
    assert names('lines') == ['alley.json', 'street.json', 'yard.json']
    assert len((folder / 'lines/street.json').read_text().splitlines()) == 7


def test_a_table_of_tracks(folder):
    assert predict('videos/street.mp4', '--csv', 'tracks.csv', '--json', 'tracks.json') == 0
    rows, entries = read_csv('tracks.csv'), json.loads((folder / 'tracks.json').read_text())
    assert list(rows[0]) == list(COLUMNS)
    assert len(rows) == 14
    by_track = {entry['track_id']: entry for entry in entries}
    for row in rows:
        entry, frame = by_track[int(row['track_id'])], int(row['frame'])
        assert row['video'] == 'street'
        assert row['category'] == entry['category']
        assert float(row['score']) == pytest.approx(entry['score'], abs=1e-6)
        assert float(row['seconds']) == entry['seconds'][frame] == pytest.approx(frame / 10)
        x, y, width, height = coco_mask.toBbox(entry['segmentations'][frame])
        box = [float(row[key]) for key in ('x1', 'y1', 'x2', 'y2')]
        assert box == [x, y, x + width, y + height]
        assert int(row['area']) == coco_mask.area(entry['segmentations'][frame])


def test_tables_run_no_formulas(folder):
    classes = ('=cmd|calc', '+green', 'blue')
    write_checkpoint(folder / 'squares.pth', dataset_meta=dict(classes=classes))
    write_frames(folder / '=evil', 2)
    assert predict('=evil', '--csv', 'tracks.csv') == 0
    rows = read_csv('tracks.csv')
    assert {row['category'] for row in rows} == {"'=cmd|calc", "'+green"}
    assert {row['video'] for row in rows} == {"'=evil"}


def test_a_table_is_for_whole_videos(folder, capsys):
    write_config(folder / 'squares.py', live=True)
    assert predict('frames', '--live', '--csv', 'tracks.csv') == 2
    assert '--csv is for whole videos' in capsys.readouterr().err


@pytest.mark.parametrize('live', [False, True])
def test_classes_leave_all_others_out(folder, capsys, live):
    write_config(folder / 'squares.py', live=live)
    options = ['--json', 'tracks.json', '--maps', 'maps', *(['--live'] if live else [])]
    assert predict('frames', *options, '--classes', 'green', 'blue') == 0
    text = (folder / 'tracks.json').read_text()
    tracks = json.loads(text.splitlines()[0])['tracks'] if live else json.loads(text)
    assert [track['category'] for track in tracks] == ['green']
    assert set(np.unique(np.array(Image.open('maps/00000.png')))) == {0, 12}
    frame = next(iter(open_source('work_dirs/demo/frames.mp4'))).image.astype(int)
    image = square_frame(0)
    assert np.abs(frame[5:11, 4:16] - image[5:11, 4:16]).max() < 40  # the red square as it was
    assert np.abs(frame[30:42, 42:54] - image[30:42, 42:54]).max() > 40
    if not live:
        said = '1 track of score >= '
        printed = capsys.readouterr().out
        assert said in printed
        assert '(1 of other classes left out)' in printed


def test_classes_that_the_model_does_not_know(folder, capsys):
    assert predict('frames', '--classes', 'green', 'blu') == 1
    printed = capsys.readouterr().err
    assert "error: --classes: 'blu' is no class of the model; did you mean blue?" in printed
    assert not os.path.exists('work_dirs/demo/frames.mp4')


@pytest.mark.parametrize('task', ['vps', 'vss'])
def test_classes_and_tables_of_maps(folder, capsys, task):
    write_map_config(folder / 'maps.py', task)
    write_map_checkpoint(folder / 'maps.pth')
    options = ['--csv', 'a.csv', '--json', 'a.json', '--maps', 'maps', '--classes', 'wall', 'red']
    assert predict('frames', *options, config='maps.py', checkpoint='maps.pth') == 0
    rows, entries = read_csv('a.csv'), json.loads((folder / 'a.json').read_text())
    assert {row['category'] for row in rows} == {'wall', 'red'}
    areas = {entry['category']: entry['areas'] for entry in entries}
    assert set(areas) == {'wall', 'red'}
    for row in rows:
        assert int(row['area']) == areas[row['category']][int(row['frame'])]
        assert (row['score'] == '') == (task == 'vss')
    found = set(np.unique(np.array(Image.open('maps/00000.png'))))
    assert found == ({0, 10, 12} if task == 'vps' else {0, 7, 255})
    printed = capsys.readouterr().out
    if task == 'vps':
        assert '(2 segments of other classes left out)' in printed
    else:
        assert '2 classes: ' in printed
        assert 'green' not in printed


def test_processes_share_the_videos(folder, monkeypatch, capfd):
    (folder / 'videos' / 'broken.mp4').write_bytes(b'no video at all')
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    inputs = ['videos', 'squares.py', 'squares.pth', '--launcher', 'pytorch']

    def work(rank):
        monkeypatch.setattr(logging, 'raiseExceptions', False)  # streams of tests before are closed
        return run_tool('demo_video', *inputs, '--out', 'two', '--json', 'tracks')

    with two_processes(work) as (processes, _):
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [1, 1]  # one video is broken
    shown = capfd.readouterr().err
    assert 'Traceback' not in shown
    assert shown.count('error: videos/broken.mp4') == 1
    assert shown.count('4 of 4 videos, 1 of them with an error') == 1
    assert names('two') == ['alley.mp4', 'street.mp4', 'yard.mp4']
    assert predict('videos', '--out', 'one', '--json', 'alone') == 1
    for name in ('alley', 'street', 'yard'):
        assert (folder / f'tracks/{name}.json').read_bytes() == (
            folder / f'alone/{name}.json'
        ).read_bytes()


def test_one_video_is_not_shared(folder, capsys):
    assert predict('frames', '--launcher', 'pytorch') == 1
    assert 'processes share videos; there is one' in capsys.readouterr().err
