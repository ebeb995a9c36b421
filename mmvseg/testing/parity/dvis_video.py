"""Replay recorded videos of MinVIS and DVIS, from frames to masks at the original size."""

from collections.abc import Iterator

import numpy as np
import torch
from pycocotools import mask as mask_utils
from torch import Tensor

from mmvseg.models.postprocess.query_masks import FrameGeometry
from mmvseg.models.postprocess.vis_collector import VISCollector
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.models.trackers import chain_queries
from mmvseg.registry import MODELS
from mmvseg.structures import (
    ClipQueries,
    FrameQueries,
    VideoDataSample,
    VideoInstances,
    VideoWindow,
)

from .case import Case, Comparison
from .dvis_segmenter import backbone_config, head_config
from .dvis_tracking import tracking_config

#: Share of the pixels of thresholded masks that may differ: float32 noise at their edges.
ALLOWED_PIXELS = 5e-4


def model_config(case: Case) -> dict:
    """A model of :mod:`mmvseg.models.segmentors` with the settings of a case."""
    config = case.config['config']
    settings = config['model']
    model = dict(
        type=dict(MinVIS='MinVIS', DVIS_online='DVISOnline', DVIS_offline='DVISOffline')[
            settings['arch']
        ],
        backbone=backbone_config(config),
        panoptic_head=head_config(config),
        test_cfg=dict(max_per_video=settings['max_num']),
        data_preprocessor=dict(
            type='VideoDataPreprocessor',
            mean=settings['pixel_mean'],
            std=settings['pixel_std'],
            pad_size_divisor=settings['size_divisibility'],
        ),
    )
    for part, kind in (('tracker', 'ReferringTracker'), ('refiner', 'TemporalRefiner')):
        if part in config:
            model[part] = dict(type=kind, **tracking_config(config[part]))
    return model


def load_model(case: Case, config: dict) -> VideoSegmentor:
    """Build a model and give it the case's weights, converted."""
    model = MODELS.build(config)
    case.load_weights(model)
    return model


@torch.no_grad()
def replay_video(case: Case, comparison: Comparison) -> None:
    """Network outputs and results, the whole video at once and in windows."""
    model = load_model(case, model_config(case))
    frames = case.inputs['images']
    preprocessor = model.data_preprocessor
    inputs = preprocessor.normalise(frames, preprocessor.padded_size([frames]))
    raw = model.raw_outputs(inputs[None])
    segmented = model.panoptic_head(model.backbone(inputs))
    _compare_segmenter(segmented, comparison)
    if hasattr(model, 'tracker'):
        tracked = model.tracker(segmented.query_embeds[None])
        comparison.equal('tracker_indices', tracked.permutations[0])
    lengths = dict(full=len(frames), win=case.config['config']['model']['window_size'])
    for mode, length in lengths.items():
        _compare_raw(f'{mode}.raw.', raw, comparison)
        if comparison.records(f'{mode}.result.'):
            (sample,) = model.predict(video_windows(case, frames, length))
            compare_instances(f'{mode}.result.', sample.pred, comparison)


@torch.no_grad()
def replay_minvis_post(case: Case, comparison: Comparison) -> None:
    """Matching of given queries, and the result from them."""
    config = case.config['config']
    logits, masks, embeds = (
        case.inputs[f'pred_{name}'][0] for name in ('logits', 'masks', 'embds')
    )  # (T, Q, K + 1), (Q, T, h, w), (C, T, Q)
    order, _ = chain_queries(embeds.permute(1, 2, 0))  # (T, Q)
    frames = torch.arange(len(order))[:, None]
    ordered_logits = logits[frames, order]
    ordered_masks = masks.transpose(0, 1)[frames, order]  # (T, Q, h, w)
    comparison.equal('post.indices', order)
    comparison.close('post.pred_logits', ordered_logits.mean(0)[None])
    comparison.close('post.pred_masks', ordered_masks.transpose(0, 1)[None])
    sizes = (tuple(config[f'{name}_size']) for name in ('output', 'img', 'first_resize'))
    collector = VISCollector(FrameGeometry(*sizes), max_per_video=10, memory_limit=2**30)
    collector.add(ordered_logits, ordered_masks)
    compare_instances('result.', collector.result(), comparison)


def video_windows(case: Case, frames: Tensor, length: int) -> Iterator[VideoWindow]:
    """A case's video in windows of ``length`` frames."""
    resized = tuple(frames.shape[-2:])
    original = tuple(case.config['config'].get('output_size', resized))
    for start in range(0, len(frames), length):
        ids = list(range(start, min(start + length, len(frames))))
        metainfo = dict(
            video_id=1,
            video_name=case.folder.name,
            video_length=len(frames),
            frame_ids=ids,
            ori_shape=original,
            img_shape=resized,
            scale_factor=(resized[1] / original[1], resized[0] / original[0]),
            is_first=start == 0,
            is_last=ids[-1] == len(frames) - 1,
        )
        yield VideoWindow(frames[ids], VideoDataSample(metainfo=metainfo))


def _compare_segmenter(queries: FrameQueries, comparison: Comparison) -> None:
    outputs = dict(
        pred_logits=queries.class_logits[None],
        pred_masks=queries.mask_logits().transpose(0, 1)[None],  # (1, Q, T, h, w)
        pred_embds=queries.query_embeds.permute(2, 0, 1)[None],  # (1, C, T, Q)
        mask_features=queries.mask_features,
    )
    for name, output in outputs.items():
        comparison.close(f'segmenter.{name}', output)


def _compare_raw(prefix: str, raw: ClipQueries, comparison: Comparison) -> None:
    comparison.close(f'{prefix}pred_logits', raw.class_logits)
    comparison.close(f'{prefix}pred_masks', raw.mask_logits())
    comparison.close(f'{prefix}pred_embds', raw.query_embeds.permute(0, 3, 1, 2))
    if raw.online_class_logits is not None:
        comparison.close(f'{prefix}online_pred_logits', raw.online_class_logits)


def compare_instances(prefix: str, tubes: VideoInstances, comparison: Comparison) -> None:
    """Results by descending score: the published order is arbitrary."""
    scores = torch.from_numpy(tubes.scores)
    place = torch.arange(len(scores))
    recorded = comparison.comparable(f'{prefix}scores', scores)
    if recorded is not None:
        order = recorded.argsort(descending=True)
        place = torch.empty_like(order).scatter_(0, order, place)
        comparison.close(f'{prefix}scores', scores[place])
    comparison.equal(f'{prefix}labels', torch.from_numpy(tubes.labels)[place])
    comparison.equal(f'{prefix}ids', torch.from_numpy(tubes.track_ids)[place])
    masks = np.stack([mask_utils.decode(tube).transpose(2, 0, 1) for tube in tubes.masks])
    masks = torch.from_numpy(masks)[place]
    comparison.nearly_equal(f'{prefix}masks', masks, ALLOWED_PIXELS, 'pixels differ')
