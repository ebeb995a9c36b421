"""EoMT's weights as a start of VidEoMT, and files for other grids."""

import pytest
from mmengine.config import Config
from query_vits import query_vit, random_weights

from mmvseg.checkpoints.published import layouts
from mmvseg.converters import configs
from mmvseg.converters.configs import find_targets
from mmvseg.converters.fit import fit_to_model
from mmvseg.converters.translate import to_ours, to_theirs
from mmvseg.registry import MODELS


def published(*args, **kwargs):
    weights, layout = to_theirs(random_weights(query_vit(*args, **kwargs)))
    return to_ours(weights, layout)


@pytest.mark.parametrize('frames_alone', [False, True])
@pytest.mark.parametrize('dinov3', [False, True])
def test_videomt_starts_from_eomt(dinov3, frames_alone):
    start = published('EoMT', dinov3)
    # of single frames the update of the queries is no part, and frozen
    model = MODELS.build(query_vit('VidEoMT', dinov3, frames_alone=frames_alone))
    assert not fit_to_model(published('EoMT', dinov3), model, 'eomt').possible
    fit = fit_to_model(start, model, 'eomt', ['query_updater'])
    assert fit.possible
    assert fit.left_to_training(start.weights) == ['query_updater']
    assert start.unused == ['criterion.empty_weight', 'network.attn_mask_probs']
    assert start.weights.keys() < model.state_dict().keys()


def test_annealing_belongs_to_eomt():
    model = MODELS.build(query_vit('EoMT'))
    eomt = published('EoMT')
    assert fit_to_model(eomt, model, 'eomt').complete
    assert 'mask_probabilities' in eomt.weights
    assert fit_to_model(published('VidEoMT'), model, 'videomt').missing == ['mask_probabilities']


def test_pmt_does_not_start_from_another_encoder():
    model = MODELS.build(query_vit('PMT', dinov3=True))
    fit = fit_to_model(published('PMT'), model, 'pmt')
    assert 'backbone.encoder.backbone.pos_embed' in fit.left_over
    assert 'backbone.blocks.0.attn.q_bias' in fit.missing


@pytest.fixture
def folder(tmp_path):
    """Configs of models that differ in their grids."""
    for name, changes in (
        ('grid4', {}),
        ('grid6', dict(grid_size=6)),
        ('queries', dict(num_queries=7)),
        ('classes', dict(num_classes=4)),
    ):
        path = tmp_path / 'videomt' / f'{name}.py'
        path.parent.mkdir(exist_ok=True)
        Config(dict(model=query_vit(**changes))).dump(path)
    return tmp_path


@pytest.mark.parametrize(
    ('grid', 'names'), [(4, ['grid4']), (6, ['grid6']), (8, ['grid4', 'grid6'])]
)
def test_the_config_of_the_same_grid_counts(folder, grid, names):
    converted = published('VidEoMT', grid_size=grid)
    shape = converted.weights['backbone.pos_embed'].shape
    targets = find_targets(converted, 'videomt', folder)
    assert [target.path.stem for target in targets] == names
    assert converted.weights['backbone.pos_embed'].shape == shape


def test_another_grid_needs_no_training():
    fit = fit_to_model(published('VidEoMT', grid_size=6), MODELS.build(query_vit()), 'videomt')
    assert fit.whole
    assert not fit.complete


def test_sources_have_their_folders_of_configs():
    assert {'eomt', 'videomt', 'pmt'} <= set(configs.FOLDERS) <= set(layouts.SOURCES)
