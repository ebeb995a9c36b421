import json
import random

import numpy as np
import pytest
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.formats.vspw_checker import check_vspw, is_vspw


@pytest.fixture
def root(tmp_path):
    """Two videos of two frames, 20 x 30, of wall (value 1), train (124), void and unlabelled."""
    mask = np.ones((20, 30), np.uint8)
    mask[5:8], mask[9], mask[11] = 124, 0, 255
    for video in ('a', 'b'):
        folder = tmp_path / 'data' / video
        for name in ('origin', 'mask'):
            (folder / name).mkdir(parents=True)
        for t in range(2):
            Image.fromarray(mask).save(folder / f'mask/{t}.png')
            Image.fromarray(np.stack([mask] * 3, -1)).save(folder / f'origin/{t}.jpg')
    (tmp_path / 'val.txt').write_text('a\nb\n')
    return tmp_path


def problems_of(path, *args, notes=False):
    return [str(problem) for problem in check_vspw(path, *args) if notes or not problem.is_note]


def edit(path, change):
    mask = np.array(Image.open(path))
    change(mask)
    Image.fromarray(mask).save(path)


def test_sound_data_has_no_problems(root, tmp_path_factory):
    steps = []
    found = check_vspw(root / 'val.txt', None, True, steps.append, lambda: steps.append('step'))
    assert list(found) == []
    assert steps == [2, 'step', 'step']
    for path in (root, root / 'data'):
        assert is_vspw(path)
        assert problems_of(path, notes=True) == []
    elsewhere = tmp_path_factory.mktemp('lists') / 'some.txt'
    elsewhere.write_text('a\n')
    assert problems_of(elsewhere, root / 'data') == []


def test_folders_check_every_list(root):
    (root / 'train.txt').write_text('b\nc\n')
    assert problems_of(root) == [
        f'{root}/train.txt: video c, video: there is no folder {root}/data/c'
    ]


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('a\nb', "video b, line 2: official readers cut the last character of a line and read ''"),
        ('a\n\nb\n', 'line 2: is blank'),
        ('a\nb\na\n', 'video a, line 3: names the video again'),
        ('a\n./a\n', 'video ./a, line 2: names the video again'),
        (
            'a\r\nb\r\n',
            "video b, line 2: official readers cut the last character of a line and read 'b\\r'",
        ),
        ('', 'videos: names no video'),
        ('a\n' + 'x' * 5000 + '\n', '... is longer than the name of a folder can be'),
        ('a\nx\n', 'there is no folder'),
        (
            '\ufeffa\n',
            "line 1: official readers cut the last character of a line and read '\\ufeffa'",
        ),
        ('a\nx\0\n', "line 2: 'x\\x00' is not the name of a folder below that of the videos"),
        ('../a\n', "line 1: '../a' is not the name of a folder"),
        ('/a\n', "line 1: '/a' is not the name of a folder"),
        ('.\n', "line 1: '.' is not the name of a folder"),
    ],
)
def test_lists(root, text, expected):
    (root / 'val.txt').write_text(text)
    found = problems_of(root / 'val.txt')
    assert any(expected in problem for problem in found), found


def test_files_that_are_missing(root):
    data = root / 'data'
    (data / 'a/mask/1.png').unlink()
    (data / 'b/origin/0.jpg').unlink()
    expected = [
        f'{data}/a/origin/1.jpg: video a, frame 1, mask: no mask/1.png',
        f'{data}/b/mask/0.png: video b, frame: no origin/0.jpg',
    ]
    assert problems_of(root / 'val.txt') == expected
    assert problems_of(root / 'val.txt', None, False) == expected
    (data / 'b/origin/1.jpg').unlink()
    assert f'{data}/b/origin: video b, frame: no *.jpg here' in problems_of(root / 'val.txt')


def test_masks_may_be_absent_altogether(root):
    for path in list(root.glob('data/*/mask/*')):
        path.unlink()
    assert len(problems_of(root / 'val.txt')) == 4
    for path in list(root.glob('data/*/mask')):
        path.rmdir()
    (note,) = problems_of(root / 'val.txt', notes=True)
    assert note == f'note: {root}/val.txt: annotations: it has no annotations'


def test_each_picture(root):
    a, b = root / 'data/a', root / 'data/b'
    (a / 'origin/0.jpg').write_bytes(b'')
    edit(a / 'mask/0.png', lambda mask: mask.__setitem__((0, slice(3)), 200))
    (a / 'mask/1.png').write_bytes((a / 'mask/1.png').read_bytes()[:60])
    Image.fromarray(np.zeros((10, 30, 3), np.uint8)).save(b / 'origin/1.jpg')
    Image.fromarray(np.ones((10, 30), np.uint8)).save(b / 'mask/0.png')
    found = problems_of(root / 'val.txt')
    assert 'origin/0.jpg: video a, frame 0, frame: not a readable image' in found[0]
    assert found[1].endswith('0.png: video a, frame 0, mask: values of no class: 200 (3 pixels)')
    assert '1.png: video a, frame 1, mask: ' in found[2]
    assert (
        '0.png: video b, frame 0, mask: 30x10 pixels, the frames of the video have 30x20'
        in found[3]
    )
    assert '1.jpg: video b, frame 1, frame: 30x10 pixels, the first frame has 30x20' in found[4]
    assert len(found) == 5
    assert problems_of(root / 'val.txt', None, False) == []


def test_palette_masks_are_read_by_index(root):
    path = root / 'data/a/mask/0.png'
    values = np.asarray(Image.open(path))
    image = Image.fromarray(values)
    image.putpalette([7 * value % 256 for value in range(768)])
    assert image.mode == 'P'
    image.save(path)
    assert problems_of(root / 'val.txt') == []


@pytest.mark.parametrize('mode', ['RGB', '1', 'I;16', 'LA'])
def test_other_pngs(root, mode):
    path = root / 'data/a/mask/0.png'
    grey = Image.open(path)
    if mode == 'I;16':
        Image.fromarray(np.asarray(grey, np.uint16)).save(path)
    else:
        grey.convert(mode).save(path)
    (found,) = problems_of(root / 'val.txt')
    assert f'{path}: video a, frame 0, mask: ' in found
    assert 'a map of classes has one 8-bit channel, grey or palette, this is ' in found


def test_own_categories(root):
    path = root / 'categories.json'
    categories = [dict(id=0, name='wall', isthing=0), dict(id=123, name='train', isthing=1)]
    path.write_text(json.dumps(categories))
    assert problems_of(root) == []
    path.write_text(json.dumps(categories[:1]))
    assert len(problems_of(root / 'val.txt')) == 4
    path.write_text(json.dumps([*categories, dict(id=254, name='x', isthing=0)]))
    assert problems_of(root) == [f'{path}: id: 254 is not from 0 to 253']
    for text in ('{}', '[', '"a"'):
        path.write_text(text)
        with pytest.raises(UserError, match=r'categories\.json'):
            problems_of(root)


def test_notes(root):
    for path in root.glob('data/*/mask/*.png'):
        edit(path, lambda mask: np.subtract(mask, 1, out=mask, where=(mask > 0) & (mask < 255)))
    (note,) = problems_of(root, notes=True)
    assert note.startswith(f'note: {root}/val.txt: mask: ')
    assert '% of the pixels are 0, none is 124: are the classes coded from 0?' in note
    void = root / 'data/a/mask/0.png'
    for path in root.glob('data/*/mask/*.png'):
        edit(path, lambda mask: mask.fill(124))
    edit(void, lambda mask: mask.fill(0))
    (note,) = problems_of(root, notes=True)
    assert note.endswith(f'mask: 1 mask without a labelled pixel, the first is {void}')


def test_what_is_no_data_set(root, tmp_path):
    empty = tmp_path / 'empty'
    empty.mkdir()
    for path, words in (
        (empty, 'no data set'),
        (root / 'none.txt', 'cannot be read'),
        (empty / 'val.txt', 'no such folder'),
    ):
        with pytest.raises(UserError, match=words):
            problems_of(path)
    (root / 'bytes.txt').write_bytes(b'\xff\xfe')
    with pytest.raises(UserError, match='not a list of videos'):
        problems_of(root / 'bytes.txt')


def test_damaged_bytes_are_told_without_a_traceback(root):
    path = root / 'data/a/mask/0.png'
    sound = path.read_bytes()
    rng = random.Random(0)
    for _ in range(150):
        broken = bytearray(sound)
        for _ in range(rng.randint(1, 3)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        path.write_bytes(broken[: rng.randint(0, len(broken))] if rng.random() < 0.3 else broken)
        (root / 'val.txt').write_text('a\n')
        for problem in problems_of(root / 'val.txt'):
            assert str(path) in problem
