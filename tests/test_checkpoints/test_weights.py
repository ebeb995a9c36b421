from collections import OrderedDict

import pytest
import torch
from torch import nn

from mmvseg.checkpoints.weights import compare_weights, load_model_weights, non_finite
from mmvseg.errors import UserError


def make_model(num_classes=3, width=4):
    """As deep as a detector: heads are sub-modules of the second level."""
    return nn.ModuleDict(
        dict(
            backbone=nn.ModuleDict(
                dict(conv=nn.Conv2d(3, width, 1), token=nn.ParameterList([torch.ones(2)]))
            ),
            roi_head=nn.ModuleDict(
                dict(
                    bbox_head=nn.ModuleList([nn.Linear(width, num_classes) for _ in range(2)]),
                    mask_head=nn.ModuleList([nn.Linear(width, 2)]),
                )
            ),
        )
    )


def without(model, prefix):
    return {k: v for k, v in model.state_dict().items() if not k.startswith(prefix)}


def test_all_filled():
    source, target = make_model(), make_model()
    wrapped = OrderedDict((f'module.{k}', v) for k, v in source.state_dict().items())
    report = load_model_weights(target, dict(state_dict=wrapped), 'a.pth', strict=True)
    assert not report.missing
    assert not report.unexpected
    for ours, theirs in zip(target.parameters(), source.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_other_number_of_classes_is_named_and_kept_at_its_initial_values():
    source, target = make_model(num_classes=80), make_model(num_classes=40)
    before = target['roi_head']['bbox_head'][0].weight.clone()
    report = load_model_weights(target, source.state_dict(), 'coco.pth')
    assert report.resized == [
        f'roi_head.bbox_head.{i}.{kind}' for i in range(2) for kind in ('weight', 'bias')
    ]
    assert 'roi_head.bbox_head: 4 tensors' in str(report)
    assert '(80, 4) in the checkpoint, (40, 4) in the model' in str(report)
    assert torch.equal(target['roi_head']['bbox_head'][0].weight, before)
    assert torch.equal(target['backbone']['conv'].weight, source['backbone']['conv'].weight)
    with pytest.raises(UserError, match='4 tensors of the model are missing or of another shape'):
        load_model_weights(target, source.state_dict(), 'coco.pth', strict=True)


def test_unfilled_sub_module_stops_unless_allowed():
    weights = without(make_model(), 'roi_head.mask_head')
    with pytest.raises(UserError, match=r'nothing fills the sub-module roi_head\.mask_head'):
        load_model_weights(make_model(), weights, 'boxes.pth')
    report = load_model_weights(
        make_model(), weights, 'boxes.pth', strict=True, allow_missing=['roi_head.mask_head']
    )
    assert report.unfilled_modules == ['roi_head.mask_head']


def test_unfilled_parent_is_named_once():
    weights = without(make_model(), 'roi_head')
    with pytest.raises(UserError, match=r'nothing fills the sub-module roi_head\.\n'):
        load_model_weights(make_model(), weights, 'backbone.pth')
    load_model_weights(make_model(), weights, 'backbone.pth', allow_missing=['roi_head'])


def test_single_missing_tensor_matters_only_where_all_is_needed():
    weights = without(make_model(), 'backbone.conv.bias')
    assert load_model_weights(make_model(), weights, 'a.pth').missing == ['backbone.conv.bias']
    with pytest.raises(UserError, match=r'--allow-missing backbone\.conv'):
        load_model_weights(make_model(), weights, 'a.pth', strict=True)


def test_other_width_is_refused():
    with pytest.raises(UserError, match='does not fit the model'):
        load_model_weights(make_model(width=4), make_model(width=8).state_dict(), 'wide.pth')


def test_unexpected_tensors_are_counted_by_module():
    weights = make_model().state_dict()
    weights.update({f'neck.convs.{i}.weight': torch.ones(1) for i in range(3)})
    report = compare_weights(make_model(), weights)
    assert len(report.unexpected) == 3
    assert 'neck.convs: 3 tensors, e.g. neck.convs.0.weight' in str(report)


def test_file_without_weights():
    with pytest.raises(UserError, match=r'log\.pth: holds no weights \(found: iter\)'):
        load_model_weights(make_model(), dict(iter=3), 'log.pth')


def test_frozen_parameters_have_to_be_filled():
    weights = without(make_model(num_classes=80), 'backbone.conv.bias')
    target = make_model(num_classes=40)
    load_model_weights(target, weights, 'coco.pth')
    target['roi_head']['bbox_head'].requires_grad_(False)
    with pytest.raises(UserError, match=r'(?s)4 frozen ones .*roi_head\.bbox_head: 4 tensors'):
        load_model_weights(target, weights, 'coco.pth')
    load_model_weights(target, weights, 'coco.pth', allow_missing=['roi_head.bbox_head'])
    target['backbone'].requires_grad_(False)
    with pytest.raises(UserError, match=r'--allow-missing backbone\.conv'):
        load_model_weights(target, weights, 'coco.pth', allow_missing=['roi_head.bbox_head'])


def converted(weights, left):
    note = dict(layout='mmdet2', left_to_training=left)
    return dict(state_dict=weights, meta=dict(conversion=note))


def test_training_starts_where_a_conversion_left_off():
    target = make_model()
    weights = without(target, 'roi_head.bbox_head')
    checkpoint = converted(weights, ['roi_head.bbox_head'])
    report = load_model_weights(target, checkpoint, 'start.pth')
    assert report.unfilled_modules == ['roi_head.bbox_head']
    with pytest.raises(UserError, match=r'(?s)start\.pth.*as a start for training.*bbox_head'):
        load_model_weights(target, checkpoint, 'start.pth', strict=True)


def test_a_conversion_allows_nothing_else_to_be_missing():
    target = make_model()
    weights = without(target, 'roi_head')
    with pytest.raises(UserError, match='nothing fills the sub-module roi_head'):
        load_model_weights(target, converted(weights, ['roi_head.bbox_head']), 'start.pth')


def test_published_names_are_to_be_converted_first():
    published = {
        'sem_seg_head.pixel_decoder.mask_features.weight': torch.zeros(1),
        'backbone.stem.conv1.weight': torch.zeros(1),
    }
    message = (
        r'published names.*\(mask2former, minvis, dvis\).*mmvseg convert model_final\.pth OUT\.pth'
    )
    with pytest.raises(UserError, match=message):
        load_model_weights(make_model(), dict(model=published), 'model_final.pth')


def test_frozen_parts_are_not_left_to_training():
    target = make_model()
    target['roi_head']['mask_head'].requires_grad_(False)
    checkpoint = converted(without(target, 'roi_head.mask_head'), ['roi_head.mask_head'])
    with pytest.raises(UserError, match='2 frozen ones of them would never be trained'):
        load_model_weights(target, checkpoint, 'start.pth')


@pytest.mark.parametrize(
    'note', [3, 'a', [], dict(left_to_training='abc'), dict(left_to_training=['']), dict(layout=1)]
)
def test_malformed_notes_of_conversions(note):
    model = make_model()
    checkpoint = dict(state_dict=model.state_dict(), meta=dict(conversion=note))
    with pytest.raises(UserError, match=r'a\.pth: meta\.conversion'):
        load_model_weights(model, checkpoint, 'a.pth')


@pytest.mark.parametrize(
    ('weights', 'message'),
    [
        ({'a': torch.ones(1), 'module.a': torch.ones(1)}, "'a' stands there twice"),
        ({'a\x1b[2J': torch.ones(1)}, r"'a\\x1b\[2J' is no name"),
        ({'a': torch.empty(1, device='meta')}, 'a is no plain tensor'),
        ({'a': torch.ones(2).to_sparse()}, 'a is no plain tensor'),
        ({'a': torch.ones(2, dtype=torch.complex64)}, r'a is no plain tensor \(.*complex64'),
    ],
)
def test_what_cannot_be_weights(weights, message):
    with pytest.raises(UserError, match=message):
        load_model_weights(make_model(), dict(state_dict=weights), 'a.pth')


def test_weights_that_are_not_finite_are_named():
    weights = make_model().state_dict()
    weights['count'] = torch.tensor(3)
    weights['flag'] = torch.tensor(True)
    weights['small'] = torch.ones(2).to(torch.float8_e5m2)
    assert non_finite(weights) == []
    weights['roi_head.mask_head.0.weight'][0] = torch.nan
    weights['small'] = torch.full((2,), torch.inf).to(torch.float8_e5m2)
    line, *names = non_finite(weights)
    assert line == 'warning: not finite (NaN or infinity) are values of 2 tensors:'
    assert names == ['roi_head.mask_head.0.weight', 'small']
