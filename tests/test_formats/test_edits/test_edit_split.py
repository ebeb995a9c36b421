"""Splits by videos."""

from fractions import Fraction

import pytest
from edit_scenes import opened, plain, scene

from mmvseg.errors import UserError
from mmvseg.formats.edits.split import split

#: Twenty videos: cats in all, dogs in half, a bird in five and a fish in one.
VIDEOS = ['0' + '1' * (v % 2) + '2' * (v % 4 == 0) + '3' * (v == 7) for v in range(20)]
NAMES = ('cat', 'dog', 'bird', 'fish')


@pytest.fixture
def contents(tmp_path):
    return opened(tmp_path / 'ann.json', scene(VIDEOS, NAMES))


def video_ids(part):
    return [entry.values.id for entry in part.videos]


def test_the_split_of_this_file_never_changes(contents):
    """Others measure on these videos: a new version must give the same."""
    assert video_ids(split(contents, Fraction('0.2'), 0).val) == [4, 7, 14, 17]
    assert video_ids(split(contents, 4, 0).val) == [4, 7, 14, 17]
    assert video_ids(split(contents, 4, 1).val) == [1, 11, 16, 20]
    assert video_ids(split(contents, 4, 2021).val) == [4, 5, 6, 15]


def test_parts_are_the_file(contents, tmp_path):
    whole, parts = scene(VIDEOS, NAMES), split(contents, 4, 0)
    train, val = plain(parts.train), plain(parts.val)
    assert train['categories'] == val['categories'] == whole['categories']
    for key in ('videos', 'annotations'):
        together = sorted(train[key] + val[key], key=lambda entry: entry['id'])
        assert together == whole[key]
        assert train[key] == sorted(train[key], key=lambda entry: entry['id'])
    for part in (train, val):
        ids = {video['id'] for video in part['videos']}
        assert {entry['video_id'] for entry in part['annotations']} == ids


def test_each_class_is_counted(contents):
    found = split(contents, 4, 0).classes
    assert [(c.name, c.videos, c.objects, c.val_objects) for c in found] == [
        ('cat', 20, 20, 4),
        ('dog', 10, 10, 2),
        ('bird', 5, 5, 1),
        ('fish', 1, 1, 0),
    ]


@pytest.mark.parametrize(
    ('val', 'number'), [('0.1', 2), ('0.125', 3), ('0.001', 1), ('0.94', 19), ('1/3', 7)]
)
def test_sizes(contents, val, number):
    parts = split(contents, Fraction(val), 0)
    assert (len(parts.val.videos), len(parts.train.videos)) == (number, 20 - number)
    assert len(split(contents, number, 0).val.videos) == number


def test_no_video_to_train_on(contents, tmp_path):
    for val in (20, 21, Fraction('0.99')):
        with pytest.raises(UserError, match='would leave none to train on'):
            split(contents, val, 0)
    with pytest.raises(UserError, match=r'ann\.json: 1 video, of which 1 to validate on'):
        split(opened(tmp_path / 'ann.json', scene(['0'])), Fraction(1, 2), 0)


@pytest.mark.parametrize('annotations', [None, []])
def test_without_annotations(tmp_path, annotations):
    made = scene(['0', '1']) | dict(annotations=annotations)
    with pytest.raises(UserError, match='it has no annotations'):
        split(opened(tmp_path / 'ann.json', made), 1, 0)
