"""Results of any task as what pages show: tubes with names, colours and run-length codes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pycocotools import mask as coco_mask

from mmvseg.pages.records import Color, ShownTube
from mmvseg.structures import VideoInstances, VideoPanoptic, VideoResult, VideoSemantic
from mmvseg.structures.track_matching import MATCH_IOU
from mmvseg.visualization import track_color
from mmvseg.visualization.overlay_panoptic import segment_color
from mmvseg.visualization.track_colors import colors_beside_truth, segment_colors_beside_truth


@dataclass
class TubesToShow:
    """Tubes of a result, the best first.

    Attributes:
        tubes: what pages show.
        positions: where each of them stands in the result.
    """

    tubes: list[ShownTube]
    positions: list[int]


def shown_tubes(
    result: VideoResult,
    metainfo: Mapping[str, Any],
    score_thr: float | None,
    beside: VideoResult | None,
) -> TubesToShow:
    """The predicted tubes of a result.

    Of instances, tracks that show the object of a better one again are hidden at first.

    Args:
        result: of any task.
        metainfo: ``classes`` and ``palette``.
        score_thr: tracks of a lower score are left out; None for other tasks.
        beside: annotations, or results, with whose colours those of the tubes agree.
    """
    if isinstance(result, VideoInstances):
        return _shown_tracks(result, metainfo, score_thr, beside)
    if isinstance(result, VideoPanoptic):
        tubes = _segments(result, metainfo, beside)
    else:
        tubes = _classes(result, metainfo)
    return TubesToShow(tubes, list(range(len(tubes))))


def annotated_tubes(truth: VideoResult, metainfo: Mapping[str, Any]) -> list[ShownTube]:
    """The annotated tubes of a video, in their order and without scores."""
    if not isinstance(truth, VideoInstances):
        return shown_tubes(truth, metainfo, None, None).tubes
    return [
        _track(truth, n, metainfo, track_color(number), score=None)
        for n, number in enumerate(truth.track_ids.tolist())
    ]


def owners(tubes: Sequence[ShownTube], objects: Sequence[ShownTube]) -> np.ndarray:
    """Position of the object that each mask shows, -1 for none, (D, T) int, whatever the classes.

    Args:
        tubes: D predicted tubes.
        objects: annotated ones of the same video of T frames.
    """
    length = max((len(tube.masks) for tube in (*tubes, *objects)), default=0)
    shown = np.full((len(tubes), length), -1)
    for frame in range(length):
        here, there = _present(tubes, frame), _present(objects, frame)
        if not here or not there:
            continue
        masks = [
            [some[n].masks[frame] for n in at] for some, at in ((tubes, here), (objects, there))
        ]
        iou = coco_mask.iou(*masks, [0] * len(there))  # (n, m)
        best = iou.argmax(1)
        fits = iou.max(1) >= MATCH_IOU
        shown[here, frame] = np.where(fits, np.array(there)[best], -1)
    return shown


def _present(tubes: Sequence[ShownTube], frame: int) -> list[int]:
    return [n for n, tube in enumerate(tubes) if tube.masks[frame] is not None]


def _shown_tracks(
    result: VideoInstances,
    metainfo: Mapping[str, Any],
    score_thr: float | None,
    beside: VideoInstances | None,
) -> TubesToShow:
    best_first = np.argsort(-result.scores, kind='stable')
    kept = best_first[result.scores[best_first] >= (score_thr or 0.0)]
    found = result.select(kept)
    # a query that is reported under two classes is two tracks of one number
    alone = replace(found, track_ids=np.arange(len(found)))
    distinct = {*alone.distinct().track_ids.tolist()}
    numbers = found.track_ids.tolist()
    colors = {number: track_color(number) for number in numbers}
    if beside is not None:
        colors = colors_beside_truth(found, beside)
    tubes = [
        _track(found, n, metainfo, colors[number], float(found.scores[n]), n not in distinct)
        for n, number in enumerate(numbers)
    ]
    return TubesToShow(tubes, kept.tolist())


def _track(
    result: VideoInstances,
    position: int,
    metainfo: Mapping[str, Any],
    color: Color,
    score: float | None,
    is_hidden: bool = False,
) -> ShownTube:
    category = metainfo['classes'][result.labels[position]]
    number = int(result.track_ids[position])
    return ShownTube(number, category, color, result.masks[position], score, is_hidden)


def _segments(
    result: VideoPanoptic, metainfo: Mapping[str, Any], beside: VideoPanoptic | None
) -> list[ShownTube]:
    colors = {s.id: segment_color(s, metainfo['palette']) for s in result.segments}
    if beside is not None:
        colors |= segment_colors_beside_truth(result, beside)
    masks = _coded(result.maps, [segment.id for segment in result.segments])
    return [
        ShownTube(s.id, metainfo['classes'][s.label], colors[s.id], masks[s.id])
        for s in result.segments
    ]


def _classes(result: VideoSemantic, metainfo: Mapping[str, Any]) -> list[ShownTube]:
    names, palette = metainfo['classes'], metainfo['palette']
    masks = _coded(result.maps, range(len(names)))
    return [
        ShownTube(int(metainfo['category_ids'][n]), names[n], tuple(palette[n]), codes)
        for n, codes in masks.items()
        if any(codes)
    ]


def _coded(maps: Sequence[np.ndarray], values: Iterable[int]) -> dict[int, list[dict | None]]:
    """Run-length code of the pixels of each value in each map, which is read once."""
    codes: dict[int, list[dict | None]] = {value: [None] * len(maps) for value in values}
    for frame, numbers in enumerate(maps):
        for value in np.unique(numbers).tolist():
            if value in codes:
                mask = np.asfortranarray(numbers == value, np.uint8)
                codes[value][frame] = coco_mask.encode(mask)
    return codes
