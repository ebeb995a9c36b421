"""Each stage of DVIS starts from the weights of the stage before, and from no others."""

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmvseg.checkpoints.weights import load_model_weights
from mmvseg.engine.categories import set_num_classes
from mmvseg.errors import UserError
from mmvseg.registry import MODELS

_STATES = {}


def config(stage):
    return Config.fromfile(f'configs/shapes/{stage}_shapes.py')


def build(stage, num_classes=6):
    init_default_scope('mmvseg')
    cfg = config(stage)
    set_num_classes(cfg.model, num_classes)
    return MODELS.build(cfg.model)


def weights_after(stage, num_classes=6):
    key = stage, num_classes
    if key not in _STATES:
        _STATES[key] = build(*key).state_dict()
    return _STATES[key]


def start(stage, weights):
    model = build(stage)
    report = load_model_weights(
        model, weights, 'before.pth', allow_missing=config(stage).allow_missing
    )
    return model, report


@pytest.mark.parametrize(
    ('stage', 'before', 'new'),
    [('dvis_online', 'minvis', 'tracker'), ('dvis_offline', 'dvis_online', 'refiner')],
)
def test_stage_before(stage, before, new):
    weights = weights_after(before)
    model, report = start(stage, weights)
    assert {name.split('.')[0] for name in report.missing} == {new}
    assert not report.unexpected
    state = model.state_dict()
    assert all(state[name].equal(tensor) for name, tensor in weights.items())


def test_minvis_starts_from_another_number_of_classes():
    _, report = start('minvis', weights_after('minvis', num_classes=80))
    assert report.resized == ['panoptic_head.cls_embed.weight', 'panoptic_head.cls_embed.bias']
    assert not report.missing


@pytest.mark.parametrize(
    ('stage', 'weights', 'named'),
    [
        # as Mask2Former on COCO: the frozen classifier of images would never be trained
        ('dvis_online', lambda: weights_after('minvis', 80), 'panoptic_head.cls_embed'),
        ('dvis_offline', lambda: weights_after('minvis'), 'nothing fills the sub-module tracker'),
        ('dvis_offline', lambda: weights_after('dvis_online', 25), 'tracker.class_embed'),
        ('minvis', lambda: backbone_alone(), 'nothing fills the sub-module panoptic_head'),
        ('dvis_online', lambda: backbone_alone(), 'nothing fills the sub-module panoptic_head'),
    ],
)
def test_wrong_stage_is_refused_by_name(stage, weights, named):
    with pytest.raises(UserError) as error:
        start(stage, weights())
    assert named in str(error.value)
    assert 'before.pth' in str(error.value)


def backbone_alone():
    weights = weights_after('minvis')
    return {name: tensor for name, tensor in weights.items() if name.startswith('backbone.')}
