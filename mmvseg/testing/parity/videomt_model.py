"""The models of recorded cases of EoMT, VidEoMT and PMT."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock

from torch import Tensor

from mmvseg.models.backbones.rotary import RotaryPositions
from mmvseg.models.segmentors.eomt import EoMT
from mmvseg.registry import MODELS

from .case import Case, fill


def load_model(case: Case, **settings: Any) -> EoMT:
    """The model of a case with its weights, for inference.

    Args:
        case: of any kind of this family.
        settings: of the model, beside those that the case names.
    """
    model = MODELS.build(model_config(case) | settings)
    fill(model, case.our_weights('' if _has_prefix(case) else 'network.'))
    return model


def model_config(case: Case) -> dict:
    """A model of :mod:`mmvseg.models.segmentors` with the settings of a case."""
    config = case.config['config']
    network = dict(
        backbone=backbone_config(config),
        panoptic_head=dict(
            type='TokenQueryHead',
            num_classes=config['num_classes'],
            num_queries=config['num_q'],
            embed_dims=config['dim'],
            num_upscales=int(math.log2(config.get('patch_size', 16))) - 2,
        ),
        data_preprocessor=dict(
            type='VideoDataPreprocessor',
            mean=config.get('pixel_mean', [123.675, 116.28, 103.53]),
            std=config.get('pixel_std', [58.395, 57.12, 57.375]),
            pad_size_divisor=config.get('size_divisibility', 32),
        ),
    )
    if 'interaction_indices' in config:
        decoder = dict(
            depth=config['num_blocks'],
            num_heads=config['heads'],
            mlp_dims=_mlp_dims(case),
        )
        return dict(type='PMT', taps=config['interaction_indices'], decoder=decoder, **network)
    if 'segmenter_blocks' in config:
        return dict(
            type='VidEoMT',
            num_query_blocks=len(config['segmenter_blocks']),
            normalise_layers=config['norm_queries'],
            **network,
        )
    return dict(type='EoMT', num_query_blocks=config['num_blocks'], **network)


def backbone_config(config: Mapping[str, Any]) -> dict:
    """The encoder."""
    is_dinov2 = config['backbone'] == 'dinov2'
    eps = config.get('layer_norm_eps', config.get('encoder_norm_eps'))
    backbone = dict(
        type='DINOViT',
        embed_dims=config['dim'],
        depth=config['depth'],
        num_heads=config['heads'],
        patch_size=config.get('patch_size', 16),
        num_registers=config.get('num_register_tokens', 4),
        position='learned' if is_dinov2 else 'rotary',
        norm_eps=eps or (1e-6 if is_dinov2 else 1e-5),
        key_bias=is_dinov2,
    )
    if is_dinov2:
        size = config['img_size']
        side = size[0] if isinstance(size, list) else size
        backbone['grid_size'] = side // backbone['patch_size']
    return backbone


@contextmanager
def recorded_scale(scale: Tensor | None) -> Iterator[None]:
    """Let rotary positions be scaled by a recorded factor (1,); None: by a random one."""
    if scale is None:
        yield
        return
    with mock.patch.object(RotaryPositions, 'random_scale', return_value=scale):
        yield


def _mlp_dims(case: Case) -> int:
    """Width of the feed-forward layers of PMT's decoder."""
    return len(case.weights['backbone.decoder.blocks.0.mlp.up_proj.bias'])


def _has_prefix(case: Case) -> bool:
    return any(name.startswith('backbone.') for name in case.weights)
