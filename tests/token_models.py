"""Small random EoMT, VidEoMT and PMT; clips and videos for them are those of dvis_models."""

import copy
from contextlib import contextmanager

import query_vits
import torch
from query_vits import C, query_vit
from torch.autograd.graph import saved_tensors_hooks

from mmvseg.registry import MODELS

WIDTH, CLASSES, QUERIES = C, 6, 9
#: With learned positions, and with rotary ones.
FAMILIES = ['DINOv2', 'DINOv3']
KINDS = ['EoMT', 'VidEoMT', 'PMT']


def vit(family='DINOv2', **options):
    """Arguments of a tiny ``DINOViT``."""
    arguments = query_vits.vit(family == 'DINOv3', grid_size=3, depth=4) | options
    del arguments['type']
    return arguments


def config(kind, family='DINOv2', backbone=None, criterion=None, **options):
    """Config of a tiny model that can be trained; the dicts add to the parts of their names."""
    matcher = dict(type='QueryMatcher' if kind == 'EoMT' else 'ExclusiveQueryMatcher')
    if kind == 'PMT':
        parts = dict(taps=(1, 3), decoder=dict(depth=3, num_heads=2, mlp_dims=WIDTH))
    else:
        parts = dict(num_query_blocks=3)
    parts.update(
        backbone=vit(family, **(backbone or {})) | dict(type='DINOViT'),
        data_preprocessor=dict(
            type='VideoDataPreprocessor', mean=[120.0] * 3, std=[58.0] * 3, pad_size_divisor=32
        ),
        criterion=dict(type='VidEoMTCriterion', num_classes=CLASSES, matcher=matcher, num_points=64)
        | (criterion or {}),
        test_cfg=dict(max_per_video=5),
    )
    sizes = dict(num_classes=CLASSES, num_queries=QUERIES)
    return query_vit(kind, family == 'DINOv3', **sizes, **(parts | options))


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


@contextmanager
def kept_shapes():
    """Shapes of all tensors that are kept for the backward pass meanwhile."""
    shapes = []

    def keep(tensor):
        shapes.append(tuple(tensor.shape))
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        yield shapes
