import functools

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmdet.structures.mask import BitmapMasks
from mmengine.config import Config
from mmengine.optim import DefaultOptimWrapperConstructor
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from torch import nn

from mmvseg.registry import MODELS

SIZE = 64


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmvseg')


def shapes(*modules):
    return {
        f'{part}.{name}': value.shape
        for part, module in zip(('backbone', 'panoptic_head'), modules, strict=True)
        for name, value in module.state_dict().items()
    }


@pytest.mark.parametrize('backbone', ['r50', 'swin-l'])
@pytest.mark.parametrize(
    ('task', 'classes', 'stuff'),
    [('instance', 80, 0), ('panoptic', 133, 53), ('semantic', 171, 171)],
)
def test_a_checkpoint_fits_the_video_models(monkeypatch, backbone, task, classes, stuff):
    # Swin reads numbers from a tensor that it makes, which a tensor without data has not.
    monkeypatch.setattr(torch, 'linspace', functools.partial(torch.linspace, device='cpu'))
    image = Config.fromfile(f'configs/mask2former/mask2former_{backbone}_coco_{task}.py').model
    video = Config.fromfile(f'configs/_base_/models/mask2former_{backbone}.py').model
    with torch.device('meta'):
        detector = MODELS.build(image)
        video.panoptic_head.num_classes = classes
        parts = MODELS.build(video.backbone), MODELS.build(video.panoptic_head)
    assert shapes(detector.backbone, detector.panoptic_head) == shapes(*parts)
    assert (detector.num_classes, detector.num_stuff_classes) == (classes, stuff)


def small_model(task):
    cfg = Config.fromfile(f'configs/mask2former/mask2former_r50_coco_{task}.py').model
    cfg.backbone.update(depth=18, base_channels=8, init_cfg=None)
    cfg.data_preprocessor.batch_augments[0].size = (SIZE, SIZE)
    cfg.train_cfg.num_points = 64
    cfg.panoptic_head.update(in_channels=[8, 16, 32, 64], num_queries=10)
    cfg.panoptic_head.pixel_decoder.encoder.num_layers = 1
    cfg.panoptic_head.transformer_decoder.num_layers = 2
    torch.manual_seed(0)
    return MODELS.build(cfg)


def batch(panoptic):
    """An image with one thing, and one piece of stuff if asked for."""
    sample = DetDataSample(metainfo=dict(img_shape=(48, 60), ori_shape=(48, 60)))
    masks = np.zeros((1, 48, 60), np.uint8)
    masks[:, 10:30, 10:30] = 1
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor([[10.0, 10, 30, 30]]),
        labels=torch.tensor([3]),
        masks=BitmapMasks(masks, 48, 60),
    )
    if panoptic:
        stuff = np.where(masks, 3, 100)
        sample.gt_sem_seg = PixelData(sem_seg=torch.from_numpy(stuff))
    image = torch.randint(256, (3, 48, 60), dtype=torch.uint8)
    return dict(inputs=[image], data_samples=[sample])


@pytest.mark.parametrize('task', ['instance', 'panoptic'])
def test_a_small_one_trains_and_predicts(task):
    model = small_model(task)
    data = model.data_preprocessor(batch(task == 'panoptic'), training=True)
    assert data['inputs'].shape == (1, 3, SIZE, SIZE)
    losses = model.loss(data['inputs'], data['data_samples'])
    # The raw queries, then every layer.
    assert len([name for name in losses if 'loss_cls' in name]) == 3
    sum(losses.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.panoptic_head.parameters())
    model.eval()
    with torch.no_grad():
        data = model.data_preprocessor(batch(panoptic=False))
        result = model.predict(data['inputs'], data['data_samples'])[0]
    assert result.pred_instances.masks.shape[1:] == (48, 60)
    assert ('pred_panoptic_seg' in result) == (task == 'panoptic')


class SwinParts(nn.Module):
    """Parameters whose names the rules of the Swin-L schedule look for."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Module()
        self.backbone.norm0 = nn.LayerNorm(1)
        block = nn.Module()
        block.norm1, block.ffn = nn.LayerNorm(1), nn.Linear(1, 1)
        block.relative_position_bias_table = nn.Parameter(torch.zeros(1))
        stage = nn.Module()
        stage.blocks, stage.downsample = nn.ModuleList([block]), nn.Module()
        stage.downsample.norm = nn.LayerNorm(1)
        self.backbone.stages = nn.ModuleList([stage])
        self.panoptic_head = nn.Module()
        self.panoptic_head.query_feat = nn.Embedding(1, 1)
        self.panoptic_head.norm, self.panoptic_head.linear = nn.LayerNorm(1), nn.Linear(1, 1)


def test_norms_and_embeddings_of_swin_have_no_weight_decay():
    schedule = Config.fromfile('configs/mask2former/mask2former_swin-l_coco_instance.py')
    cfg = schedule.optim_wrapper
    model = SwinParts()
    wrapper = DefaultOptimWrapperConstructor(
        dict(type='OptimWrapper', optimizer=cfg.optimizer), cfg.paramwise_cfg
    )(model)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = {names[id(group['params'][0])]: group for group in wrapper.optimizer.param_groups}
    decayed = {name for name, group in groups.items() if group['weight_decay'] > 0}
    assert decayed == {
        'backbone.stages.0.blocks.0.ffn.weight',
        'backbone.stages.0.blocks.0.ffn.bias',
        'panoptic_head.linear.weight',
        'panoptic_head.linear.bias',
    }
    for name, group in groups.items():
        assert group['lr'] == pytest.approx(1e-5 if name.startswith('backbone') else 1e-4)
