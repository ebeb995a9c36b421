"""Lists, folders and classes of VSPW: all who read them take and refuse the same."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from mmvseg.datasets import VSPWDataset
from mmvseg.errors import UserError
from mmvseg.evaluation.semantic_scores import evaluate_vss
from mmvseg.formats.problems import Level, strictly
from mmvseg.formats.vspw import (
    find_video,
    load_semantic_truth,
    read_categories,
    read_video_names,
)
from mmvseg.formats.vspw_checker import check_vspw

CATEGORIES = [dict(id=0, name='wall'), dict(id=3, name='cat', isthing=1)]
FRAMES = ('5', '10', '15', '20')


def make_video(folder, names=FRAMES):
    """A video whose frames and maps tell their place by their values."""
    for name in ('origin', 'mask'):
        (folder / name).mkdir(parents=True)
    for t, name in enumerate(names):
        values = np.full((4, 6), 1 + 3 * (t % 2), np.uint8)
        Image.fromarray(values).save(folder / f'mask/{name}.png')
        Image.fromarray(np.full((4, 6, 3), 10 * t, np.uint8)).save(folder / f'origin/{name}.jpg')


@pytest.fixture
def root(tmp_path):
    for video in ('a', 'b'):
        make_video(tmp_path / 'data' / video)
    (tmp_path / 'val.txt').write_text('a\nb\n')
    (tmp_path / 'categories.json').write_text(json.dumps(CATEGORIES))
    return tmp_path


def dataset(root, **options):
    prefix = dict(img=str(root / 'data'))
    return VSPWDataset(str(root / 'val.txt'), data_prefix=prefix, min_size=1, **options)


def faults(root):
    problems = check_vspw(root / 'val.txt', None, False)
    return [str(problem) for problem in problems if problem.level is Level.FAULT]


def names_of(paths):
    return [str(path).rpartition('/')[2].partition('.')[0] for path in paths]


def test_frames_and_maps_are_in_natural_order(root):
    record = dataset(root).video_record(0)
    assert names_of(record['frames']) == names_of(record['masks']) == list(FRAMES)
    truth = load_semantic_truth(root / 'val.txt', root / 'data')
    assert {video: names_of(masks) for video, masks in truth.masks.items()} == {
        'a': list(FRAMES),
        'b': list(FRAMES),
    }


@pytest.mark.parametrize('listing', ['a\nb\n', '\ufeffa\r\n\r\nb', ' a\t\n\n b \n'])
def test_lists_are_read_by_one_rule(root, listing):
    (root / 'val.txt').write_bytes(listing.encode())
    assert strictly(read_video_names(root / 'val.txt')) == ['a', 'b']
    assert dataset(root).video_ids == ['a', 'b']
    assert [*load_semantic_truth(root / 'val.txt', root / 'data').masks] == ['a', 'b']
    assert faults(root) == []


@pytest.mark.parametrize('name', ['../data/a', '/data', 'a/../b', '.', 'a\0', 'x' * 256, 'é' * 200])
def test_names_that_lead_elsewhere_are_refused_by_all(root, name):
    (root / 'val.txt').write_text(f'a\n{name}\n')
    (fault,) = faults(root)
    assert 'line 2: ' in fault
    assert len(fault) < len(str(root)) + 150
    for read in (dataset, lambda root: load_semantic_truth(root / 'val.txt', root / 'data')):
        with pytest.raises(UserError) as caught:
            read(root)
        assert str(caught.value).startswith(fault)


@pytest.mark.parametrize('suffix', ['.JPG', '.png'])
def test_frames_of_other_suffixes(root, suffix):
    frames = root / 'data/b/origin'
    for frame in [*frames.iterdir()]:
        frame.rename(frame.with_suffix(suffix))
    video = dataset(root, test_mode=True).video_record(1)
    assert [Path(path).name for path in video['frames']] == [
        f'{Path(name).stem}{suffix}' for name in FRAMES
    ]
    assert faults(root) == []


def test_pictures_that_are_no_frames_are_named(root):
    make_video(root / 'data/c', ['1'])
    (root / 'data/c/origin/1_mask.png').touch()
    (root / 'data/c/mask/2.JPG').touch()
    problems = [str(problem) for problem in find_video('val.txt', root / 'data', 'c')]
    assert problems == [
        f'{root}/data/c/origin: video c, frame: 1 pictures are masks by their names and left out: '
        '1_mask.png ...',
        f'{root}/data/c/mask: video c, suffix: *.JPG are not read, only *.png',
    ]
    (root / 'data/c/origin/1.png').touch()
    first = next(iter(find_video('val.txt', root / 'data', 'c')))
    assert '1.jpg and 1.png are two pictures of one frame' in str(first)


def test_hidden_files_are_no_frames(root):
    (root / 'data/a/origin/._5.jpg').write_bytes(b'a file of macOS')
    assert dataset(root).video_record(0)['length'] == len(FRAMES)
    assert faults(root) == []


def test_maps_without_frames(root):
    (root / 'data/b/origin/10.jpg').unlink()
    with pytest.raises(UserError, match=r'10\.png: video b, frame: no origin/10\.jpg'):
        load_semantic_truth(root / 'val.txt', root / 'data')
    with pytest.raises(UserError, match=r'10\.png: video b, frame: no origin/10\.jpg'):
        dataset(root)
    # the official evaluator needs no frames at all
    shutil.rmtree(root / 'data/b/origin')
    assert len(load_semantic_truth(root / 'val.txt', root / 'data').masks['b']) == len(FRAMES)
    with pytest.raises(UserError, match=r'b/origin: video b, frame: no \*\.jpg here'):
        dataset(root)


def test_classes(root):
    categories = strictly(read_categories(root / 'val.txt', root / 'data'))
    assert [(c.id, c.name, c.is_thing) for c in categories] == [
        (0, 'wall', False),
        (3, 'cat', True),
    ]
    text = (root / 'categories.json').read_text()
    (root / 'categories.json').write_bytes(b'\xef\xbb\xbf' + text.encode())  # of a Windows editor
    assert dataset(root).metainfo['classes'] == ('cat', 'wall')
    assert load_semantic_truth(root / 'val.txt', root / 'data').num_classes == 4
    (root / 'categories.json').unlink()
    truth = load_semantic_truth(root / 'val.txt', root / 'data')
    assert (truth.num_classes, truth.names[0]) == (124, 'wall')


@pytest.mark.parametrize('text', ['[' * 5000, '{}', '[', '', '[]', 'NaN', '\0'])
def test_files_that_list_no_classes(root, text):
    (root / 'categories.json').write_text(text)
    with pytest.raises(UserError, match=r'categories\.json: '):
        dataset(root)
    with pytest.raises(UserError, match=r'categories\.json: '):
        load_semantic_truth(root / 'val.txt', root / 'data')


LINES = st.sampled_from(
    ['a', 'b', ' b', 'b\r', '', 'a/', './b', '../a', '/', 'c', 'x' * 300, 'a\0', '\ufeffa', '\x85b']
)
VALUES = st.one_of(
    st.sampled_from([-1, 0, 1, 3, 253, 254, 2**70, True, None, 'wall', 'x', [], {}, 0.5, '\x1b']),
    st.integers(-3, 300),
)
ENTRIES = st.one_of(
    st.fixed_dictionaries(
        dict(id=st.integers(0, 9), name=st.text(max_size=3)),
        optional=dict(isthing=st.sampled_from([0, 1, True])),
    ),
    st.dictionaries(st.sampled_from(['id', 'name', 'isthing', 'color', 'more']), VALUES),
    VALUES,
)


@pytest.fixture(scope='module')
def shared(tmp_path_factory):
    """A set that the property writes lists and classes beside, and its maps as predictions."""
    root = tmp_path_factory.mktemp('vspw')
    for video in ('a', 'b'):
        make_video(root / 'data' / video, ['5', '10'])
        (root / 'pred' / video).mkdir(parents=True)
        for name in ('5', '10'):
            picture = Image.fromarray(np.zeros((4, 6), np.uint8))
            picture.save(root / f'pred/{video}/{name}.png')
    return root


@given(
    st.lists(LINES, max_size=4),
    st.sampled_from(['\n', '']),
    st.sampled_from([b'', b'\xef\xbb\xbf']),
    st.one_of(st.none(), st.lists(ENTRIES, max_size=3), VALUES),
)
@example(['a', 'b'], '\n', b'', CATEGORIES)
@example(['a', 'b\r'], '', b'\xef\xbb\xbf', None)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_all_who_read_agree(shared, lines, end, mark, categories):
    (shared / 'val.txt').write_bytes(mark + ('\n'.join(lines) + end).encode())
    path = shared / 'categories.json'
    path.unlink(missing_ok=True)
    if categories is not None:
        path.write_text(json.dumps(categories))

    def accepts(read):
        try:
            return not read()
        except UserError:
            return False

    def evaluate():
        truth = load_semantic_truth(shared / 'val.txt', shared / 'data')
        if not truth.masks:
            raise UserError('mmvseg evaluate has nothing to compare with')
        stats = evaluate_vss(truth, shared / 'pred').stats()
        assert 0 <= stats['Acc'] <= 1 or np.isnan(stats['Acc'])

    readers = dict(
        checker=lambda: faults(shared),
        training=lambda: dataset(shared).metainfo is None,
        testing=lambda: dataset(shared, test_mode=True).metainfo is None,
        evaluation=evaluate,
    )
    verdicts = {name: accepts(read) for name, read in readers.items()}
    assert len(set(verdicts.values())) == 1, verdicts
