"""Other classes."""

import pytest
from edit_scenes import opened, plain, scene

from mmvseg.errors import UserError
from mmvseg.formats.categories import load_table
from mmvseg.formats.edits.remap import remap


@pytest.fixture
def contents(tmp_path):
    made = scene(['0', '12', '3', '012'], ('red car', 'van', 'café', 'dog'))
    return opened(tmp_path / 'ann.json', made)


def classes(part):
    return [(c['id'], c['name']) for c in plain(part)['categories']]


def class_ids(part):
    return [entry.values.category_id for entry in part.objects]


def test_rename(contents):
    found = remap(contents, {'van': 'bus', 'cafe\u0301': 'bar'})
    assert classes(found) == [(1, 'red car'), (2, 'bus'), (3, 'bar'), (4, 'dog')]
    assert plain(found)['annotations'] == plain(contents)['annotations']
    assert plain(found)['videos'] == plain(contents)['videos']
    assert plain(found)['categories'][1]['supercategory'] == 'thing'


def test_classes_of_one_name_become_one(contents):
    found = remap(contents, {'red car': 'car', 'van': 'car'})
    assert classes(found) == [(1, 'car'), (3, 'café'), (4, 'dog')]
    assert class_ids(found) == [1, 1, 3, 4, 1, 1, 3]
    # a class that has the name stands for all
    found = remap(contents, {'red car': 'van'})
    assert classes(found) == [(2, 'van'), (3, 'café'), (4, 'dog')]
    assert class_ids(found) == [2, 2, 3, 4, 2, 2, 3]
    written = plain(found)['annotations']
    assert [entry['id'] for entry in written] == list(range(1, 8))
    assert written[0]['track'] == 'v/1'


def test_two_classes_change_their_names(contents):
    found = remap(contents, {'van': 'dog', 'dog': 'van'})
    assert classes(found) == [(1, 'red car'), (2, 'dog'), (3, 'café'), (4, 'van')]
    assert class_ids(found) == class_ids(contents)


def test_leave_out(contents):
    found = remap(contents, {'van': None, 'dog': None})
    assert classes(found) == [(1, 'red car'), (3, 'café')]
    assert class_ids(found) == [1, 3, 1, 3]
    assert len(found.videos) == 4


def test_classes_of_a_published_data_set(contents):
    table = load_table('ytvis_2019')
    names = {category.name: category.id for category in table}
    found = remap(contents, {'red car': 'sedan', 'van': 'truck', 'café': None}, table)
    assert classes(found) == [(category.id, category.name) for category in table]
    sedan, truck, dog = names['sedan'], names['truck'], names['dog']
    assert class_ids(found) == [sedan, truck, dog, sedan, truck]
    with pytest.raises(UserError) as error:
        remap(contents, {'red car': 'sedam', 'café': None}, table)
    assert "'sedam', 'van'; close to it: sedan" in str(error.value)


def test_refusals(contents):
    with pytest.raises(UserError, match="has no class 'vans'; close to it: van"):
        remap(contents, {'vans': 'x'})
    with pytest.raises(UserError, match='no class would be left'):
        remap(contents, dict.fromkeys(('red car', 'van', 'café', 'dog')))


def test_without_annotations(tmp_path):
    made = scene(['0'], ('a', 'b')) | dict(annotations=None)
    found = remap(opened(tmp_path / 'x.json', made), {'a': 'b'})
    assert found.objects is None
    assert classes(found) == [(2, 'b')]
