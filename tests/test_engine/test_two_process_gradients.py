"""TeViT's gradients in two processes are those of one process with both batches."""

import copy

import pytest
import torch
import toy
from helpers import REPOSITORY
from mmengine.dataset import pseudo_collate
from mmengine.model import MMDistributedDataParallel
from two_processes import in_two_processes

from mmvseg.datasets import ClipIndex
from mmvseg.engine.config import load_config
from mmvseg.engine.distributed import init_distributed
from mmvseg.registry import DATASETS, MODELS


@pytest.fixture(scope='module')
def tevit(toy_config):
    cfg = load_config(REPOSITORY / 'configs/shapes/tevit_msgshift_shapes.py')
    cfg.model.backbone.update(drop_path_rate=0.0, embed_dims=8, num_layers=[1, 1, 1, 1])
    cfg.model.neck.in_channels = [8, 16, 40, 64]
    cfg.model.roi_head.num_stages = 2
    # batch statistics are those of a process, in the published system too
    cfg.model.roi_head.mask_head.norm_cfg = dict(type='GN', num_groups=4)
    torch.manual_seed(0)
    model = MODELS.build(cfg.model)
    model.init_weights()  # boxes of negative size, as without, stop the compiled RoIAlign
    dataset = DATASETS.build(load_config(toy_config).train_dataloader.dataset)
    clips = [dataset[ClipIndex(index, seed=0, draw=index)] for index in (0, 2, 5, 12)]
    return model.train(), clips


def gradients(model, clips):
    plain = getattr(model, 'module', model)
    batch = plain.data_preprocessor(pseudo_collate(copy.deepcopy(clips)), True)
    losses = model(**batch, mode='loss')
    total, _ = plain.parse_losses(losses)
    total.backward()
    return {n: p.grad.numpy() for n, p in plain.named_parameters() if p.grad is not None}, [*losses]


def in_process(rank, model, clips):
    init_distributed('pytorch')
    wrapped = MMDistributedDataParallel(model, broadcast_buffers=False)
    return gradients(wrapped, clips[rank::2])


def without_objects(clip):
    clip = copy.deepcopy(clip)
    sample = clip['data_samples']
    sample.gt_instances = [frame[:0] for frame in sample.gt_instances]
    return clip


@pytest.mark.parametrize('empty_rank', [False, True])
def test_gradients(tevit, empty_rank):
    model, clips = tevit
    if empty_rank:
        clips = [clip if i % 2 == 0 else without_objects(clip) for i, clip in enumerate(clips)]
    (two, names), (other, other_names) = in_two_processes(in_process, model, clips)
    one, expected_names = gradients(model, clips)
    model.zero_grad()
    assert names == other_names == expected_names
    assert one.keys() == two.keys()
    for name, gradient in one.items():
        assert (two[name] == other[name]).all(), name
        scale = max(abs(gradient).max(), 1e-3)
        assert abs(two[name] - gradient).max() <= 1e-4 * scale, name
    assert toy.CLASSES
