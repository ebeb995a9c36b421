"""Names of classes from a file."""

import json

import pytest

from mmvseg.errors import UserError
from mmvseg.formats.labels.classes import read_classes


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        ({'2': 'dog', '5': 'cat'}, [('dog', 2), ('cat', 5)]),
        (['dog', 'cat'], [('dog', 1), ('cat', 2)]),
        ([{'id': 3, 'name': 'dog', 'x': 1}], [('dog', 3)]),
    ],
)
def test_json(tmp_path, content, expected):
    path = tmp_path / 'classes.json'
    path.write_text(json.dumps(content))
    assert [(c.name, c.id) for c in read_classes(path)] == expected


def test_text(tmp_path):
    path = tmp_path / 'classes.txt'
    path.write_text('\ufefftraffic light\n\nFußga\u0308nger\n', encoding='utf-8')
    names = [(c.name, c.id) for c in read_classes(path)]
    assert names == [('traffic light', 1), ('Fußg\u00e4nger', 2)]


@pytest.mark.parametrize(
    ('content', 'rule'),
    [
        ('{"a": "dog"}', 'must be'),
        ('3', 'must be'),
        ('{"1": 2}', 'must be'),
        ('[{"name": "dog"}]', 'must be'),
        ('["dog", "dog"]', '"dog" occurs twice'),
        ('{"1": "dog", "01": "cat"}', '1 occurs twice'),
        ('[]', 'has no classes'),
    ],
)
def test_other_files(tmp_path, content, rule):
    path = tmp_path / 'classes.json'
    path.write_text(content)
    with pytest.raises(UserError, match=rule):
        read_classes(path)
