"""The demo with models of panoptic and semantic segmentation."""

import importlib.util
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import REPOSITORY
from map_squares import META, VOID_COLUMNS, write_map_checkpoint, write_map_config
from PIL import Image
from squares import square_frame, write_frames

from mmvseg.media import open_source
from mmvseg.media.images import read_image
from mmvseg.visualization import track_color

spec = importlib.util.spec_from_file_location('demo_video', REPOSITORY / 'tools/demo_video.py')
demo_video = importlib.util.module_from_spec(spec)
spec.loader.exec_module(demo_video)

SCALE = 7  # frames of 64 columns are enlarged to at least 400


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_map_checkpoint(tmp_path / 'maps.pth')
    write_frames(tmp_path / 'frames')
    return tmp_path


def run(monkeypatch, task, *options, source='frames'):
    write_map_config(Path('maps.py'), task, live='--live' in options)
    arguments = ['demo_video.py', source, 'maps.py', 'maps.pth', '--device', 'cpu', *options]
    monkeypatch.setattr('sys.argv', arguments)
    with pytest.raises(SystemExit) as ended:
        demo_video.main()
    return ended.value.code


def overlays(path='work_dirs/demo/frames.mp4'):
    return [frame.image.astype(int) for frame in open_source(path)]


def tint(color, background=60):
    return (np.array(color) + background) / 2


def at(image, row, column):
    """Colour in the middle of a pixel of the input."""
    return image[int((row + 0.5) * SCALE), int((column + 0.5) * SCALE)]


def areas_of_frame(index):
    """Pixels of red, green, wall and floor, without void."""
    image = square_frame(index)[:, :-VOID_COLUMNS]
    red, green = (int((image[..., channel] > 200).sum()) for channel in range(2))
    half = image.shape[0] // 2 * image.shape[1]
    return [red, green, half - red, half - green]


@pytest.mark.parametrize('live', [False, True])
def test_segments_keep_their_colours_and_void_the_picture(folder, monkeypatch, capsys, live):
    assert run(monkeypatch, 'vps', *['--live'] * live) == 0
    frames = overlays()
    assert len(frames) == 7
    assert all(frame.shape == (48 * SCALE, 64 * SCALE, 3) for frame in frames)
    for index, frame in enumerate(frames):
        inks = {
            (8, 5 + 3 * index): 0.5 * np.array(track_color(10)) + 0.5 * np.array((230, 20, 20)),
            (40, 44): 0.5 * np.array(track_color(11)) + 0.5 * np.array((20, 230, 20)),
            (22, 59): tint(META['palette'][2]),
            (46, 2): tint(META['palette'][3]),
            (30, 62): np.full(3, 60),
        }
        for place, ink in inks.items():
            assert np.abs(at(frame, *place) - ink).max() < 30, (index, place)  # H.264 is lossy
    printed = capsys.readouterr().out
    summary = '7 frames with 4.0 segments on average' if live else '2 things: 1 red, 1 green; 2 kin'
    assert summary in printed


@pytest.mark.parametrize('live', [False, True])
def test_classes_have_their_colours_and_a_legend_of_constant_size(
    folder, monkeypatch, capsys, live
):
    assert run(monkeypatch, 'vss', *['--live'] * live) == 0
    frames = overlays()
    assert len({frame.shape for frame in frames}) == 1
    assert frames[0].shape[0] > 48 * SCALE  # the legend
    for frame in frames:
        assert np.abs(at(frame, 22, 59) - tint(META['palette'][2])).max() < 30
        legend = frame[48 * SCALE :]
        for color in META['palette']:
            assert (np.abs(legend - color).max(axis=2) < 40).sum() > 40
    legends = np.stack([frame[48 * SCALE :] for frame in frames])
    assert np.abs(legends - legends[0]).mean() < 3  # nothing jumps
    summary = '7 frames with 4.0 classes' if live else '4 classes: 42.1% wall, 41.7% floor, 8.3%'
    assert summary in capsys.readouterr().out


def test_json_of_segments(folder, monkeypatch):
    run(monkeypatch, 'vps', '--json', 'deep/segments.json')
    entries = json.loads((folder / 'deep/segments.json').read_text())
    found = [(e['segment_id'], e['category'], e['category_id'], e['isthing']) for e in entries]
    expected = [(10, 'red', 7, 1), (11, 'green', 3, 1), (12, 'wall', 0, 0), (13, 'floor', 9, 0)]
    assert found == expected
    assert [entry['score'] for entry in entries] == [0.9, 0.5, 0.8, 0.7]
    for index in range(7):
        # the model sees the frames at half their size
        areas = [entry['areas'][index] for entry in entries]
        np.testing.assert_allclose(areas, areas_of_frame(index), rtol=0.15)
        assert sum(areas) == 48 * (64 - VOID_COLUMNS)


def test_json_of_classes(folder, monkeypatch):
    run(monkeypatch, 'vss', '--json', 'classes.json')
    entries = json.loads((folder / 'classes.json').read_text())
    assert sorted(entry['category_id'] for entry in entries) == [0, 3, 7, 9]
    totals = [sum(entry['areas']) for entry in entries]
    assert totals == sorted(totals, reverse=True)
    assert sum(totals) == 7 * 48 * 64


@pytest.mark.parametrize('task', ['vps', 'vss'])
def test_live_lines(folder, monkeypatch, task):
    assert run(monkeypatch, task, '--live', '--json', 'lines.jsonl', '--max-frames', '3') == 0
    lines = [json.loads(line) for line in (folder / 'lines.jsonl').read_text().splitlines()]
    assert [line['frame'] for line in lines] == [0, 1, 2]
    entries = lines[1]['segments' if task == 'vps' else 'classes']
    areas = {entry['category']: entry['area'] for entry in entries}
    assert sorted(areas) == ['floor', 'green', 'red', 'wall']
    assert sum(areas.values()) == 48 * (64 - VOID_COLUMNS * (task == 'vps'))
    if task == 'vps':
        assert entries[0]['segment_id'] == 10


def test_maps_of_segments(folder, monkeypatch, capsys):
    run(monkeypatch, 'vps', '--maps', 'maps/here')
    assert 'maps:     maps/here' in capsys.readouterr().out
    image = Image.open('maps/here/00006.png')
    assert set(np.unique(np.array(image))) == {0, 10, 11, 12, 13}
    palette = image.getpalette()
    assert tuple(palette[30:36]) == track_color(10) + track_color(11)
    assert tuple(palette[36:42]) == META['palette'][2] + META['palette'][3]
    run(monkeypatch, 'vps', '--maps', 'live', '--live')
    written = np.array(Image.open('live/00006.png'))
    assert written.dtype == np.uint16
    np.testing.assert_array_equal(written, np.array(image))


@pytest.mark.parametrize('live', [False, True])
def test_maps_of_classes_hold_the_dataset_ids(folder, monkeypatch, live):
    run(monkeypatch, 'vss', '--maps', 'maps', *['--live'] * live)
    assert len(list((folder / 'maps').iterdir())) == 7
    image = Image.open('maps/00000.png')
    ids = np.array(image)
    assert (ids[2, 60], ids[46, 2], ids[40, 44], ids[10, 8]) == (0, 9, 3, 7)
    assert tuple(image.getpalette()[:3]) == META['palette'][2]  # wall has the id 0


def test_score_thr_of_segments(folder, monkeypatch, capsys):
    run(monkeypatch, 'vps', '--score-thr', '0.75', '--json', 'segments.json', '--maps', 'maps')
    assert '(2 segments of score < 0.75 left out)' in capsys.readouterr().out
    entries = json.loads((folder / 'segments.json').read_text())
    assert [entry['category'] for entry in entries] == ['red', 'wall']
    assert set(np.unique(np.array(Image.open('maps/00000.png')))) == {0, 10, 12}
    assert np.abs(at(overlays()[0], 46, 2) - 60).max() < 12  # the floor is as it was


def test_score_thr_of_classes_is_refused(folder, monkeypatch, capsys):
    assert run(monkeypatch, 'vss', '--score-thr', '0.5') == 1
    assert '--score-thr: a semantic model has no scores' in capsys.readouterr().err
    assert run(monkeypatch, 'vps', '--all-tracks') == 1
    assert '--all-tracks: of panoptic and semantic results' in capsys.readouterr().err
    assert not (folder / 'work_dirs/demo/frames.mp4').exists()


@pytest.mark.parametrize('task', ['vps', 'vss'])
def test_image_gives_an_image(folder, monkeypatch, task):
    cv2.imwrite('photo.png', square_frame(2)[..., ::-1])
    assert run(monkeypatch, task, source='photo.png') == 0
    drawn = read_image('work_dirs/demo/photo.png')
    assert drawn.shape[1] == 64 * SCALE
    assert np.abs(at(drawn, 22, 59) - tint(META['palette'][2])).max() <= 1


def test_no_segment_at_all_is_explained(folder, monkeypatch, capsys):
    monkeypatch.setattr('map_squares.SEGMENTS', [])
    assert run(monkeypatch, 'vps') == 0
    assert 'no segment is sure enough' in capsys.readouterr().out
    assert all(np.abs(at(frame, 46, 2) - 60).max() < 12 for frame in overlays())
