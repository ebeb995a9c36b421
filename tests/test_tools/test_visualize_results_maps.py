"""Drawing folders of panoptic and semantic results."""

import csv
import importlib.util
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import REPOSITORY
from map_results import (
    FRAMES,
    IDS,
    LABELS,
    index_map,
    write_json,
    write_png,
    write_vps,
    write_vss,
)
from map_squares import META
from PIL import Image

from mmvseg.media import open_source
from mmvseg.media.images import read_image
from mmvseg.visualization import track_color

path = REPOSITORY / 'tools/visualize_results.py'
spec = importlib.util.spec_from_file_location('visualize_results', path)
visualize_results = importlib.util.module_from_spec(spec)
spec.loader.exec_module(visualize_results)

SCALE = 7


@pytest.fixture
def vps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_vps()
    return tmp_path


@pytest.fixture
def vss(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_vss()
    return tmp_path


def change_json(name, change):
    content = json.loads(Path(name).read_text())
    change(content)
    write_json(name, content)


def run(monkeypatch, ann, *options, results='pred'):
    arguments = ['visualize_results.py', results, '--ann', ann, '--out', 'out', *options]
    monkeypatch.setattr('sys.argv', arguments)
    with pytest.raises(SystemExit) as ended:
        visualize_results.main()
    return ended.value.code


def run_vps(monkeypatch, *options):
    return run(monkeypatch, 'gt/panoptic_gt_val.json', *options)


def run_vss(monkeypatch, *options):
    return run(monkeypatch, 'gt/val.txt', *options)


def read_rows(name):
    with open(name) as file:
        return list(csv.DictReader(file))


def at(image, row, column):
    return image.astype(int)[int((row + 0.5) * SCALE), int((column + 0.5) * SCALE)]


def is_tinted(image, row, column, color, background=60):
    return np.abs(at(image, row, column) - (np.array(color) + background) / 2).max() < 30


def test_overlays_of_segments(vps, monkeypatch, capsys):
    assert run_vps(monkeypatch) == 0
    assert 'out: 2 videos with 8 segments' in capsys.readouterr().out
    overlay = open_source('out/overlays/first.mp4')
    assert (overlay.fps, overlay.length, overlay.size) == (6, FRAMES, (48 * SCALE, 64 * SCALE))
    for index, _, image in overlay:
        assert is_tinted(image, 8, 5 + 3 * index, track_color(1), np.array((230, 20, 20)))
        assert is_tinted(image, 22, 58, META['palette'][2])
        assert is_tinted(image, 46, 2, META['palette'][3])
        assert np.abs(at(image, 30, 62) - 60).max() < 12  # void


def test_id_masks_and_table_of_segments(vps, monkeypatch):
    assert run_vps(monkeypatch, '--video', 'second') == 0
    image = Image.open('out/id_masks/second/00000003.png')
    ids = np.array(image)
    np.testing.assert_array_equal(ids, np.array([1, 2, 3, 4, 0])[index_map(1)])
    assert tuple(image.getpalette()[3:15]) == (
        *(*track_color(1), *track_color(2)),
        *(*META['palette'][2], *META['palette'][3]),
    )
    rows = read_rows('out/segments.csv')
    assert [row['png_id'] for row in rows] == [str(i) for i in IDS] * FRAMES
    red = rows[4]
    assert (red['video'], red['segment'], red['category'], red['category_id']) == (
        *('second', '1', 'red', '7'),
    )
    assert (red['isthing'], red['frame'], red['file']) == ('1', '1', 'second/00000003.jpg')
    box = [int(red[key]) for key in ('x1', 'y1', 'x2', 'y2', 'area')]
    assert box == [5, 4, 21, 20, 256]
    assert {row['isthing'] for row in rows if row['category'] == 'wall'} == {'0'}


def test_an_id_that_changes_its_class_is_two_segments(vps, monkeypatch):
    def change(content):
        frame = content['annotations'][0]['annotations'][2]
        frame['segments_info'][0]['category_id'] = LABELS['green']

    change_json('pred/pred.json', change)
    assert run_vps(monkeypatch, '--video', 'first') == 0
    rows = [row for row in read_rows('out/segments.csv') if row['png_id'] == str(IDS[0])]
    assert [(row['segment'], row['category']) for row in rows] == [
        *[('1', 'red')] * 2,
        ('5', 'green'),
    ]


@pytest.mark.parametrize('has_truth', [True, False])
def test_contact_sheet_of_segments(vps, monkeypatch, has_truth):
    if not has_truth:
        change_json('gt/panoptic_gt_val.json', lambda content: content.pop('annotations'))
        shutil.rmtree('gt/panomasksRGB')
    assert run_vps(monkeypatch, '--contact-sheet', '1') == 0
    sheet = read_image('out/contact_sheet.png')
    rows = 3 if has_truth else 2
    assert 100 < sheet.shape[0] - rows * 222 < 190  # title, captions, legend
    floors = np.abs(sheet - (np.array(META['palette'][3]) + 60) / 2).max(axis=2) < 6
    assert floors.sum() > 0.25 * FRAMES * 288 * 216 * (rows - 1)


def test_overlays_of_classes(vss, monkeypatch, capsys):
    assert run_vss(monkeypatch) == 0
    assert 'out: 2 videos with 4 classes' in capsys.readouterr().out
    overlay = open_source('out/overlays/second.mp4')
    assert overlay.length == FRAMES
    assert overlay.size[0] > 48 * SCALE
    assert overlay.size[1] == 64 * SCALE
    for index, _, image in overlay:
        assert is_tinted(image, 8, 5 + 3 * index, META['palette'][0], np.array((230, 20, 20)))
        assert is_tinted(image, 22, 58, META['palette'][2])
        legend = image[48 * SCALE :].astype(int)
        assert (np.abs(legend - META['palette'][3]).max(axis=2) < 40).sum() > 40


def test_class_maps_and_table_of_classes(vss, monkeypatch):
    assert run_vss(monkeypatch, '--video', 'first') == 0
    image = Image.open('out/class_maps/first/00000001.png')
    written = np.array(image)
    np.testing.assert_array_equal(written, np.array(Image.open('pred/first/00000001.png')))
    assert tuple(image.getpalette()[:3]) == META['palette'][2]  # the wall's id is 0
    rows = read_rows('out/classes.csv')
    assert len(rows) == 4 * FRAMES
    red = next(row for row in rows if row['frame'] == '2' and row['category'] == 'red')
    assert (red['category_id'], red['area']) == ('7', '256')
    assert red['file'] == 'first/origin/00000002.jpg'


@pytest.mark.parametrize('has_truth', [True, False])
def test_contact_sheet_of_classes(vss, monkeypatch, has_truth):
    if not has_truth:
        for video in ('first', 'second'):
            shutil.rmtree(f'gt/data/{video}/mask')
    assert run_vss(monkeypatch, '--contact-sheet', '1') == 0
    sheet = read_image('out/contact_sheet.png')
    rows = 3 if has_truth else 2
    assert 100 < sheet.shape[0] - rows * 222 < 190  # title, captions, legend
    swatches = (sheet == META['palette'][3]).all(axis=2)
    assert swatches[-100:].sum() > 100  # the legend below


def test_root_elsewhere(vss, vps, monkeypatch):
    shutil.move('gt/images', 'frames')
    assert run_vps(monkeypatch) == 1
    assert run_vps(monkeypatch, '--root', 'frames') == 0


def test_kinds_are_told_apart(vps, monkeypatch, capsys):
    Path('empty').mkdir()
    assert run(monkeypatch, 'gt/panoptic_gt_val.json', results='empty') == 1
    assert 'empty: holds no results: neither pred.json' in capsys.readouterr().err
    assert run(monkeypatch, 'gt.json', results='results.json') == 1
    assert '--root: needed to find the frames of a results.json' in capsys.readouterr().err


def first_segment(content):
    return content['annotations'][0]['annotations'][1]['segments_info'][0]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda c: c['annotations'].pop(1), 'pred.json: 1 of 2 videos'),
        (
            lambda c: c['annotations'][0]['annotations'].pop(),
            'video first, annotations: 2 entries, but the video has 3 frames',
        ),
        (
            lambda c: first_segment(c).update(category_id=99),
            'segment 70000, category_id: unknown category 99',
        ),
        (
            lambda c: c['annotations'][0]['annotations'][1]['segments_info'].pop(0),
            'pred/pan_pred/first/00000003.png: segment id 70000 is not in the json',
        ),
        (lambda c: c.pop('annotations'), 'pred/pred.json: not a list of predictions'),
    ],
)
def test_broken_lists_of_segments_are_named(vps, monkeypatch, capsys, change, message):
    change_json('pred/pred.json', change)
    assert run_vps(monkeypatch) == 1
    assert message in capsys.readouterr().err


def test_broken_maps_of_segments_are_named(vps, monkeypatch, capsys):
    png = Path('pred/pan_pred/first/00000003.png')
    cv2.imwrite(str(png), np.zeros((10, 10, 3), np.uint8))
    assert run_vps(monkeypatch) == 1
    assert '00000003.png: 10x10 pixels, the frames of the video have 64x48' in (
        capsys.readouterr().err
    )
    png.unlink()
    assert run_vps(monkeypatch) == 1
    assert '00000003.png: cannot be read' in capsys.readouterr().err
    assert run_vps(monkeypatch, '--video', 'third') == 1
    assert 'no video third among its 2' in capsys.readouterr().err


def test_broken_maps_of_classes_are_named(vss, monkeypatch, capsys):
    png = Path('pred/first/00000001.png')
    write_png(png, np.full((48, 64), 200))
    assert run_vss(monkeypatch) == 1
    assert '00000001.png: value 200 is the id of no class' in capsys.readouterr().err
    write_png(png, np.zeros((48, 60)))
    assert run_vss(monkeypatch) == 1
    assert '00000001.png: 60x48 pixels, the frames of the video have 64x48' in (
        capsys.readouterr().err
    )
    png.unlink()
    assert run_vss(monkeypatch) == 1
    assert 'video first: 1 of 3 frames have no result, e.g. pred/first/00000001.png' in (
        capsys.readouterr().err
    )
    write_png(Path('gt/data/second/mask/00000000.png'), np.zeros((48, 60)))
    assert run_vss(monkeypatch, '--video', 'second', '--contact-sheet') == 1
    assert 'mask/00000000.png: 60x48 pixels, the frames of the video have 64x48' in (
        capsys.readouterr().err
    )


def test_truth_of_no_class_is_drawn_as_void(vss, monkeypatch):
    sheets = []
    for value in (0, 77):
        for frame in range(FRAMES):
            write_png(Path(f'gt/data/first/mask/{frame:08d}.png'), np.full((48, 64), value))
        assert run_vss(monkeypatch, '--video', 'first', '--contact-sheet') == 0
        sheets.append(read_image('out/contact_sheet.png'))
    np.testing.assert_array_equal(*sheets)


@pytest.mark.parametrize('kind', ['vps', 'vss'])
def test_score_thr_is_refused(kind, request, monkeypatch, capsys):
    request.getfixturevalue(kind)
    runs = dict(vps=run_vps, vss=run_vss)
    assert runs[kind](monkeypatch, '--score-thr', '0.5') == 1
    assert '--score-thr: pred holds no scores' in capsys.readouterr().err
    assert runs[kind](monkeypatch, '--all-tracks') == 1
    assert '--all-tracks: of panoptic and semantic results' in capsys.readouterr().err
