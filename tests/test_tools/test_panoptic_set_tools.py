"""Checking, scoring and drawing made sets in the forms of STEP and Cityscapes-VPS."""

import json
import zipfile

import cv2
import numpy as np
import pytest
from panoptic_files import edit_json, write_ids
from panoptic_sets import (
    VOID,
    image_id,
    mask_name,
    picture_name,
    pixels,
    write_cityscapes_predictions,
    write_cityscapes_vps,
    write_picture,
    write_step,
    write_step_map,
    write_step_maps,
)
from tool import run_tool

from mmvseg.commands.arguments import STEP_CLASSES
from mmvseg.formats.step import VERSIONS

ROAD, PERSON, CAR = 0, 11, 13
FRAME = pixels([(ROAD, 0), (PERSON, 1), (CAR, 1)], [(CAR, 2), (CAR, 0), (VOID, 0)])
SEQUENCES = {'0002': [FRAME] * 2, '0010': [FRAME[:1]]}
IDS = np.array([[1, 300, 300], [2, 70000, 0]])
KITTI = ('--classes', 'kitti_step')


@pytest.fixture
def run(capsys):
    def run(tool, *args):
        status = run_tool(tool, *map(str, args))
        shown = capsys.readouterr()
        return status, shown.out, shown.err

    return run


@pytest.fixture
def check(run):
    def check(*args):
        status, out, err = run('dataset_converters/check_dataset', *args)
        return status, (out + err).rstrip()

    return check


@pytest.fixture
def step(tmp_path):
    """Folders of maps and pictures."""
    return write_step(tmp_path, SEQUENCES), tmp_path / 'images/val'


@pytest.fixture
def cityscapes(tmp_path):
    """A json, the folder of its pictures."""
    frames = {'0001': [IDS] * 6}
    return write_cityscapes_vps(tmp_path, frames, pictures=True), tmp_path / 'val/img'


def test_a_sound_step_set(check, step):
    assert check(*step, *KITTI) == (0, f'{step[0]}: no problems')
    assert check(step[0], '--no-frames', *KITTI)[0] == 0
    status, text = check(step[0], *KITTI)
    assert (status, 'give the folder of the frames' in text) == (1, True)
    status, text = check(*step)
    assert (status, 'maps do not say what their classes are' in text) == (1, True)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (
            lambda maps, root: (maps / '0002/000001.png').unlink(),
            '0002/000001.png: video 0002, frame 1, mask: no map',
        ),
        (
            lambda maps, root: (root / '0002/000001.png').unlink(),
            '000001.png: video 0002, frame: no picture',
        ),
        (
            lambda maps, root: write_step_map(
                maps / '0010/000000.png', pixels([(ROAD, 0), (40, 0), (CAR, 1)])
            ),
            '0010/000000.png: video 0010, frame 0, mask: 1 pixel of class 40 (red channel)',
        ),
        (
            lambda maps, root: write_step_map(
                maps / '0010/000000.png', pixels([(ROAD, 3), (CAR, 1), (CAR, 1)])
            ),
            'mask: road is stuff, but has the number 3, not 0 (1 pixel)',
        ),
        (
            lambda maps, root: write_step_map(
                maps / '0010/000000.png', pixels([(ROAD, 0), (CAR, 1000), (CAR, 999)])
            ),
            'mask: car has the number 1000; readers that code 1000 * class + number end at 999',
        ),
        (
            lambda maps, root: write_step_map(maps / '0010/000000.png', FRAME),
            'mask: 3x2 pixels, the frames of the video have 3x1',
        ),
        (
            lambda maps, root: write_picture(
                root / '0002/000001.png', np.zeros((2, 4, 3), np.uint8)
            ),
            'video 0002, frame 1, frame: 4x2 pixels, the first frame has 3x2',
        ),
        (
            lambda maps, root: cv2.imwrite(
                str(maps / '0010/000000.png'), np.zeros((1, 3), np.uint8)
            ),
            'mask: a map of segment ids has three 8-bit channels (RGB), this is grey 8 bit',
        ),
    ],
)
def test_faults_of_a_step_set(check, step, change, words):
    change(*step)
    status, text = check(*step, *KITTI)
    assert status == 1
    assert words in text
    assert ' 1 problem: ' in text


def test_links_that_lead_out(check, step, tmp_path):
    for path in (step[0] / '0010/000000.png', step[1] / '0010/000000.png'):
        path.rename(tmp_path / f'{path.parent.parent.parent.name}.png')
        path.symlink_to(tmp_path / f'{path.parent.parent.parent.name}.png')
    status, text = check(*step, *KITTI)
    assert status == 1
    assert text.count('a link leads out of the folder') == 2
    assert check(*step, *KITTI, '--allow-outside-root')[0] == 0


def test_a_sound_cityscapes_set(check, cityscapes, tmp_path):
    path, root = cityscapes
    assert check(path, root) == (0, f'{path}: no problems')
    assert check(path, '--no-frames')[0] == 0
    (tmp_path / 'val/panoptic_video').rename(tmp_path / 'elsewhere')
    status, text = check(path, root)
    assert (status, '6 problems: 6 in mask' in text) == (1, True)
    assert check(path, root, '--masks', tmp_path / 'elsewhere')[0] == 0
    status, text = check(path, root, *KITTI)
    assert (status, '--classes: has no meaning for' in text) == (1, True)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (
            lambda c: c['annotations'][0]['segments_info'][1].update(area=9),
            'video 0001, frame 0, segment 2, area: 9, but the mask has 1',
        ),
        (
            lambda c: c['annotations'][0].update(file_name='a.png'),
            "frame 0, file_name: 'a.png', but the mask of the picture is '0001_0001",
        ),
        (
            lambda c: (c['images'].pop(), c['annotations'].pop()),
            '5 labelled frames; the official evaluation counts off 6 a video',
        ),
        (
            lambda c: c['annotations'][2]['segments_info'][0].update(category_id=8),
            'segment 1, category_id: 8, but 0 in earlier frames',
        ),
        (
            lambda c: (
                c['images'][0].update(id='0001_0009_x')
                or c['annotations'][0].update(image_id='0001_0009_x')
            ),
            "frame 0, id: '0001_0009_x', but the picture is '0001_0001",
        ),
    ],
)
def test_faults_of_a_cityscapes_set(check, cityscapes, change, words):
    edit_json(cityscapes[0], change)
    status, text = check(*cityscapes)
    assert status == 1
    assert words in text


def test_pictures_of_a_cityscapes_set(check, cityscapes, tmp_path):
    path, root = cityscapes
    (root / picture_name('0001', 3)).unlink()
    write_ids(tmp_path / 'val/panoptic_video' / mask_name('0001', 1), IDS * 0)
    status, text = check(path, root)
    assert status == 1
    assert 'leftImg8bit.png: video 0001, frame 3, frame: missing file' in text
    assert f'{mask_name("0001", 1)} has this id' in text


def test_step_results_are_scored(run, step, tmp_path):
    write_step_maps(tmp_path / 'pred', SEQUENCES)
    out = tmp_path / 'numbers.json'
    status, table, err = run('evaluate', 'stq', step[0], tmp_path / 'pred', *KITTI, '--out', out)
    assert (status, err) == (0, '')
    # the crowd is predicted as a car without number, which on it does no harm
    assert json.loads(out.read_text()) == dict(STQ=1, AQ=1, SQ=1)
    assert '| car (13)    | 100.0 |' in table
    with zipfile.ZipFile(tmp_path / 'pred.zip', 'w') as archive:
        for path in (tmp_path / 'pred').rglob('*.png'):
            archive.write(path, path.relative_to(tmp_path / 'pred'))
    status, table, err = run(
        'evaluate', 'vpq', step[0], tmp_path / 'pred.zip', *KITTI, '--out', out
    )
    assert status == 0
    numbers = json.loads(out.read_text())
    assert numbers['All']['2'] == 100
    assert numbers['All']['3'] is None
    assert 'windows of 3 frames is undefined' in err


def test_the_classes_to_choose_from_are_the_tables():
    assert STEP_CLASSES == VERSIONS


def test_what_scoring_refuses(run, step, cityscapes, tmp_path):
    write_step_maps(tmp_path / 'pred', {'0002': [FRAME] * 2})
    write_cityscapes_predictions(tmp_path / 'results', {'0001': [IDS] * 6})
    for args, status, words in (
        (('stq', step[0], tmp_path / 'pred'), 1, 'name them (kitti_step or motchallenge_step'),
        (('stq', step[0], tmp_path / 'pred', *KITTI), 1, 'sequence 0010: 1 of 1 frames have no'),
        (('stq', cityscapes[0], tmp_path / 'results'), 1, 'STQ is not defined for Cityscapes-VPS'),
        (('vss', step[0], tmp_path / 'pred', *KITTI), 2, '--classes is for vpq and stq'),
    ):
        found, out, err = run('evaluate', *args)
        assert (found, out) == (status, '')
        assert words in err


def test_cityscapes_results_are_scored(run, cityscapes, tmp_path):
    write_cityscapes_predictions(tmp_path / 'pred', {'0001': [IDS] * 6})
    out = tmp_path / 'numbers.json'
    # the folder does as well as the json
    status, table, _ = run('evaluate', 'vpq', tmp_path, tmp_path / 'pred', '--out', out)
    assert status == 0
    assert json.loads(out.read_text())['All'] == dict.fromkeys(
        ('k0', 'k5', 'k10', 'k15', 'mean_k0_k5_k10_k15'), 100
    )
    assert 'mean of k0, k5, k10, k15' in table


def test_drawing_takes_the_classes(run, step, tmp_path):
    write_step_maps(tmp_path / 'pred', SEQUENCES)
    args = (tmp_path / 'pred', '--ann', step[0], '--out', tmp_path / 'out')
    status, _, err = run('visualize_results', *args)
    assert (status, 'maps do not say' in err) == (1, True)
    assert run('visualize_results', *args, *KITTI, '--video', '0002')[0] == 0
    rows = (tmp_path / 'out/segments.csv').read_text().splitlines()
    assert {row.split(',')[0] for row in rows[1:]} == {'0002'}
    names = [row.split(',')[5] for row in rows[1:6]]
    assert sorted(names) == ['car', 'car', 'car', 'person', 'road']


def test_drawing_shows_the_labelled_frames(run, cityscapes, tmp_path):
    write_cityscapes_predictions(tmp_path / 'pred', {'0001': [IDS] * 6})
    args = (tmp_path / 'pred', '--ann', cityscapes[0], '--out', tmp_path / 'out')
    assert run('visualize_results', *args)[0] == 0
    assert len([*(tmp_path / 'out/id_masks/0001').iterdir()]) == 6
    rows = (tmp_path / 'out/segments.csv').read_text()
    assert picture_name('0001', 0) in rows
    assert image_id('0001', 5) in rows
    status, _, err = run('visualize_results', *args, *KITTI)
    assert (status, 'names its classes itself' in err) == (1, True)
