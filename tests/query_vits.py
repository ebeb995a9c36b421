"""Small models on a plain ViT."""

import torch
from mmengine.registry import init_default_scope

from mmvseg.models.segmentors import EoMT
from mmvseg.registry import MODELS

C = 16


def vit(dinov3=False, grid_size=4, **changes):
    """Config of a ViT of two blocks as DINOv2's, or DINOv3's."""
    kind = (
        dict(position='rotary', key_bias=False, norm_eps=1e-5)
        if dinov3
        else dict(position='learned', grid_size=grid_size)
    )
    return dict(type='DINOViT', embed_dims=C, depth=2, num_heads=2) | kind | changes


def query_vit(kind='VidEoMT', dinov3=False, num_classes=3, num_queries=5, grid_size=4, **changes):
    """Config of an EoMT, VidEoMT or PMT."""
    model = dict(
        type=kind,
        backbone=vit(dinov3, grid_size),
        panoptic_head=dict(
            type='TokenQueryHead', num_classes=num_classes, num_queries=num_queries, embed_dims=C
        ),
    )
    if kind == 'PMT':
        model |= dict(taps=(0, 1), decoder=dict(depth=2, num_heads=2, mlp_dims=C))
    else:
        model |= dict(num_query_blocks=1)
    return model | changes


def random_weights(config, seed=0, prefix=''):
    """A state dict of the model with random values in place of those that it starts from."""
    generator = torch.Generator().manual_seed(seed)
    return {
        prefix + name: torch.randn(tensor.shape, generator=generator)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in MODELS.build(config).state_dict().items()
    }


def query_model(kind='VidEoMT', depth=2, dinov3=False, **changes) -> EoMT:
    """A model of so many blocks; PMT has six in its decoder, others no decoder."""
    init_default_scope('mmvseg')
    if kind == 'PMT':
        changes |= dict(taps=[*range(4)], decoder=dict(depth=6, num_heads=2, mlp_dims=C))
    changes |= dict(
        backbone=vit(dinov3, depth=depth),
        data_preprocessor=dict(type='VideoDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3),
    )
    return MODELS.build(query_vit(kind, dinov3, **changes))
