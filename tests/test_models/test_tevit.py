import copy

import numpy as np
import pytest
import torch
from dvis_models import made_once
from mmengine.config import Config
from mmengine.structures import InstanceData
from pycocotools import mask as mask_utils

from mmvseg.checkpoints.skeleton import build_skeleton
from mmvseg.errors import UserError
from mmvseg.registry import MODELS
from mmvseg.structures import VideoDataSample, VideoWindow

SMALL_BACKBONES = {
    'msgshift': dict(
        type='MsgShifT', num_msg_tokens=4, embed_dims=8, num_layers=[1, 2, 1, 1], mlp_ratios=[2] * 4
    ),
    'pvtv2': dict(
        type='MsgShifT', num_msg_tokens=0, embed_dims=8, num_layers=[1] * 4, mlp_ratios=[2] * 4
    ),
    'resnet': dict(type='ResNet', depth=18, base_channels=8, stem_channels=8, norm_eval=True),
    'swin': dict(
        type='SwinTransformer', embed_dims=8, depths=[1] * 4, num_heads=[1, 2, 4, 8], window_size=7
    ),
}
CHANNELS = dict(
    msgshift=[8, 16, 40, 64], pvtv2=[8, 16, 40, 64], resnet=[8, 16, 32, 64], swin=[8, 16, 32, 64]
)


@made_once
def build(backbone='msgshift', **test_cfg):
    cfg = Config.fromfile('configs/shapes/tevit_msgshift_shapes.py').model
    cfg.backbone = SMALL_BACKBONES[backbone]
    cfg.neck.in_channels = CHANNELS[backbone]
    cfg.roi_head.num_stages = 2
    cfg.test_cfg.update(test_cfg)
    torch.manual_seed(0)
    model = MODELS.build(cfg)
    model.init_weights()
    for head in model.roi_head.bbox_head:
        torch.nn.init.normal_(head.fc_cls.weight, std=1.0)
        head.fc_reg.weight.data *= 0.05
    return model


def sample(video_id=1, num_frames=6, **metainfo):
    return VideoDataSample(
        metainfo=dict(
            video_id=video_id,
            video_name=f'video {video_id}',
            video_length=num_frames,
            ori_shape=(50, 80),
            img_shape=(40, 64),
            scale_factor=(0.8, 0.8),
            **metainfo,
        )
    )


def video(num_frames=6, seed=0):
    """Frames with a moving square."""
    rng = np.random.default_rng(seed)
    frames = torch.from_numpy(rng.integers(0, 255, (1, 3, 40, 64), dtype=np.uint8)).repeat(
        num_frames, 1, 1, 1
    )
    for t in range(num_frames):
        frames[t, :, 8:24, 4 + 3 * t : 20 + 3 * t] = 200
    return frames


def windows(frames, size, video_id=1):
    for start in range(0, len(frames), size):
        ids = list(range(start, min(start + size, len(frames))))
        meta = dict(frame_ids=ids, is_first=start == 0, is_last=ids[-1] == len(frames) - 1)
        yield VideoWindow(frames[ids], sample(video_id, len(frames), **meta))


def batch(num_clips=2, num_frames=3, objects=2):
    clips, samples = [], []
    for _ in range(num_clips):
        clips.append(video(num_frames))
        clip = sample(num_frames=num_frames)
        clip.gt_instances = []
        for t in range(num_frames):
            boxes = torch.tensor([[4.0 + t, 8, 20 + t, 24], [30, 5, 50, 25]])[:objects]
            masks = torch.zeros(objects, 40, 64, dtype=torch.uint8)
            for mask, (x1, y1, x2, y2) in zip(masks, boxes.int().tolist(), strict=True):
                mask[y1:y2, x1:x2] = 1
            clip.gt_instances.append(
                InstanceData(
                    bboxes=boxes.view(-1, 4),
                    labels=torch.arange(objects),
                    masks=masks,
                    instance_ids=torch.arange(objects),
                )
            )
        samples.append(clip)
    return dict(inputs=clips, data_samples=samples)


def equal(first, second):
    np.testing.assert_allclose(first.scores, second.scores, atol=1e-5)
    assert first.labels.tolist() == second.labels.tolist()
    for tube, other in zip(first.masks, second.masks, strict=True):
        assert [m['counts'] for m in tube] == [m['counts'] for m in other]


@pytest.mark.parametrize('backbone', SMALL_BACKBONES)
def test_loss_reaches_every_parameter(backbone):
    model = build(backbone).train()
    data = model.data_preprocessor(batch(), training=True)
    losses = model(**data, mode='loss')
    assert sorted(losses) == sorted(
        f'stage{s}_{name}'
        for s in range(2)
        for name in ('loss_cls', 'loss_bbox', 'loss_iou', 'loss_mask', 'pos_acc')
    )
    total, _ = model.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total)
    without = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert without == []


@pytest.mark.parametrize('backbone', SMALL_BACKBONES)
def test_video_gives_tubes(backbone):
    model = build(backbone).eval()
    (result,) = model.predict(windows(video(), size=4))
    pred = result.pred
    assert result.video_id == 1
    assert len(pred) == 10
    assert all(len(tube) == 6 for tube in pred.masks)
    assert pred.masks[0][0]['size'] == [50, 80]
    assert (np.diff(pred.scores) <= 0).all()
    again = model.predict(windows(video(), size=4))[0].pred
    equal(pred, again)


def test_window_size_does_not_change_the_result():
    model = build().eval()
    expected = model.segment_clip(video(), sample())
    for size in (1, 2, 5, 6):
        equal(model.predict(windows(video(), size))[0].pred, expected)


def test_videos_follow_each_other_in_a_stream():
    model = build().eval()
    both = [*windows(video(3), 2, video_id=1), *windows(video(5, seed=1), 2, video_id=2)]
    first, second = model.predict(both)
    assert (first.video_id, second.video_id) == (1, 2)
    equal(second.pred, model.segment_clip(video(5, seed=1), sample()))


def test_video_that_fits_is_one_clip():
    whole = build(clip_frames=96).eval().predict(windows(video(7), 3))[0].pred
    exact = build(clip_frames=7, clip_overlap=2).eval().predict(windows(video(7), 3))[0].pred
    equal(whole, exact)


def test_long_video_is_stitched(monkeypatch):
    model = build(clip_frames=6, clip_overlap=3).eval()
    lengths = []
    segment_clip = model.segment_clip

    def counted(frames, *args):
        lengths.append(len(frames))
        return segment_clip(frames, *args)

    monkeypatch.setattr(model, 'segment_clip', counted)
    pred = model.predict(windows(video(16), 5))[0].pred
    assert lengths == [6, 6, 6, 6, 4]
    assert len(pred) == 10
    assert all(len(tube) == 16 for tube in pred.masks)


@pytest.mark.parametrize(('clip_frames', 'passes'), [(8, [8, 8, 4]), (1, [1] * 16)])
def test_clips_shorten_by_one_setting(clip_frames, passes, monkeypatch):
    model = build(clip_frames=clip_frames).eval()
    lengths = []
    segment_clip = model.segment_clip
    monkeypatch.setattr(
        model, 'segment_clip', lambda f, *a: (lengths.append(len(f)), segment_clip(f, *a))[1]
    )
    model.predict(windows(video(16), 5))
    assert lengths == passes


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (
            dict(clip_frames=20, clip_overlap=24),
            'clip_overlap=24 must be .*clip_frames=20',
        ),
        (dict(clip_frames=0), 'clip_frames=0'),
        (dict(clip_framez=36), "no 'clip_framez'; it knows .*clip_frames"),
    ],
)
def test_wrong_test_settings(settings, message):
    with pytest.raises(UserError, match=message):
        build(**settings)


@pytest.mark.parametrize('part', ['msg_tokens', 'layers'])
def test_weights_that_are_no_numbers_are_noticed(part):
    model = build().eval()
    for name, parameter in model.backbone.named_parameters():
        if name.startswith(part):
            torch.nn.init.constant_(parameter, torch.nan)
    with pytest.raises(UserError, match='scores, boxes or masks are not finite; the weights may'):
        model.segment_clip(video(), sample())


def test_masks_are_at_the_original_size_and_place():
    model = build().eval()
    pred = model.segment_clip(video(), sample())
    model.roi_head.mask_head[-1].conv_logits.bias.data.fill_(1e4)  # the whole box is the object
    filled = model.segment_clip(video(), sample())
    boxes = mask_utils.toBbox(filled.masks[0][0])
    assert mask_utils.area(filled.masks[0][0]) >= mask_utils.area(pred.masks[0][0])
    assert 0 < boxes[2] <= 80
    assert 0 < boxes[3] <= 50


def test_clips_without_objects_keep_the_losses():
    model = build().train()
    full = model.loss(**model.data_preprocessor(batch(), training=True))
    empty = model.loss(**model.data_preprocessor(batch(objects=0), training=True))
    assert empty.keys() == full.keys()
    total, _ = model.parse_losses(empty)
    total.backward()
    assert torch.isfinite(total)
    assert float(total) < 1e4  # the published code divides by 1e-7 here
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_state_dict_round_trip():
    model = build()
    other = build()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(1.0)
    other.load_state_dict(copy.deepcopy(model.state_dict()))
    equal(
        model.eval().segment_clip(video(), sample()), other.eval().segment_clip(video(), sample())
    )


def test_inference_is_not_a_forward_mode():
    with pytest.raises(ValueError, match=r'stream\(windows\)'):
        build()(torch.zeros(1, 1, 3, 32, 32), mode='predict')


@pytest.mark.parametrize(
    ('config', 'trainable'),
    [
        ('configs/tevit/tevit_msgshift.py', 161_832_616),
        ('configs/tevit/tevit_r50.py', 172_340_104),
        ('configs/tevit/tevit_swin-l_mstrain.py', 343_861_820),
        ('configs/queryinst/queryinst_r50_fpn_100_coco.py', 172_463_464),
        ('configs/queryinst/queryinst_pvtv2-b1_fpn_100_coco.py', 161_955_880),
    ],
)
def test_published_parameter_counts(config, trainable):
    cfg = Config.fromfile(config).model
    cfg.backbone.init_cfg = None
    model = build_skeleton(cfg)
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == trainable
