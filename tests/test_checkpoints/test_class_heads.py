import pytest
import torch
from torch import nn

from mmvseg.checkpoints.class_heads import move_class_rows
from mmvseg.errors import UserError

THEIRS = ('a', 'b', 'c')


class Heads(nn.Module):
    """A head of each kind: sigmoid, softmax with "no object", and masks."""

    def __init__(self, num_classes, mask_classes=None, width=4):
        super().__init__()
        self.fc_cls = nn.Linear(width, num_classes)
        self.panoptic_head = nn.ModuleDict(dict(cls_embed=nn.Linear(width, num_classes + 1)))
        self.tracker = nn.ModuleDict(dict(class_embed=nn.Linear(width, num_classes + 1)))
        self.mask_head = nn.ModuleDict(
            dict(conv_logits=nn.Conv2d(width, mask_classes or num_classes, 1))
        )
        self.other = nn.Linear(width, num_classes)

    def logits(self, x):
        return (
            self.fc_cls(x),
            self.panoptic_head['cls_embed'](x),
            self.tracker['class_embed'](x),
            self.mask_head['conv_logits'](x[..., None, None])[..., 0, 0],
        )


def moved(source, target, ours, theirs=THEIRS, **options):
    """Fill ``target`` after moving the rows; what was said and logits of both on the same input."""
    weights = source.state_dict()
    line = move_class_rows(weights, target, theirs, ours, 'a.pth', **options)
    own = target.state_dict()
    fitting = {name: w for name, w in weights.items() if w.shape == own[name].shape}
    target.load_state_dict(fitting, strict=False)
    x = torch.randn(5, 4)
    return line, source.logits(x), target.logits(x)


def test_another_order_gives_the_same_logits():
    line, theirs, ours = moved(Heads(3), Heads(3), ('c', 'a', 'b'))
    assert line == (
        'a.pth has the classes in another order than the data: the rows of its class heads are '
        'moved by name'
    )
    for before, after in zip(theirs, ours, strict=True):
        torch.testing.assert_close(after, before[:, [2, 0, 1, *range(3, before.shape[1])]])


def test_only_shared_names_take_their_rows():
    source, target = Heads(3), Heads(3)
    initial = [t.clone() for t in target.fc_cls.parameters()]
    line, theirs, ours = moved(source, target, ('b', 'x', 'y'))
    assert line == (
        'a.pth: 1 of the 3 classes of the data start from the row of their name in the class '
        'heads, the others anew: x, y'
    )
    for before, after in zip(theirs, ours, strict=True):
        torch.testing.assert_close(after[:, 0], before[:, 1])
        torch.testing.assert_close(after[:, 3:], before[:, 3:])  # "no object"
    for now, then in zip(target.fc_cls.parameters(), initial, strict=True):
        assert torch.equal(now[1:], then[1:])


def test_heads_for_another_number_of_classes_start_anew():
    weights = Heads(3).state_dict()
    before = dict(weights)
    assert move_class_rows(weights, Heads(2), THEIRS, ('c', 'a'), 'a.pth') == ''
    assert all(weights[name] is tensor for name, tensor in before.items())


def test_one_mask_for_all_classes_stays():
    source, target = Heads(3, mask_classes=1), Heads(3, mask_classes=1)
    _, theirs, ours = moved(source, target, ('x', 'y', 'z'))
    assert torch.equal(theirs[3], ours[3])


def test_same_classes_move_nothing():
    weights = Heads(3).state_dict()
    before = dict(weights)
    assert move_class_rows(weights, Heads(3), THEIRS, list(THEIRS), 'a.pth') == ''
    assert all(weights[name] is tensor for name, tensor in before.items())
    assert move_class_rows({}, Heads(3), THEIRS, ('b', 'a', 'c'), 'a.pth') == ''


def test_frozen_heads():
    target = Heads(3)
    target.panoptic_head.requires_grad_(False)
    assert 'moved by name' in moved(Heads(3), target, ('b', 'a', 'c'))[0]
    message = r'panoptic_head\.cls_embed\.weight is frozen .* does not know the classes x of'
    with pytest.raises(UserError, match=message):
        moved(Heads(3), target, ('b', 'a', 'x'))
    moved(Heads(3), target, ('b', 'a', 'x'), allow_missing=['panoptic_head'])


def test_rows_that_are_not_those_of_the_classes():
    with pytest.raises(UserError, match=r'fc_cls\.weight has 3 rows, which are not those of its 2'):
        moved(Heads(3), Heads(3), ('b', 'a', 'c'), theirs=('a', 'b'))
