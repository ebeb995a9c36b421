"""Videos that name classes, as those of BURST: the ids change with the classes."""

import pytest
from edit_scenes import opened, plain, scene

from mmvseg.formats.edits.merge import merge
from mmvseg.formats.edits.remap import remap
from mmvseg.formats.edits.subset import Wanted, subset


@pytest.fixture
def made():
    made = scene(['0', '1'], ('a', 'b', 'c', 'd'))
    made['videos'][0] |= dict(neg_category_ids=[4, 3, 2], not_exhaustive_category_ids=[1])
    return made


def lists(contents):
    first, second = plain(contents)['videos'][:2]
    assert 'neg_category_ids' not in second
    return first['neg_category_ids'], first['not_exhaustive_category_ids']


def test_they_stay_where_nothing_changes(made, tmp_path):
    contents = opened(tmp_path / 'x.json', made)
    assert plain(remap(contents, {'a': 'x'}))['videos'] == made['videos']
    assert plain(subset(contents, Wanted(classes=[*'abcd'])))['videos'] == made['videos']


def test_classes_that_go(made, tmp_path):
    contents = opened(tmp_path / 'x.json', made)
    assert lists(subset(contents, Wanted(classes=['b', 'a']))) == ([2], [1])
    assert lists(remap(contents, {'a': None, 'c': None})) == ([2, 4], [])


def test_classes_that_become_one(made, tmp_path):
    contents = opened(tmp_path / 'x.json', made)
    assert lists(remap(contents, {'b': 'c'})) == ([3, 4], [1])
    # not all of its classes are absent, some are partly annotated
    assert lists(remap(contents, {'a': 'b'})) == ([3, 4], [2])


def test_merged(made, tmp_path):
    first = opened(tmp_path / 'x.json', scene(['0'], ('c', 'x'), first=9))
    merged = plain(merge([first, opened(tmp_path / 'y.json', made)]))
    names = {category['id']: category['name'] for category in merged['categories']}
    video = merged['videos'][1]
    assert [names[i] for i in video['neg_category_ids']] == ['b', 'c', 'd']
    assert [names[i] for i in video['not_exhaustive_category_ids']] == ['a']
