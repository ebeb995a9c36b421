"""Replay recorded results of DVIS for panoptic and semantic segmentation from given tensors."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from mmvseg.models.postprocess.class_scores import class_probabilities
from mmvseg.models.postprocess.query_masks import FrameGeometry
from mmvseg.models.postprocess.vps import Candidates, PanopticRules, segment_video
from mmvseg.models.postprocess.vss import classify_video

from .case import Case, Comparison

#: Share of the pixels of maps that may differ: float32 noise where two queries are equal.
ALLOWED_PIXELS = 5e-4


@torch.no_grad()
def replay_panoptic(case: Case, comparison: Comparison) -> None:
    """Segments and their maps."""
    settings = case.config['config']['model']
    rules = PanopticRules(
        settings['num_thing_classes'],
        settings['object_mask_threshold'],
        settings['overlap_threshold'],
    )
    candidates = Candidates.select(_class_probs(case), rules.object_mask_threshold)
    frames = _frames(case, candidates.queries)
    result = segment_video(candidates, frames, _geometry(case), rules)
    segments = result.segments
    lists = dict(
        segment_ids=[segment.id for segment in segments],
        segment_category=[segment.label for segment in segments],
        segment_isthing=[int(segment.is_thing) for segment in segments],
        pred_ids=case.inputs['pred_id'][[segment.query for segment in segments]].tolist(),
    )
    for name, values in lists.items():
        comparison.equal(name, torch.tensor(values, dtype=torch.int64))
    _compare_maps(result.maps, comparison)


@torch.no_grad()
def replay_semantic(case: Case, comparison: Comparison) -> None:
    """Maps of classes."""
    frames = _frames(case)
    result = classify_video(_class_probs(case)[:, :-1], frames, _geometry(case))
    _compare_maps(result.maps, comparison)


def _class_probs(case: Case) -> Tensor:
    return class_probabilities(case.inputs['pred_cls'], case.inputs.get('aux_pred_cls'))


def _frames(case: Case, queries: Tensor | None = None) -> Iterator[Tensor]:
    masks = case.inputs['pred_masks'].transpose(0, 1)  # (T, Q, h, w)
    return iter(masks if queries is None else masks[:, queries])


def _geometry(case: Case) -> FrameGeometry:
    config = case.config['config']
    return FrameGeometry(
        *(tuple(config[f'{name}_size']) for name in ('output', 'img', 'first_resize'))
    )


def _compare_maps(maps: Sequence[np.ndarray], comparison: Comparison) -> None:
    actual = torch.from_numpy(np.stack(maps).astype(np.int64))
    comparison.nearly_equal('pred_masks', actual, ALLOWED_PIXELS, 'pixels differ')
