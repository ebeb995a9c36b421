"""HOTA: how well objects are found, and how well each is followed, at 19 thresholds of IoU.

The numbers are those of TrackEval. One assignment in each frame serves all thresholds.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from .sums import Sums
from .track_overlap import TrackOverlap

#: Called alpha. A few are a bit above the decimal number, as they are in TrackEval.
THRESHOLDS = np.arange(0.05, 0.99, 0.05)
EPSILON = np.finfo(float).eps
#: The numbers that are given at each threshold, and as their mean.
MEASURES = ('HOTA', 'DetA', 'AssA', 'DetRe', 'DetPr', 'AssRe', 'AssPr', 'LocA', 'OWTA')


def _zeros() -> np.ndarray:
    return np.zeros(len(THRESHOLDS))


@dataclass
class HOTASums(Sums):
    """What a class contributes in a video, or in several, at each threshold, (19,) each.

    Attributes:
        true: masks of objects that are found.
        missed: masks of objects that are not.
        false: masks of tracks on nothing.
        iou: sum over the masks that are found.
        association: sum over the masks that are found of the association accuracy of their pair
            of object and track: frames in common over frames of either.
        association_recall: the same over the frames of the object.
        association_precision: the same over the frames of the track.
    """

    true: np.ndarray = field(default_factory=_zeros)
    missed: np.ndarray = field(default_factory=_zeros)
    false: np.ndarray = field(default_factory=_zeros)
    iou: np.ndarray = field(default_factory=_zeros)
    association: np.ndarray = field(default_factory=_zeros)
    association_recall: np.ndarray = field(default_factory=_zeros)
    association_precision: np.ndarray = field(default_factory=_zeros)

    def at_thresholds(self) -> dict[str, np.ndarray]:
        """The :data:`MEASURES` at each threshold, (19,) each; LocA is 1 where nothing is found."""
        true = self.true
        found = np.maximum(1, true)
        detection = true / np.maximum(1, true + self.missed + self.false)
        recall = true / np.maximum(1, true + self.missed)
        association = self.association / found
        return dict(
            HOTA=np.sqrt(detection * association),
            DetA=detection,
            AssA=association,
            DetRe=recall,
            DetPr=true / np.maximum(1, true + self.false),
            AssRe=self.association_recall / found,
            AssPr=self.association_precision / found,
            LocA=np.maximum(1e-10, self.iou) / np.maximum(1e-10, true),
            OWTA=np.sqrt(recall * association),
        )

    def numbers(self) -> dict[str, list[float] | float]:
        """All fields by TrackEval's names."""
        values = self.at_thresholds()
        return dict(
            **{name: value.tolist() for name, value in values.items()},
            HOTA_TP=self.true.tolist(),
            HOTA_FN=self.missed.tolist(),
            HOTA_FP=self.false.tolist(),
            **{
                'HOTA(0)': float(values['HOTA'][0]),
                'LocA(0)': float(values['LocA'][0]),
                'HOTALocA(0)': float(values['HOTA'][0] * values['LocA'][0]),
            },
        )


def hota_sums(overlap: TrackOverlap) -> HOTASums:
    """Count one class in one video.

    Example:
        >>> from mmvseg.evaluation.functional.track_overlap import FrameIoU
        >>> frames = [FrameIoU(np.array([0]), np.array([0]), np.ones((1, 1))) for _ in range(3)]
        >>> overlap = TrackOverlap(4, np.array([4]), np.array([3]), frames)  # one of 4 is missed
        >>> numbers = hota_sums(overlap).at_thresholds()
        >>> {name: round(float(numbers[name][0]), 2) for name in ('HOTA', 'DetA', 'AssA')}
        {'HOTA': 0.75, 'DetA': 0.75, 'AssA': 0.75}
    """
    rows, columns, iou = _assigned(overlap)  # (P,) each
    hit = iou >= THRESHOLDS[:, None] - EPSILON  # (19, P)
    true = hit.sum(axis=1).astype(float)
    num_tracks = len(overlap.track_lengths)
    pairs, pair_of = np.unique(rows * num_tracks + columns, return_inverse=True)  # Q pairs
    at = pair_of + len(pairs) * np.arange(len(THRESHOLDS))[:, None]
    common = np.bincount(at[hit], minlength=len(pairs) * len(THRESHOLDS))
    common = common.reshape(len(THRESHOLDS), len(pairs))  # frames of each pair
    of_object = overlap.object_lengths[pairs // max(1, num_tracks)]
    of_track = overlap.track_lengths[pairs % max(1, num_tracks)]
    return HOTASums(
        true=true,
        missed=overlap.object_lengths.sum() - true,
        false=overlap.track_lengths.sum() - true,
        iou=(hit * iou).sum(axis=1),
        association=(common**2 / (of_object + of_track - common)).sum(axis=1),
        association_recall=(common**2 / of_object).sum(axis=1),
        association_precision=(common**2 / of_track).sum(axis=1),
    )


def _assigned(overlap: TrackOverlap) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Object, track and IoU of the pairs that the frames assign, (P,) each.

    Pairs that go together over the video are preferred to those that overlap most in a frame.
    """
    alignment = _alignment(overlap)
    rows, columns, iou = [np.zeros(0, int)], [np.zeros(0, int)], [np.zeros(0)]
    for frame in overlap.frames:
        score = alignment[frame.objects[:, None], frame.tracks] * frame.iou
        i, j = linear_sum_assignment(score, maximize=True)
        rows.append(frame.objects[i])
        columns.append(frame.tracks[j])
        iou.append(frame.iou[i, j])
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(iou)


def _alignment(overlap: TrackOverlap) -> np.ndarray:
    """How far an object and a track go together over the video, (G, D) in [0, 1]."""
    lengths = np.add.outer(overlap.object_lengths, overlap.track_lengths)
    common = np.zeros(lengths.shape)
    for frame in overlap.frames:
        iou = frame.iou
        rivals = iou.sum(axis=0) + iou.sum(axis=1, keepdims=True) - iou
        share = np.divide(iou, rivals, out=np.zeros_like(iou), where=rivals > EPSILON)
        common[frame.objects[:, None], frame.tracks] += share
    return common / (lengths - common)
