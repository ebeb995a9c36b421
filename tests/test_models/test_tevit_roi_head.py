import copy

import pytest
import torch
import torch.distributed as dist
from mmengine.structures import InstanceData
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from two_processes import in_two_processes

from mmvseg.errors import UserError
from mmvseg.registry import MODELS

C, Q, K, T, S = 8, 6, 3, 2, 2
SHAPE = (48, 64)
LOSSES = {
    f'stage{s}_{name}'
    for s in range(S)
    for name in ('loss_cls', 'loss_bbox', 'loss_iou', 'loss_mask', 'pos_acc')
}


def roi_extractor(size):
    layer = dict(type='RoIAlign', output_size=size, sampling_ratio=2)
    return dict(
        type='FrameRoIExtractor', roi_layer=layer, out_channels=C, featmap_strides=[4, 8, 16, 32]
    )


def dynamic_conv(size, **kwargs):
    return dict(
        type='DynamicConv',
        in_channels=C,
        feat_channels=4,
        out_channels=C,
        input_feat_shape=size,
        act_cfg=dict(type='ReLU', inplace=True),
        norm_cfg=dict(type='LN'),
        **kwargs,
    )


def build(**kwargs):
    torch.manual_seed(0)
    config = dict(
        type='TeViTRoIHead',
        num_stages=S,
        bbox_roi_extractor=roi_extractor(7),
        mask_roi_extractor=roi_extractor(14),
        bbox_head=dict(
            type='STQIHead',
            num_classes=K,
            num_heads=2,
            feedforward_channels=16,
            in_channels=C,
            dynamic_conv_cfg=dynamic_conv(7),
            loss_bbox=dict(type='L1Loss', loss_weight=5.0),
            loss_iou=dict(type='GIoULoss', loss_weight=2.0),
            loss_cls=dict(type='FocalLoss', use_sigmoid=True, loss_weight=2.0),
            bbox_coder=dict(
                type='DeltaXYWHBBoxCoder', clip_border=False, target_stds=[0.5, 0.5, 1.0, 1.0]
            ),
        ),
        mask_head=dict(
            type='TeViTMaskHead',
            num_classes=K,
            in_channels=C,
            conv_out_channels=C,
            norm_cfg=dict(type='BN'),
            dynamic_conv_cfg=dynamic_conv(14, with_proj=False),
            loss_mask=dict(type='DiceLoss', loss_weight=8.0, activate=False, eps=1e-5),
        ),
        assigner=dict(
            type='TeViTHungarianAssigner',
            cls_cost=dict(type='FocalLossCost', weight=2.0),
            reg_cost=dict(type='BBoxL1Cost', box_format='xyxy', weight=5.0),
            iou_cost=dict(type='IoUCost', iou_mode='giou', weight=2.0),
        ),
    )
    head = MODELS.build(config | kwargs)
    head.init_weights()
    return head


def network_inputs(num_clips, seed=0):
    """Feature maps, boxes and queries."""
    generator = torch.Generator().manual_seed(seed)
    N = num_clips * T
    feats = [
        torch.randn(N, C, SHAPE[0] // s, SHAPE[1] // s, generator=generator) for s in (4, 8, 16)
    ]
    feats.append(torch.randn(N, C, 2, 2, generator=generator))
    corner = torch.rand(N, Q, 2, generator=generator) * 20
    boxes = torch.cat([corner, corner + 10 + 20 * torch.rand(N, Q, 2, generator=generator)], -1)
    return feats, boxes, torch.randn(N, Q, C, generator=generator)


def frame(*ids):
    """Instances in a column; the id says which class."""
    top = torch.arange(len(ids)).float() * 4
    boxes = torch.stack([top + 5, top, top + 25, top + 20], dim=1)
    masks = torch.zeros(len(ids), *SHAPE, dtype=torch.uint8)
    for mask, (x1, y1, x2, y2) in zip(masks, boxes.long().tolist(), strict=True):
        mask[y1:y2, x1:x2] = 1
    ids = torch.tensor(ids, dtype=torch.long)
    return InstanceData(bboxes=boxes.view(-1, 4), labels=ids % K, masks=masks, instance_ids=ids)


def losses_of(head, *clips, seed=0):
    feats, boxes, queries = network_inputs(len(clips), seed)
    return head.loss(feats, boxes, queries, T, clips, [SHAPE] * len(clips))


def total(losses):
    return sum(value for name, value in losses.items() if 'loss' in name)


@pytest.mark.parametrize(
    'clips',
    [
        [[frame(4, 5), frame(5)]],
        [[frame(4), frame()]],  # a frame without instances
        [[frame(), frame()]],
        [[frame(), frame()], [frame(7), frame(7, 8)]],
        [[frame(*range(Q + 3)), frame(2)]],  # more instances than queries
    ],
)
def test_losses_are_finite_and_the_same_set_whatever_the_clip_shows(clips):
    head = build()
    losses = losses_of(head, *clips)
    assert set(losses) == LOSSES
    assert all(value.isfinite() and value.shape == () for value in losses.values())
    total(losses).backward()
    assert [name for name, p in head.named_parameters() if p.grad is None] == []


def test_without_instances_everything_is_background():
    head = build()
    before = copy.deepcopy(head.state_dict())
    losses = losses_of(head, [frame(), frame()])
    zero = {name for name, value in losses.items() if value == 0}
    assert zero == {name for name in LOSSES if not name.endswith('loss_cls')}
    # The focal loss of N * Q * K background logits over one positive, not over nothing.
    assert 0 < losses['stage0_loss_cls'] < 10
    assert all(torch.equal(before[name], value) for name, value in head.state_dict().items())


def test_gradients_reach_every_parameter():
    head = build()
    feats, boxes, queries = network_inputs(1)
    leaves = [feats[0].requires_grad_(), boxes.requires_grad_(), queries.requires_grad_()]
    total(head.loss(feats, boxes, queries, T, [[frame(4, 5), frame(5)]], [SHAPE])).backward()
    dead = [name for name, p in head.named_parameters() if p.grad is None or not p.grad.any()]
    assert dead == []
    assert all(leaf.grad.any() for leaf in leaves)


def test_stage_weights_scale_their_stage():
    plain = losses_of(build(), [frame(4), frame(4)])
    weighted = losses_of(build(stage_loss_weights=[1, 3]), [frame(4), frame(4)])
    for name, value in plain.items():
        factor = 3 if name.startswith('stage1') else 1
        torch.testing.assert_close(weighted[name], factor * value)


def test_order_of_annotations_does_not_matter():
    clip = [frame(4, 5), frame(5, 4)]
    turned = [f[torch.tensor([1, 0])] for f in clip]
    first, second = losses_of(build(), clip), losses_of(build(), turned)
    for name in first:
        torch.testing.assert_close(first[name], second[name])


def test_diverged_queries_name_the_stage():
    feats, boxes, queries = network_inputs(1)
    with pytest.raises(UserError, match=r'stage 0, clip 0.*NaN'):
        build().loss(feats, boxes, queries * float('nan'), T, [[frame(4), frame(4)]], [SHAPE])


@torch.no_grad()
def test_inference_in_chunks_equals_all_frames_at_once():
    feats, boxes, queries = network_inputs(2)
    labels = torch.tensor([0, 2]).expand(2 * T, -1)
    outputs = []
    for frame_chunk in (1, 3, 100):
        head = build(frame_chunk=frame_chunk).eval()
        logits, refined, attn_feats = head.predict_queries(feats, boxes, queries, T)
        masks = head.predict_masks(feats, refined[:, :2], attn_feats[:, :2], labels)
        assert masks.shape == (2 * T, 2, 28, 28)
        outputs.append((logits, refined, attn_feats, masks))
    for other in outputs[1:]:
        for first, second in zip(outputs[0], other, strict=True):
            torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_predicted_masks_are_the_class_channel_of_the_mask_head():
    feats, boxes, queries = network_inputs(1)
    head = build().eval()
    labels = torch.tensor([[0, 2, 1], [2, 2, 0]])
    masks = head.predict_masks(feats, boxes[:, :3], queries[:, :3], labels)
    pooled = head.mask_roi_extractor(feats, boxes[:, :3])
    every_class = head.mask_head[-1](pooled, queries[:, :3].flatten(0, 1))
    expected = every_class[torch.arange(6), labels.flatten()].view(2, 3, 28, 28)
    torch.testing.assert_close(masks, expected, rtol=1e-4, atol=1e-5)


def test_training_in_bfloat16():
    head = build()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = losses_of(head, [frame(4, 5), frame(5)])
    reference = losses_of(build(), [frame(4, 5), frame(5)])
    assert all(value.dtype == torch.float32 for value in losses.values())
    torch.testing.assert_close(total(losses), total(reference), rtol=0.05, atol=0)


class LossModule(nn.Module):
    """What DistributedDataParallel wraps: a module whose forward gives the total loss."""

    def __init__(self):
        super().__init__()
        self.head = build()

    def forward(self, clips, seed):
        return total(losses_of(self.head, *clips, seed=seed))


CLIPS_BY_RANK = [[[frame(4, 5), frame(5)]], [[frame(), frame()]]]


def train_one_rank(rank):
    dist.init_process_group('gloo')
    module = DistributedDataParallel(LossModule())
    for _ in range(2):  # an unused parameter would make the second iteration fail
        module.zero_grad()
        module(CLIPS_BY_RANK[rank], seed=rank).backward()
    return {name: p.grad.numpy() for name, p in module.module.named_parameters()}


def test_a_rank_without_instances_trains_along():
    first, second = in_two_processes(train_one_rank)
    feats, boxes, queries = zip(*(network_inputs(1, seed) for seed in range(2)), strict=True)
    head = build()
    losses = head.loss(
        [torch.cat(level) for level in zip(*feats, strict=True)],
        torch.cat(boxes),
        torch.cat(queries),
        T,
        [clip for clips in CLIPS_BY_RANK for clip in clips],
        [SHAPE] * 2,
    )
    total(losses).backward()
    for name, parameter in head.named_parameters():
        ours, others = (torch.from_numpy(g[f'head.{name}']) for g in (first, second))
        torch.testing.assert_close(ours, others)
        torch.testing.assert_close(
            ours, parameter.grad, rtol=1e-3, atol=1e-5, msg=lambda m, n=name: n + m
        )
