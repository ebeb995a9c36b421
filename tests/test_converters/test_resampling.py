"""Positions and patches of a ViT brought to another grid or size."""

import pytest
import torch
import torch.nn.functional as F
from query_vits import C, query_vit, random_weights, vit

from mmvseg.checkpoints.conversion_note import ConversionNote
from mmvseg.checkpoints.published import layouts
from mmvseg.converters.fit import fit_to_model
from mmvseg.converters.resampling import (
    resample_bias_table,
    resample_patch_kernel,
    resample_positions,
)
from mmvseg.converters.translate import Converted, to_ours, to_theirs
from mmvseg.registry import MODELS


def resize(images, side):
    return F.interpolate(images, (side, side), mode='bicubic', antialias=True)


def test_positions_are_those_that_the_model_makes_for_an_image():
    model = MODELS.build(vit(grid_size=5))
    model.pos_embed.data = torch.randn(1, 25, C)
    images = torch.zeros(1, 3, 7 * 16, 7 * 16)  # a grid of 7 x 7
    tokens = model.embed(images).tokens[:, model.num_extra_tokens :]
    other = MODELS.build(vit(grid_size=7))
    other.load_state_dict(
        model.state_dict() | {'pos_embed': resample_positions(model.pos_embed, 49)}
    )
    assert torch.equal(other.embed(images).tokens[:, other.num_extra_tokens :], tokens)


@pytest.mark.parametrize('counts', [(24, 49), (25, 48)])
def test_positions_of_no_square(counts):
    assert resample_positions(torch.zeros(1, counts[0], 2), counts[1]) is None
    assert resample_bias_table(torch.zeros(counts[0], 2), counts[1]) is None


def test_larger_patches_give_what_the_patches_gave():
    generator = torch.Generator().manual_seed(0)
    kernel = torch.randn(2, 3, 14, 14, generator=generator)
    patches = torch.rand(5, 3, 14, 14, generator=generator)
    resampled = resample_patch_kernel(kernel, 16)
    assert resampled.shape == (2, 3, 16, 16)
    assert resampled.dtype is kernel.dtype
    expected = torch.einsum('nchw,dchw->nd', patches, kernel)
    actual = torch.einsum('nchw,dchw->nd', resize(patches, 16), resampled)
    assert torch.allclose(actual, expected, atol=1e-4)
    naive = torch.einsum('nchw,dchw->nd', resize(patches, 16), resize(kernel, 16))
    assert not torch.allclose(naive, expected, atol=1)


def test_smaller_patches_are_the_closest():
    kernel = torch.randn(1, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    pixels = torch.eye(36).unflatten(1, (1, 6, 6))
    small = resize(pixels, 4).flatten(1)  # what each pixel becomes
    solution = torch.linalg.lstsq(small, kernel.flatten(2)[0].T).solution.T
    assert torch.allclose(resample_patch_kernel(kernel, 4).flatten(2)[0], solution, atol=1e-5)


def test_raw_dinov2_for_a_model_with_other_patches_and_grid():
    published, layout = to_theirs(
        random_weights(vit(grid_size=5, patch_size=14), prefix='backbone.'),
        ConversionNote('dinov2'),
    )
    converted = to_ours(published, layout)
    before = dict(converted.weights)
    model = MODELS.build(query_vit(grid_size=7))
    fit = fit_to_model(converted, model, 'dinov2')
    assert fit.possible
    assert fit.resampled == {
        'backbone.pos_embed': 'positions of a grid of 5 x 5 to 7 x 7',
        'backbone.patch_embed.weight': 'patches of 14 x 14 pixels to 16 x 16',
    }
    assert sorted(fit.left_to_training(converted.weights)) == ['panoptic_head', 'query_updater']
    for name, resampled in (
        ('pos_embed', resample_positions(before['backbone.pos_embed'], 49)),
        ('patch_embed.weight', resample_patch_kernel(before['backbone.patch_embed.weight'], 16)),
    ):
        assert torch.equal(converted.weights[f'backbone.{name}'], resampled)


@pytest.mark.parametrize(
    ('name', 'shape'),
    [
        ('pos_embed', (1, 16, C + 1)),
        ('pos_embed', (1, 17, C)),
        ('patch_embed.weight', (C, 4, 8, 8)),
    ],
)
def test_what_differs_in_more_than_size_does_not_fit(name, shape):
    weights = random_weights(query_vit(grid_size=5)) | {f'backbone.{name}': torch.zeros(shape)}
    fit = fit_to_model(
        Converted(layouts.VIDEOMT_DINOV2, weights), MODELS.build(query_vit(grid_size=5)), 'videomt'
    )
    assert list(fit.misshaped) == [f'backbone.{name}']
    assert not fit.resampled
