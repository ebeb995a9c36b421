"""EoMT, VidEoMT and PMT of a few thousand parameters."""

from mmengine.registry import init_default_scope

from mmvseg.models.segmentors.eomt import EoMT
from mmvseg.registry import MODELS


def backbone(depth: int, dinov3: bool) -> dict:
    position = dict(position='rotary') if dinov3 else dict(position='learned', grid_size=2)
    return dict(
        type='DINOViT', embed_dims=4, depth=depth, num_heads=1, key_bias=not dinov3, **position
    )


def tiny_model(kind: str = 'VidEoMT', depth: int = 2, dinov3: bool = False, **settings) -> EoMT:
    """A model by its name in the registry; PMT has six blocks in its decoder, others no decoder."""
    init_default_scope('mmvseg')
    cfg = dict(
        type=kind,
        backbone=backbone(depth, dinov3),
        panoptic_head=dict(type='TokenQueryHead', num_classes=2, num_queries=3, embed_dims=4),
        data_preprocessor=dict(type='VideoDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3),
    )
    if kind == 'PMT':
        cfg.update(taps=[*range(4)], decoder=dict(depth=6, num_heads=1, mlp_dims=4))
    else:
        cfg.update(num_query_blocks=1)
    return MODELS.build(cfg | settings)
