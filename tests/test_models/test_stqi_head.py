import pytest
import torch
from mmdet.models.roi_heads.bbox_heads import DIIHead

from mmvseg.models.heads import STQIHead

CHANNELS, QUERIES = 16, 5


def config(**kwargs):
    dynamic_conv = dict(
        type='DynamicConv',
        in_channels=CHANNELS,
        feat_channels=4,
        out_channels=CHANNELS,
        input_feat_shape=7,
        act_cfg=dict(type='ReLU', inplace=True),
        norm_cfg=dict(type='LN'),
    )
    return dict(
        num_classes=3,
        num_heads=4,
        feedforward_channels=32,
        in_channels=CHANNELS,
        dynamic_conv_cfg=dynamic_conv,
        loss_cls=dict(type='FocalLoss', use_sigmoid=True),
        **kwargs,
    )


def build(cls=STQIHead, **kwargs):
    torch.manual_seed(0)
    head = cls(**config(**kwargs))
    head.init_weights()
    return head.eval()


def inputs(num_frames):
    generator = torch.Generator().manual_seed(1)
    roi_feat = torch.randn(num_frames * QUERIES, CHANNELS, 7, 7, generator=generator)
    return roi_feat, torch.randn(num_frames, QUERIES, CHANNELS, generator=generator)


def reorder(roi_feat, queries, frames):
    rois = roi_feat.view(-1, QUERIES, CHANNELS, 7, 7)[frames].flatten(0, 1)
    return rois, queries[frames]


def test_parameters_are_those_of_queryinst():
    ours = {name: p.shape for name, p in build().state_dict().items()}
    assert ours == {name: p.shape for name, p in build(DIIHead).state_dict().items()}


def test_without_temporal_attention_it_is_queryinst():
    head, plain = build(temporal_attention=False), build(DIIHead)
    for ours, theirs in zip(head(*inputs(4), clip_length=2), plain(*inputs(4)), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)


def test_attention_runs_over_queries_then_over_the_frames_of_a_clip():
    head, (_, queries) = build(), inputs(6)
    T = 3

    def attend_one_by_one(tokens):  # (L, C)
        tokens = tokens.unsqueeze(1)
        return head.attention_norm(head.attention(tokens)).squeeze(1)

    expected = torch.stack([attend_one_by_one(frame) for frame in queries])
    for start in (0, T):
        for q in range(QUERIES):
            clip = expected[start : start + T, q].clone()
            expected[start : start + T, q] = attend_one_by_one(clip)
    torch.testing.assert_close(head.attend(queries, T), expected, rtol=1e-5, atol=1e-5)


def test_frames_of_a_clip_may_come_in_any_order():
    head, data = build(), inputs(4)
    order = torch.tensor([2, 0, 3, 1])
    straight = head(*data, clip_length=4)
    shuffled = head(*reorder(*data, order), clip_length=4)
    for first, second in zip(straight, shuffled, strict=True):
        torch.testing.assert_close(first[order], second, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('temporal_attention', [True, False])
def test_who_sees_whom(temporal_attention):
    head, (roi_feat, queries) = build(temporal_attention=temporal_attention), inputs(4)
    changed = queries.clone()
    changed[0] += torch.randn(QUERIES, CHANNELS, generator=torch.Generator().manual_seed(2))
    before = head(roi_feat, queries, clip_length=2)[0]
    after = head(roi_feat, changed, clip_length=2)[0]
    moved = (before - after).abs().amax((1, 2)) > 1e-4
    assert moved.tolist() == [True, temporal_attention, False, False]


def test_gradients_reach_every_parameter():
    head = build().train()
    sum(output.square().sum() for output in head(*inputs(4), clip_length=2)).backward()
    without = [name for name, p in head.named_parameters() if p.grad is None or not p.grad.any()]
    # A constant added to all keys does not change attention; in_proj_bias is packed with others.
    assert without == []
