"""J and F of objects without classes, by the rules of the unsupervised task of DAVIS 2017.

A model proposes up to 20 objects a video, whose masks do not overlap. One assignment of proposals
to objects serves the whole video; proposals that are left over cost nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from mmvseg.formats.rle import decode_masks
from mmvseg.formats.youtube_vis_results import Result

from .region_contour import FrameMasks, contour_accuracy, region_similarity
from .track_overlap import Masks

#: How many objects a model may propose in a video.
MAX_PROPOSALS = 20


@dataclass
class ObjectQuality:
    """One annotated object and the proposal that it was given.

    Attributes:
        region: J in each frame, (T,) in [0, 1].
        contour: F in each frame, (T,) in [0, 1].
    """

    region: np.ndarray
    contour: np.ndarray


def davis_numbers(objects: Sequence[ObjectQuality]) -> dict[str, float]:
    """The means over all objects of all videos, each with the weight 1.

    Args:
        objects: at least one.

    Returns:
        ``J&F``; ``J`` and ``F``, the means over the frames; ``J_recall`` and ``F_recall``, the part
        of the frames where they are above 0.5.
    """
    numbers = {}
    for name, attribute in dict(J='region', F='contour').items():
        frames = [getattr(entry, attribute) for entry in objects]
        numbers[name] = float(np.mean([values.mean() for values in frames]))
        numbers[f'{name}_recall'] = float(np.mean([(values > 0.5).mean() for values in frames]))
    return {'J&F': (numbers['J'] + numbers['F']) / 2, **numbers}


def best_proposals(results: Sequence[Result]) -> list[Result]:
    """The proposals of a video: the results of highest score, of equal ones the first."""
    return sorted(results, key=lambda result: (-result.score, result.index))[:MAX_PROPOSALS]


def judge_video(
    objects: Sequence[Masks],
    void: Sequence[Masks],
    proposals: Sequence[Masks],
    size: tuple[int, int],
) -> list[ObjectQuality]:
    """Give each object of a video a proposal, so that the sum of J and F is highest.

    Where there are fewer proposals than objects, the others are compared with empty masks.

    Args:
        objects: at least one, with masks of T frames.
        void: what is to be ignored.
        proposals: where they overlap, the earlier ones keep the pixels.
        size: height and width of the frames.
    """
    frames = range(len(objects[0]))
    values = np.array([_judge_frame(objects, void, proposals, size, t) for t in frames])
    of_pairs = values.mean(axis=0).sum(axis=0)  # (P, G)
    chosen, judged = linear_sum_assignment(of_pairs, maximize=True)
    by_object = dict(zip(judged.tolist(), chosen.tolist(), strict=True))
    return [
        ObjectQuality(values[:, 0, by_object[g], g], values[:, 1, by_object[g], g])
        for g in range(len(objects))
    ]


def _judge_frame(
    objects: Sequence[Masks],
    void: Sequence[Masks],
    proposals: Sequence[Masks],
    size: tuple[int, int],
    frame: int,
) -> np.ndarray:
    """J and F of every pair of a frame, (2, P, G), with at least as many proposals as objects."""
    counted = ~_dense(void, size, frame).any(axis=0)
    truth = _dense(objects, size, frame) & counted
    found = np.zeros((max(len(proposals), len(objects)), *size), bool)
    found[: len(proposals)] = _in_front(_dense(proposals, size, frame)) & counted
    contour = contour_accuracy(FrameMasks.of(found), FrameMasks.of(truth))
    return np.array([region_similarity(found, truth), contour])


def _dense(masks: Sequence[Masks], size: tuple[int, int], frame: int) -> np.ndarray:
    """Masks of a frame, (N, H, W) bool."""
    dense = np.zeros((len(masks), *size), bool)
    there = [n for n, of_one in enumerate(masks) if of_one[frame] is not None]
    dense[there] = decode_masks([masks[n][frame] for n in there], *size)
    return dense


def _in_front(masks: np.ndarray) -> np.ndarray:
    """Masks without what earlier ones cover, (N, H, W) bool."""
    free = np.ones(masks.shape[1:], bool)
    cut = np.zeros_like(masks)
    for n, mask in enumerate(masks):
        cut[n] = mask & free
        free &= ~mask
    return cut
