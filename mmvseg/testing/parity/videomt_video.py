"""Replay recorded videos of VidEoMT and PMT, from frames to results at the original size."""

from collections.abc import Sequence

import numpy as np
import torch

from mmvseg.structures import VideoPanoptic

from .case import Case, Comparison
from .dvis_video import ALLOWED_PIXELS, compare_instances, video_windows
from .videomt_model import load_model


@torch.no_grad()
def replay_result(case: Case, comparison: Comparison) -> None:
    """Network outputs and the result, by windows of the published length and by all frames."""
    config = case.config['config']
    model = load_model(case, test_cfg=_test_config(config))
    frames = case.inputs['images']
    preprocessor = model.data_preprocessor
    inputs = preprocessor.normalise(frames, preprocessor.padded_size([frames]))
    raw = model.raw_outputs(inputs[None])
    comparison.close('raw.pred_logits', raw.class_logits[0])
    comparison.close('raw.pred_masks', raw.mask_logits()[0].transpose(0, 1))
    for length in (config['window_size'], len(frames)):
        (sample,) = model.predict(video_windows(case, frames, length))
        if config['task'] == 'vis':
            compare_instances('result.', sample.pred, comparison)
        elif config['task'] == 'vps':
            _compare_segments(sample.pred, comparison)
        else:
            _compare_maps('result.labels', sample.pred.maps, comparison)


def _test_config(config: dict) -> dict:
    task = config['task']
    if task == 'vis':
        return dict(task=task, max_per_video=config['max_num'])
    if task == 'vss':
        return dict(task=task)
    return dict(
        task=task,
        num_things=config['num_things'],
        object_mask_threshold=config['object_mask_threshold'],
        overlap_threshold=config['overlap_threshold'],
    )


def _compare_segments(result: VideoPanoptic, comparison: Comparison) -> None:
    lists = dict(
        segment_ids=[segment.id for segment in result.segments],
        segment_category=[segment.label for segment in result.segments],
        segment_isthing=[int(segment.is_thing) for segment in result.segments],
        ids=[segment.query for segment in result.segments],
    )
    for name, values in lists.items():
        comparison.equal(f'result.{name}', torch.tensor(values, dtype=torch.int64))
    _compare_maps('result.panoptic', result.maps, comparison)


def _compare_maps(name: str, maps: Sequence[np.ndarray], comparison: Comparison) -> None:
    actual = torch.from_numpy(np.stack(maps).astype(np.int64))
    comparison.nearly_equal(name, actual, ALLOWED_PIXELS, 'pixels differ')
