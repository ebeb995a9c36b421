import pytest
import torch

from mmvseg.checkpoints.class_notes import check_class_notes
from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.errors import UserError

SOUND = dict(classes=['cat', 'sky'], category_ids=[3, 7], palette=[(1, 2, 3), None])


@pytest.mark.parametrize(
    'notes',
    [
        None,
        {},
        dict(classes=None),
        dict(classes=[], category_ids=[1]),
        dict(classes='cat', category_ids=[1]),
        SOUND,
        dict(SOUND, palette='random'),
        dict(SOUND, palette=[(1, 2, 3)]),
        dict(SOUND, thing_classes=('cat',), stuff_classes=['sky']),
    ],
)
def test_sound_notes(notes):
    check_class_notes(dict(meta=dict(dataset_meta=notes)), 'a.pth')


@pytest.mark.parametrize(
    ('key', 'value', 'problem'),
    [
        ('classes', 5, 'is no list of names: 5'),
        ('classes', 0, 'is no list of names'),
        ('classes', dict(cat=1), 'is no list of names'),
        ('classes', ['cat', 3], 'is no list of names'),
        ('classes', [None], 'is no list of names'),
        ('category_ids', [1], r'has 1 entry for 2 classes: \[1\]'),
        ('category_ids', 7, 'is no list of whole numbers'),
        ('category_ids', ['1', '2'], 'is no list of whole numbers'),
        ('category_ids', [True, 2], 'is no list of whole numbers'),
        ('category_ids', [None, 2], 'is no list of whole numbers'),
        ('palette', [(1, 2), (3, 4)], 'is no list of colours'),
        ('palette', [(1, 2, 256), (0, 0, 0)], 'is no list of colours'),
        ('palette', 3, 'is no list of colours'),
        ('thing_classes', 1, 'is no list of names'),
        ('thing_classes', ['dog'], "names 'dog', which is not among the classes"),
        ('stuff_classes', [3], 'is no list of names'),
    ],
)
def test_notes_of_another_form(tmp_path, key, value, problem):
    path = tmp_path / 'a.pth'
    meta = dict(dataset_meta=dict(SOUND, **{key: value}))
    torch.save(dict(state_dict=dict(w=torch.ones(1)), meta=meta), path)
    with pytest.raises(UserError, match=rf'a\.pth: meta\.dataset_meta\.{key} {problem}'):
        load_checkpoint_file(path)


@pytest.mark.parametrize('value', [3, 'x', [1]])
def test_what_is_no_dict(value):
    with pytest.raises(UserError, match=r'checkpoint a\.pth: meta is no dict'):
        check_class_notes(dict(meta=value), 'a.pth')
    with pytest.raises(UserError, match=r'checkpoint a\.pth: meta\.dataset_meta is no dict'):
        check_class_notes(dict(meta=dict(dataset_meta=value)), 'a.pth')
