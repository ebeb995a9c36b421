import csv
import importlib.util
import json
import os
import shutil
import signal

import cv2
import numpy as np
import pytest
from helpers import REPOSITORY
from PIL import Image
from pycocotools import mask as coco_mask
from squares import square_frame, write_frames

from mmvseg.apis import results_file
from mmvseg.apis.reports import SCORE_THR
from mmvseg.media import open_source
from mmvseg.media.images import read_image
from mmvseg.progress import ProgressReport
from mmvseg.visualization import track_color

path = REPOSITORY / 'tools/visualize_results.py'
spec = importlib.util.spec_from_file_location('visualize_results', path)
visualize_results = importlib.util.module_from_spec(spec)
spec.loader.exec_module(visualize_results)


def encode(mask):
    rle = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return dict(size=rle['size'], counts=rle['counts'].decode())


def tube(channel, absent=()):
    return [
        None if index in absent else encode(square_frame(index)[..., channel] > 200)
        for index in range(4)
    ]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    videos = []
    for video_id, name in ((3, 'first'), (8, 'second')):
        write_frames(tmp_path / 'frames' / name, 4)
        names = [f'{name}/{index:05d}.png' for index in range(4)]
        videos.append(dict(id=video_id, file_names=names, height=48, width=64, length=4))
    categories = [dict(id=2, name='cat'), dict(id=5, name='dog')]
    write_json('gt.json', dict(videos=videos, categories=categories))
    write_json(
        'results.json',
        [
            dict(video_id=8, category_id=5, score=0.4, segmentations=tube(1)),
            dict(video_id=3, category_id=5, score=0.3, segmentations=tube(1)),
            dict(video_id=3, category_id=2, score=0.8, segmentations=tube(0, absent=[1])),
        ],
    )
    return tmp_path


def write_json(name, content):
    with open(name, 'w') as file:
        json.dump(content, file)


def run(monkeypatch, *options):
    arguments = ['visualize_results.py', 'results.json', '--json', 'gt.json', '--root', 'frames']
    monkeypatch.setattr('sys.argv', [*arguments, '--out', 'out', *options])
    with pytest.raises(SystemExit) as ended:
        visualize_results.main()
    return ended.value.code


def read_rows():
    with open('out/tracks.csv') as file:
        return list(csv.DictReader(file))


def test_overlays(folder, monkeypatch, capsys):
    assert run(monkeypatch) == 0
    assert 'out: 2 videos with 3 tracks' in capsys.readouterr().out
    overlay = open_source('out/overlays/first.mp4')
    assert (overlay.fps, overlay.length) == (6, 4)
    assert overlay.size == (48 * 7, 64 * 7)  # small frames are enlarged, labels need the room
    for index, _, image in overlay:
        present = []
        for track in (0, 1):
            distance = np.abs(image.astype(int) - track_color(track)).max(axis=2)
            present.append((distance < 40).sum() > 100)
        assert present == [True, index != 1]


def test_first_videos_only(folder, monkeypatch, capsys):
    assert run(monkeypatch, '--first', '1', '--contact-sheet') == 0
    assert 'out: 1 video with 2 tracks' in capsys.readouterr().out
    assert os.listdir('out/overlays') == ['first.mp4']
    assert {row['video'] for row in read_rows()} == {'first'}
    assert run(monkeypatch, '--first', '0') == 2
    assert 'not a whole number of at least 1' in capsys.readouterr().err


def test_frames_of_16_bits(folder, monkeypatch, capsys):
    for index in range(4):
        values = np.full((48, 64, 3), 1000, np.uint16)
        cv2.imwrite(f'frames/first/{index:05d}.png', values)
    means = []
    for options in ((), ('--range', '0', '2000')):
        assert run(monkeypatch, '--video', 'first', *options) == 0
        means.append(next(iter(open_source('out/overlays/first.mp4'))).image.mean())
    assert means[1] > means[0] + 80
    assert run(monkeypatch, '--range', '5', '5') == 1
    assert 'the range of values 5 5: the first' in capsys.readouterr().err


def test_id_masks(folder, monkeypatch):
    run(monkeypatch)
    for index in range(4):
        image = Image.open(f'out/id_masks/first/{index:05d}.png')
        assert image.mode == 'P'
        expected = np.zeros((48, 64), np.uint8)
        expected[square_frame(index)[..., 1] > 200] = 1
        if index != 1:
            expected[square_frame(index)[..., 0] > 200] = 2
        np.testing.assert_array_equal(np.array(image), expected)
    assert tuple(image.getpalette()[3:9]) == track_color(0) + track_color(1)


def test_more_than_255_tracks_take_16_bits(folder, monkeypatch):
    empty = [encode(np.zeros((48, 64)))] + [None] * 3
    entries = [dict(video_id=3, category_id=2, score=0.1, segmentations=empty)] * 299
    entries.append(dict(video_id=3, category_id=2, score=0.9, segmentations=tube(0)))
    write_json('results.json', entries)
    assert run(monkeypatch, '--video', 'first') == 0
    ids = np.array(Image.open('out/id_masks/first/00000.png'))
    assert ids.dtype == np.uint16
    assert set(np.unique(ids)) == {0, 300}


def test_table_of_tracks(folder, monkeypatch):
    run(monkeypatch)
    rows = read_rows()
    assert [(r['video_id'], r['track'], r['frame']) for r in rows] == [
        *[('3', '0', str(t)) for t in range(4)],
        *[('3', '1', str(t)) for t in (0, 2, 3)],
        *[('8', '0', str(t)) for t in range(4)],
    ]
    row = rows[5]  # the red square in frame 2
    assert (row['video'], row['category'], row['category_id']) == ('first', 'cat', '2')
    assert (float(row['score']), row['file']) == (0.8, 'first/00002.png')
    assert [int(row[key]) for key in ('x1', 'y1', 'x2', 'y2', 'area')] == [8, 4, 24, 20, 256]


def test_score_thr_keeps_the_numbers_of_tracks(folder, monkeypatch, capsys):
    run(monkeypatch, '--score-thr', '0.5')
    assert '2 videos with 1 track of score >= 0.5' in capsys.readouterr().out
    assert {(row['video'], row['track']) for row in read_rows()} == {('first', '1')}
    ids = np.array(Image.open('out/id_masks/first/00000.png'))
    assert set(np.unique(ids)) == {0, 2}


@pytest.mark.parametrize('video', ['second', '8'])
def test_video_by_name_or_id(folder, monkeypatch, video):
    run(monkeypatch, '--video', video)
    assert [path.name for path in (folder / 'out/overlays').iterdir()] == ['second.mp4']
    assert {row['video'] for row in read_rows()} == {'second'}


def test_fps(folder, monkeypatch):
    run(monkeypatch, '--fps', '12')
    assert open_source('out/overlays/first.mp4').fps == 12
    for wrong in ('0', '1/0', 'fast'):
        assert run(monkeypatch, '--fps', wrong) == 2


def test_contact_sheet(folder, monkeypatch):
    run(monkeypatch)
    assert not (folder / 'out/contact_sheet.png').exists()
    run(monkeypatch, '--contact-sheet', '1')
    without_truth = read_image('out/contact_sheet.png')
    run(monkeypatch, '--contact-sheet')
    assert read_image('out/contact_sheet.png').shape[0] > 1.8 * without_truth.shape[0]
    with open('gt.json') as file:
        gt = json.load(file)
    gt['annotations'] = [
        dict(id=1, video_id=3, category_id=2, segmentations=tube(0), iscrowd=0),
    ]
    write_json('gt.json', gt)
    run(monkeypatch, '--contact-sheet', '1')
    assert read_image('out/contact_sheet.png').shape[0] > 1.3 * without_truth.shape[0]


def break_entry(**changes):
    with open('results.json') as file:
        entries = json.load(file)
    for key, value in changes.items():
        entries[1][key] = value
        if value is None:
            del entries[1][key]
    write_json('results.json', entries)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(video_id=99), 'results.json: entry 1: video_id 99 is not in gt.json'),
        (dict(video_id=[3]), 'entry 1, video_id: [3] is not an integer'),
        (dict(category_id=99), 'results.json: entry 1: unknown category_id 99'),
        (dict(category_id=[2]), 'entry 1, category_id: [2] is not an integer'),
        (dict(score=None), 'results.json: entry 1: missing score'),
        (dict(score=True), 'results.json: entry 1, score: True is not a number'),
        (dict(score='high'), "results.json: entry 1, score: 'high' is not a number"),
        (dict(segmentations=[None]), '1 segmentation, but video 3 has 4 frames'),
        (
            dict(segmentations=[None, None, dict(size=[9, 9], counts='0a2'), None]),
            'results.json: entry 1, frame 2: the size [9, 9] is not the video size',
        ),
        (
            dict(segmentations=[None, dict(size=[48, 64], counts='04'), None, None]),
            'results.json: entry 1, frame 1, segmentations: the run-length code covers',
        ),
    ],
)
def test_broken_entries_are_named(folder, monkeypatch, capsys, changes, message):
    break_entry(**changes)
    assert run(monkeypatch) == 1
    assert message in capsys.readouterr().err


def test_wrong_files_are_named(folder, monkeypatch, capsys):
    assert run(monkeypatch, '--video', 'third') == 1
    assert 'no video third among its 2, e.g. 3 (first), 8 (second)' in capsys.readouterr().err
    assert run(monkeypatch, '--root', 'elsewhere') == 1
    assert 'elsewhere/first/00000.png: cannot be read' in capsys.readouterr().err
    write_json('results.json', dict(videos=[]))
    assert run(monkeypatch) == 1
    assert 'results.json: must be a list of results' in capsys.readouterr().err


def test_frames_of_another_size_are_named(folder, monkeypatch, capsys):
    with open('gt.json') as file:
        gt = json.load(file)
    gt['videos'][0]['height'] = 50
    write_json('gt.json', gt)
    write_json('results.json', [])
    assert run(monkeypatch) == 1
    assert 'first/00000.png: 64x48 pixels, the annotation file says 64x50' in (
        capsys.readouterr().err
    )


def rename_frames(*file_names):
    """Give the videos other file_names; the results are those of the first."""
    with open('gt.json') as file:
        gt = json.load(file)
    for video, names in zip(gt['videos'], file_names, strict=True):
        video['file_names'] = names
    write_json('gt.json', gt)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def test_writes_below_out_only(folder, monkeypatch, capsys):
    names = [f'{index:05d}.png' for index in range(4)]
    absolute = [str(folder / 'frames/first' / name) for name in names]
    rename_frames(absolute, [f'../frames/second/{name}' for name in names])
    before = contents(folder)
    assert run(monkeypatch) == 1
    assert 'leaves the folder of the frames' in capsys.readouterr().err
    assert run(monkeypatch, '--allow-outside-root') == 0
    after = contents(folder)
    assert {path: after[path] for path in before} == before
    assert all(folder / 'out' in path.parents for path in after.keys() - before.keys())
    inside = '/'.join(folder.parts[1:])
    for name in (f'{inside}/frames/first', 'frames/second'):
        assert (folder / f'out/overlays/{name}.mp4').is_file()
        assert len(list((folder / 'out/id_masks' / name).iterdir())) == 4


def test_frames_beside_the_root_are_named_by_the_video_id(folder, monkeypatch):
    names = [f'{index:05d}.png' for index in range(4)]
    rename_frames([f'../{name}' for name in names], [f'second/../{name}' for name in names])
    for name in names:
        for place in (folder, folder / 'frames'):
            shutil.copy(folder / 'frames/first' / name, place)
    assert run(monkeypatch, '--allow-outside-root') == 0
    assert {path.name for path in (folder / 'out/overlays').iterdir()} == {'3.mp4', 'second.mp4'}


def test_links_below_the_root_must_not_lead_out(folder, monkeypatch, capsys):
    (folder / 'frames').rename(folder / 'disk')
    (folder / 'frames').symlink_to('disk')  # a data set on another disk
    assert run(monkeypatch) == 0
    (folder / 'disk/first').rename(folder / 'elsewhere')
    (folder / 'disk/first').symlink_to('../elsewhere')
    assert run(monkeypatch) == 1
    message = 'video first: frames/first/00000.png: a link leads out of the folder frames'
    assert message in capsys.readouterr().err
    assert run(monkeypatch, '--allow-outside-root') == 0


def test_names_stay_unique():
    names = ['a', 'a', 'a_1', '..', '/', 'b/../c']
    ids = [1, 2, 5, '../x', '/', 6]
    records = [dict(video_id=i, name=name) for i, name in zip(ids, names, strict=True)]
    made = results_file.output_names(records)
    assert list(made.values()) == ['a_1_', 'a_2', 'a_1', 'x', 'video', 'b/c']


def test_frames_of_one_name_in_two_folders_keep_their_masks(folder, monkeypatch):
    write_frames(folder / 'frames/more', 4)
    kept = [f'second/{index:05d}.png' for index in range(4)]
    rename_frames(
        [f'{part}/{index:05d}.png' for index in (0, 1) for part in ('first', 'more')], kept
    )
    assert run(monkeypatch, '--video', '3') == 0
    masks = sorted(path.name for path in (folder / 'out/id_masks/first').iterdir())
    assert masks == [f'{index:05d}.png' for index in range(4)]


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_what_is_drawn_before_a_signal_is_kept(folder, monkeypatch, capsys, number):
    advance, calls = ProgressReport.advance, []

    def stopped(self):
        advance(self)
        calls.append(None)
        if len(calls) == 6:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(ProgressReport, 'advance', stopped)
    assert run(monkeypatch, '--contact-sheet') == 128 + number
    message = 'stopped after 2 of 4 frames of the video second; 1 of 2 videos are whole'
    assert message in capsys.readouterr().err
    assert [open_source(f'out/overlays/{name}.mp4').length for name in ('first', 'second')] == [
        4,
        2,
    ]
    assert [row['frame'] for row in read_rows() if row['video'] == 'second'] == ['0', '1']
    assert not (folder / 'out/contact_sheet.png').exists()
    assert not list((folder / 'out').rglob('.*'))


def test_places_that_cannot_be_are_refused_at_once(folder, monkeypatch, capsys):
    write_json('out', [])
    assert run(monkeypatch) == 1
    assert '--out out: is no folder' in capsys.readouterr().err
    os.unlink('out')
    (folder / 'out/tracks.csv').mkdir(parents=True)
    assert run(monkeypatch) == 1
    assert '--out out/tracks.csv: is no file' in capsys.readouterr().err
    assert not (folder / 'out/overlays').exists()


def test_equal_runs_give_equal_files(folder, monkeypatch):
    run(monkeypatch, '--contact-sheet')
    before = contents(folder / 'out')
    assert {path.suffix for path in before} == {'.mp4', '.png', '.csv'}
    shutil.rmtree(folder / 'out')
    run(monkeypatch, '--contact-sheet')
    assert contents(folder / 'out') == before


@pytest.mark.parametrize('score', ['NaN', 'Infinity', '1e999'])
def test_scores_that_are_no_numbers_are_refused(folder, monkeypatch, capsys, score):
    text = (folder / 'results.json').read_text().replace('0.3', score)
    (folder / 'results.json').write_text(text)
    assert run(monkeypatch) == 1
    assert 'error: results.json: ' in capsys.readouterr().err
    assert not (folder / 'out/tracks.csv').exists()


def palette_colors(name):
    palette = Image.open(name).getpalette()
    return [tuple(palette[3 * n : 3 * n + 3]) for n in range(len(palette) // 3)]


def test_an_object_is_drawn_once_unless_all_tracks_are_wanted(folder, monkeypatch, capsys):
    again = [
        dict(video_id=3, category_id=category, score=score, segmentations=tube(0))
        for category, score in ((5, 0.3), (2, 0.8), (5, 0.7))
    ]
    write_json('results.json', again)
    assert run(monkeypatch, '--video', 'first') == 0
    assert '1 video with 1 track' in capsys.readouterr().out
    assert {(row['track'], row['category']) for row in read_rows()} == {('1', 'cat')}
    assert set(np.unique(Image.open('out/id_masks/first/00000.png'))) == {0, 2}
    assert run(monkeypatch, '--video', 'first', '--all-tracks') == 0
    assert '1 video with 3 tracks' in capsys.readouterr().out
    assert {row['track'] for row in read_rows()} == {'0', '1', '2'}


def test_unlikely_tracks_are_drawn_if_a_lower_score_is_given(folder, monkeypatch):
    entry = dict(video_id=3, category_id=2, segmentations=tube(0))
    write_json('results.json', [dict(entry, score=SCORE_THR - 0.01)])
    run(monkeypatch)
    assert read_rows() == []
    run(monkeypatch, '--score-thr', '0.1')
    assert len(read_rows()) == 4


def test_tracks_have_the_colours_of_the_objects_that_they_show(folder, monkeypatch):
    """Red is annotated first and found last; blue is annotated and not found."""
    ground_truth = json.loads((folder / 'gt.json').read_text())
    blue = [encode(np.eye(48, 64))] * 4
    shapes = (tube(0), blue, tube(1))
    ground_truth['annotations'] = [
        dict(id=n + 1, video_id=3, category_id=2, iscrowd=0, segmentations=shape)
        | dict(bboxes=[[0, 0, 1, 1]] * 4, areas=[1] * 4, height=48, width=64, length=4)
        for n, shape in enumerate(shapes)
    ]
    write_json('gt.json', ground_truth)
    corner = [encode(np.arange(64) * np.ones((48, 1)) > 60)] * 4
    found = ((corner, 0.9), (tube(1), 0.8), (tube(0), 0.7))
    entry = dict(video_id=3, category_id=2)
    write_json(
        'results.json', [dict(entry, score=score, segmentations=part) for part, score in found]
    )
    assert run(monkeypatch, '--video', 'first', '--contact-sheet') == 0
    colors = palette_colors('out/id_masks/first/00000.png')[1:4]
    assert colors == [track_color(3), track_color(2), track_color(0)]
    sheet = np.asarray(Image.open('out/contact_sheet.png'))
    for color, rows in ((track_color(0), 2), (track_color(1), 1), (track_color(3), 1)):
        near = np.abs(sheet.astype(int) - color).max(axis=2) < 8  # contours and plates
        filled = np.flatnonzero(near.sum(axis=1) > 10)
        assert 1 + (np.diff(filled) > 40).sum() == rows  # truth and prediction, or one of them
    assert run(monkeypatch, '--video', 'second') == 0  # without objects or tracks
