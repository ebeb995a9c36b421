import helpers
import pytest
import torch
from torch import nn

from mmvseg.errors import UserError
from mmvseg.models.trackers import ReferringTracker, TemporalRefiner
from mmvseg.testing.parity.dvis_tracking_names import rename_tracking


def published(name):
    """What the original's checkpoint holds: names and shapes, without values."""
    lines = (helpers.reference_dir() / 'dvis' / 'keys' / name).read_text().splitlines()
    rows = [line.split('\t') for line in lines]
    shapes = {row[0]: [int(size) for size in row[1].split('x') if size] for row in rows}
    return {name: torch.empty(shape, device='meta') for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ('keys', 'num_classes', 'millions'),
    [
        ('youtubevis_2019__swin__DVIS_Offline_SwinL.tsv', 40, (9.680937, 14.415146)),
        ('VIPSeg__DVIS_Offline_R50_720p.tsv', 124, (9.702525, 14.436734)),
    ],
)
def test_published_names_become_those_of_the_full_size_modules(keys, num_classes, millions):
    with torch.device('meta'):
        modules = nn.ModuleDict(
            dict(tracker=ReferringTracker(num_classes), refiner=TemporalRefiner(num_classes))
        )
    renamed = rename_tracking(published(keys))
    expected = {name: value.shape for name, value in modules.state_dict().items()}
    assert {name: value.shape for name, value in renamed.items()} == expected
    for module, number in zip(modules.values(), millions, strict=True):
        assert sum(p.numel() for p in module.parameters()) == round(1e6 * number)


def test_other_parts_are_left_out():
    weights = {
        'sem_seg_head.predictor.class_embed.bias': torch.zeros(1),
        'criterion.empty_weight': torch.ones(2),
    }
    assert rename_tracking(weights) == {}


@pytest.mark.parametrize(
    'name',
    ['tracker.transformer_time_self_attention_layers.0.norm.bias', 'refiner.pos_embed.weight'],
)
def test_unknown_names_are_reported(name):
    with pytest.raises(UserError, match=name.split('.', 1)[1]):
        rename_tracking({name: torch.zeros(1)})
