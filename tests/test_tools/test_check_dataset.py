import json
import runpy
import sys

import pytest
from helpers import REPOSITORY

from mmvseg.datasets.shapes import ShapesOptions, ShapesRequest, write_shapes

TOOL = REPOSITORY / 'tools/dataset_converters/check_dataset.py'


@pytest.fixture
def run(monkeypatch, capsys):
    def _run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            runpy.run_path(str(TOOL), run_name='__main__')
        captured = capsys.readouterr()
        return exit_.value.code, (captured.out + captured.err).rstrip()

    return _run


@pytest.fixture
def shapes(tmp_path):
    options = ShapesOptions(height=32, width=40, length=2)
    write_shapes(tmp_path / 'set', ShapesRequest(options, train=1, val=0))
    return tmp_path / 'set/train.json', tmp_path / 'set/train/JPEGImages'


def test_sound(run, shapes):
    status, text = run(*shapes)
    assert status == 0
    assert 'no problems' in text
    content = json.loads(shapes[0].read_text())
    content['annotations'] = None
    shapes[0].write_text(json.dumps(content))
    status, text = run(*shapes)
    assert status == 0
    assert 'it has no annotations' in text


def test_problems(run, shapes):
    content = json.loads(shapes[0].read_text())
    content['annotations'][0]['category_id'] = 99
    shapes[0].write_text(json.dumps(content))
    (shapes[1] / 'shapes_00000/00001.jpg').unlink()
    status, text = run(*shapes)
    assert status == 1
    assert 'video 1, annotation 1, category_id: unknown category 99' in text
    assert '00001.jpg: video 1, frame 1, frame: missing file' in text
    assert '2 problems: 1 in category_id, 1 in frame' in text
    status, text = run(shapes[0], '--no-frames')
    assert status == 1
    assert '1 problem: 1 in category_id' in text


def test_needs_a_root(run, shapes, tmp_path):
    status, text = run(shapes[0])
    assert status == 1
    assert '--no-frames' in text
    status, text = run(shapes[0], tmp_path / 'nowhere')
    assert status == 1
    assert 'no such folder' in text


def test_vipseg(run, tmp_path):
    options = ShapesOptions(height=32, width=40, length=2)
    write_shapes(tmp_path / 'set', ShapesRequest(options, train=1, val=0, layout='vipseg'))
    ann_file, images = tmp_path / 'set/panoptic_gt_VIPSeg_train.json', tmp_path / 'set/images'
    assert run(ann_file, images) == (0, f'{ann_file}: no problems')
    (tmp_path / 'set/panomasksRGB').rename(tmp_path / 'elsewhere')
    status, text = run(ann_file, images)
    assert status == 1
    assert '2 problems: 2 in mask' in text
    assert run(ann_file, images, '--masks', tmp_path / 'elsewhere')[0] == 0
    assert run(ann_file, '--no-frames')[0] == 0
    status, text = run(ann_file, images, '--masks', tmp_path / 'nowhere')
    assert status == 1
    assert 'nowhere: no such folder' in text


def test_vspw(run, tmp_path):
    options = ShapesOptions(height=32, width=40, length=2)
    write_shapes(tmp_path / 'set', ShapesRequest(options, train=1, val=1, layout='vspw'))
    listing = tmp_path / 'set/val.txt'
    for path in (listing, tmp_path / 'set'):
        assert run(path) == (0, f'{path}: no problems')
    (mask, _) = sorted((tmp_path / 'set/data').glob('val_*/mask/*'))
    mask.write_bytes(b'')
    assert run(listing, '--no-frames')[0] == 0
    status, text = run(listing)
    assert status == 1
    assert (
        f'{mask}: video val_00000, frame 0, mask: not a readable image (not a PNG, 0 bytes)' in text
    )
    (tmp_path / 'set/data').rename(tmp_path / 'set/videos')
    status, text = run(listing)
    assert status == 1
    assert 'give the folder of the videos as ROOT' in text
    listing.write_text('\nval_00000\r\n')
    assert '3 problems: 2 in line, 1 in mask' in run(listing, tmp_path / 'set/videos')[1]


def test_notes_are_no_problems(run, tmp_path):
    options = ShapesOptions(height=32, width=40, length=2)
    write_shapes(tmp_path / 'set', ShapesRequest(options, train=1, val=0, layout='vspw'))
    for path in list((tmp_path / 'set/data').glob('*/mask')):
        path.rename(tmp_path / 'hidden')
    listing = tmp_path / 'set/train.txt'
    note = f'note: {listing}: annotations: it has no annotations\n'
    assert run(listing) == (0, f'{note}{listing}: no problems')


def test_other_file(run, tmp_path):
    (tmp_path / 'x.json').write_text('{"images": []}')
    status, text = run(tmp_path / 'x.json', '--no-frames')
    assert status == 1
    assert "not a COCO instance file (no list 'annotations')" in text


def test_names_cannot_steer_the_terminal(run, tmp_path):
    (tmp_path / 'data').mkdir()
    listing = tmp_path / 'val.txt'
    listing.write_text('\x1b[31mred\x1b]0;title\x07\n')
    status, text = run(listing)
    assert status == 1
    assert r'video \x1b[31mred\x1b]0;title\x07, video: there is no folder' in text
    assert text.replace('\n', '').isprintable()


def test_frames_that_declare_too_much_do_not_hide_the_rest(run, shapes):
    first, second, *_ = sorted(shapes[1].glob('*/*'))
    header = bytes.fromhex('89504e470d0a1a0a0000000d494844520000ea600000ea600802000000')
    first.write_bytes(header)
    second.write_bytes(b'')
    status, text = run(*shapes)
    assert status == 1
    assert f'{first}: video 1, frame 0, frame: not a readable image (declares 60000 x 6' in text
    assert f'{second}: video 1, frame 1, frame: not a readable image (0 bytes)' in text
    assert '2 problems: 2 in frame' in text


def test_names_and_links_that_lead_out(run, shapes, tmp_path):
    folder = shapes[1] / 'shapes_00000'
    folder.rename(tmp_path / 'elsewhere')
    folder.symlink_to(tmp_path / 'elsewhere')
    status, text = run(*shapes)
    assert (status, text.count('frame: a link leads out of the folder')) == (1, 2)
    assert run(*shapes, '--allow-outside-root')[0] == 0
    content = json.loads(shapes[0].read_text())
    content['videos'][0]['file_names'][1] = str(tmp_path / 'elsewhere/00001.jpg')
    shapes[0].write_text(json.dumps(content))
    status, text = run(*shapes)
    assert status == 1
    assert 'leaves the folder of the frames' in text
    assert '2 problems: 1 in file_names, 1 in frame' in text  # what leads out is not opened
    assert run(*shapes, '--allow-outside-root')[0] == 0
    (tmp_path / 'link').symlink_to(shapes[1].parent)  # above the root, links are the user's own
    assert run(shapes[0], tmp_path / 'link/JPEGImages', '--allow-outside-root')[0] == 0


@pytest.mark.parametrize(('layout', 'masks'), [('vipseg', 'panomasksRGB'), ('vspw', 'data')])
def test_links_in_maps(run, tmp_path, layout, masks):
    options = ShapesOptions(height=32, width=40, length=2)
    write_shapes(tmp_path / 'set', ShapesRequest(options, train=1, val=0, layout=layout))
    names = dict(vipseg=('panoptic_gt_VIPSeg_train.json', 'images'), vspw=('train.txt', 'data'))
    args = [tmp_path / 'set' / name for name in names[layout]]
    assert run(*args)[0] == 0
    file = next((tmp_path / 'set' / masks).rglob('*.png'))
    file.rename(tmp_path / 'mask.png')
    file.symlink_to(tmp_path / 'mask.png')
    status, text = run(*args)
    assert (status, text.count('mask: a link leads out of the folder')) == (1, 1)
    assert run(*args, '--allow-outside-root')[0] == 0
