import functools

import helpers
import pytest
import torch
from mmengine.config import Config
from torch import nn

from mmvseg.errors import UserError
from mmvseg.registry import MODELS
from mmvseg.testing.parity.dvis_segmenter_names import rename_segmenter


@pytest.fixture
def full_size(monkeypatch):
    """Shapes of a full-size segmenter's parameters, none of which is made."""
    # Swin reads numbers from a tensor that it makes, which a tensor without data has not.
    monkeypatch.setattr(torch, 'linspace', functools.partial(torch.linspace, device='cpu'))

    def build(name):
        model = Config.fromfile(f'configs/_base_/models/mask2former_{name}.py').model
        parts = ('backbone', 'panoptic_head')
        with torch.device('meta'):
            segmenter = nn.ModuleDict({part: MODELS.build(model[part]) for part in parts})
        return {name: value.shape for name, value in segmenter.state_dict().items()}

    return build


def published(name):
    """What the original's checkpoint holds: names and shapes, without values."""
    lines = (helpers.reference_dir() / 'dvis' / 'keys' / name).read_text().splitlines()
    rows = [line.split('\t') for line in lines]
    shapes = {row[0]: [int(size) for size in row[1].split('x') if size] for row in rows}
    return {name: torch.empty(shape, device='meta') for name, shape in shapes.items()}


@pytest.mark.parametrize(
    ('config', 'keys'),
    [
        ('r50', 'youtubevis_2019__MinVIS_R50.tsv'),
        ('swin-l', 'youtubevis_2019__swin__DVIS_Offline_SwinL.tsv'),
    ],
)
def test_published_names_become_those_of_the_full_size_model(full_size, config, keys):
    renamed = rename_segmenter(published(keys))
    assert {name: value.shape for name, value in renamed.items()} == full_size(config)


def test_patch_merging_is_put_in_mmdets_order():
    # Inputs of the original go by neighbour (0,0), (1,0), (0,1), (1,1), then channel; mmdet's by
    # channel, then neighbour in row-major order.
    weight = torch.arange(8.0)[None]
    name = 'layers.0.downsample.reduction.weight'
    weights = {'backbone.patch_embed.proj.bias': torch.zeros(2), f'backbone.{name}': weight}
    renamed = rename_segmenter(weights)['backbone.stages.0.downsample.reduction.weight']
    assert renamed.tolist() == [[0, 4, 2, 6, 1, 5, 3, 7]]


def test_other_parts_are_left_out():
    weights = {'tracker.decoder_norm.bias': torch.zeros(1), 'criterion.empty_weight': torch.ones(2)}
    assert rename_segmenter(weights) == {}


@pytest.mark.parametrize('name', ['backbone.fc.weight', 'sem_seg_head.predictor.input_proj.0.bias'])
def test_unknown_names_are_reported(name):
    with pytest.raises(UserError, match=name.split('.', 1)[1]):
        rename_segmenter({name: torch.zeros(1)})
