"""Small random EoMT, VidEoMT and PMT; clips and videos for them are those of dvis_models."""

import copy
from contextlib import contextmanager

import torch
from torch.autograd.graph import saved_tensors_hooks

from mmvseg.registry import MODELS

WIDTH, CLASSES, QUERIES = 16, 6, 9
#: With learned positions and with rotary ones.
BACKBONES = dict(
    DINOv2=dict(position='learned', grid_size=3),
    DINOv3=dict(position='rotary', norm_eps=1e-5, key_bias=False),
)
KINDS = ['EoMT', 'VidEoMT', 'PMT']


def vit(family='DINOv2', **options):
    """Arguments of a tiny ``DINOViT``."""
    return dict(embed_dims=WIDTH, depth=4, num_heads=2) | BACKBONES[family] | options


def config(kind, family='DINOv2', backbone=None, criterion=None, **options):
    """Config of a tiny model; the dicts add to the parts that have their names."""
    matcher = 'QueryMatcher' if kind == 'EoMT' else 'ExclusiveQueryMatcher'
    parts = dict(taps=(1, 3), decoder=dict(depth=3, num_heads=2, mlp_dims=WIDTH))
    settings = dict(
        type=kind,
        data_preprocessor=dict(
            type='VideoDataPreprocessor', mean=[120.0] * 3, std=[58.0] * 3, pad_size_divisor=32
        ),
        backbone=vit(family, **(backbone or {})) | dict(type='DINOViT'),
        panoptic_head=dict(
            type='TokenQueryHead', num_classes=CLASSES, num_queries=QUERIES, embed_dims=WIDTH
        ),
        criterion=dict(
            type='VidEoMTCriterion', num_classes=CLASSES, matcher=dict(type=matcher), num_points=64
        )
        | (criterion or {}),
        test_cfg=dict(max_per_video=5),
    )
    own = parts if kind == 'PMT' else dict(num_query_blocks=3)
    return copy.deepcopy(settings | own | options)


def build(kind, family='DINOv2', seed=0, **options):
    """A random model whose queries differ from each other and from frame to frame."""
    torch.manual_seed(seed)
    model = MODELS.build(config(kind, family, **options))
    return randomise(model).eval()


def randomise(module):
    """Parameters from a normal distribution, so that each counts and no attention is flat."""
    for name, parameter in module.named_parameters():
        scale = 1.0 if 'query_feat' in name or 'cls_embed' in name else 0.25
        parameter.data.normal_(std=scale)
        if name.endswith(('ls1', 'ls2', 'scale')) or 'norm' in name:
            parameter.data.add_(1)
    return module


def gradients(model, inputs, samples):
    """Of the sum of the losses, by parameter; and the losses."""
    model.zero_grad()
    losses = model.loss(inputs, copy.deepcopy(samples))
    sum(losses.values()).backward()
    found = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    return found, {name: loss.item() for name, loss in losses.items()}


def fix_points(monkeypatch):
    """Let ``torch.rand`` give every row the same numbers, whatever was drawn before."""
    rand = torch.rand

    def same_in_every_row(*shape, **kwargs):
        rows, *rest = shape[0] if isinstance(shape[0], tuple) else shape
        generator = torch.Generator().manual_seed(rest[0])
        return rand(rest, generator=generator).expand(rows, *rest).clone()

    monkeypatch.setattr(torch, 'rand', same_in_every_row)


@contextmanager
def kept_shapes():
    """Shapes of all tensors that are kept for the backward pass meanwhile."""
    shapes = []

    def keep(tensor):
        shapes.append(tuple(tensor.shape))
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        yield shapes
