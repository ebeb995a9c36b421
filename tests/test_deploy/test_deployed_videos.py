"""The frame loops of exported models against the models', with torch as the runner of networks."""

import dataclasses

import numpy as np
import pytest
import token_models
import torch
from deployed import (
    SIZE,
    TorchNetwork,
    assert_same,
    build_dvis,
    build_tevit,
    in_torch,
    manifest_of,
    video,
)

pytest.importorskip('onnxruntime')

from mmvseg.deploy.clips import ClipVideo
from mmvseg.deploy.export import clips, plans
from mmvseg.deploy.export.pixel_decoder import TraceablePixelDecoder
from mmvseg.deploy.export.tracing import trace
from mmvseg.deploy.frames import FrameGeometry, prepare
from mmvseg.deploy.videos import OfflineVideo, OnlineVideo
from mmvseg.errors import UserError

KINDS = ('MinVIS', 'DVISOnline', 'DVISOffline', 'EoMT', 'VidEoMT', 'PMT')


def build(kind):
    return (
        build_dvis(kind)
        if kind in ('MinVIS', 'DVISOnline', 'DVISOffline')
        else (token_models.build(kind))
    )


def report_as(model, **settings):
    model.test_cfg = dataclasses.replace(model.test_cfg, **settings)
    return model


def deploy(model, frames, num_frames=None):
    described = manifest_of(model, frames.shape[1:3], num_frames=num_frames)
    networks = {
        plan.name: TorchNetwork(plan) for plan in plans.plans(model, described, frames.shape[1:3])
    }
    if described.kind == 'propagated':
        first = networks['frame']
        queries = model.panoptic_head.learned_queries(1).detach().numpy()
        networks['frame'] = lambda **inputs: first(**dict(queries=queries) | inputs)
    kind = dict(refined=OfflineVideo, clip=ClipVideo).get(described.kind, OnlineVideo)
    geometry = FrameGeometry.of(frames.shape[1:3], described.input)
    loop = kind(networks, described, geometry, 'squares')
    for frame in frames:
        loop.add(prepare(frame, geometry, described.input))
    return loop.result()


@pytest.mark.parametrize('kind', KINDS)
def test_same_tracks(kind):
    model = build(kind)
    for frames in (video(5), video(1), video(3, size=(64, 40))):
        if kind in ('EoMT', 'VidEoMT', 'PMT'):
            model = build(kind)  # their positions are those of one size
        assert_same(deploy(model, frames), in_torch(build(kind), frames))


@pytest.mark.parametrize('kind', ['MinVIS', 'DVISOffline'])
@pytest.mark.parametrize(
    'settings',
    [
        dict(max_per_stretch=4, stretch_frames=2, min_score=0.2),
        dict(task='vps', num_things=3, object_mask_threshold=0.0, overlap_threshold=0.1),
        dict(task='vss'),
    ],
    ids=['stretches', 'vps', 'vss'],
)
def test_same_reports(kind, settings):
    model, frames = report_as(build(kind), **settings), video(5)
    expected = in_torch(model, frames)
    found = deploy(model, frames)
    assert_same(found, expected)
    if settings.get('task') == 'vps':
        assert len(found) > 1
    if settings.get('task') == 'vss':
        assert len(np.unique(found.maps[0])) > 1


def test_alignment_is_that_of_the_tracker():
    results = []
    for alignment in ('inverse', 'true'):
        model = build('DVISOnline')
        model.tracker.alignment = alignment
        model.panoptic_head.query_feat.weight.data.mul_(3)
        results.append(in_torch(model, video(6)))
        assert_same(deploy(model, video(6)), results[-1])


def test_frames_beyond_the_memory_wait_on_disk():
    model = report_as(build('MinVIS'), mask_memory_mb=0.01)
    assert_same(deploy(model, video(5)), in_torch(model, video(5)))


def masks_there_are(model):
    model.roi_head.mask_head[-1].conv_logits.bias.data.fill_(0.3)
    return model


@pytest.mark.parametrize(('clip_frames', 'num_frames'), [(96, 6), (4, 9)])
def test_same_tubes_of_clips(clip_frames, num_frames):
    model = masks_there_are(build_tevit(clip_frames=clip_frames))
    expected = in_torch(model, video(num_frames))
    found = deploy(model, video(num_frames))
    assert_same(found, expected)
    assert any(mask and mask['counts'] != found.masks[0][0]['counts'] for mask in found.masks[-1])


def test_clips_of_a_fixed_number_of_frames():
    model = masks_there_are(build_tevit())
    found = deploy(model, video(7), num_frames=4)  # the last clip reaches back
    assert len(found.masks[0]) == 7
    with pytest.raises(UserError, match='has 3 frames, but the file was exported for clips of exa'):
        deploy(build_tevit(), video(3), num_frames=4)


def test_a_trace_of_clips_reads_boxes_by_an_operator_of_onnx():
    model = build_tevit().requires_grad_(False)
    described = manifest_of(model, num_frames=2)
    (_, masks) = plans.plans(model, described, SIZE)
    traced = trace(masks.network, masks.example, masks.dynamic)
    names = [str(node.target) for node in traced.graph.nodes]
    assert sum('onnx_symbolic' in name for name in names) == len(clips.MAPS)


def test_damaged_weights_are_found():
    model = build('MinVIS')
    model.panoptic_head.cls_embed.bias.data[0] = torch.nan
    with pytest.raises(UserError, match=r"video 'squares', frame 0: what the network gives is not"):
        deploy(model, video(2))


def test_deformable_attention_by_grid_sample():
    decoder = build('MinVIS').panoptic_head.pixel_decoder
    feats = [
        torch.randn(2, channels, 3 * step, 5 * step)
        for channels, step in zip((8, 16, 32, 64), (8, 4, 2, 1), strict=True)
    ]
    features, maps = TraceablePixelDecoder(decoder)(feats)
    expected, expected_maps = decoder(feats)
    assert len(maps) == len(expected_maps)
    for found, wanted in zip((features, *maps), (expected, *expected_maps), strict=True):
        assert torch.allclose(found, wanted, atol=1e-5)
