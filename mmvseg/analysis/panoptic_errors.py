"""What is wrong with the panoptic segments of a single frame, one kind each.

- *poor*: a match, as far as its IoU is below 1;
- *class*: a segment that matches one of another class;
- *too poor*: a missed and a false segment of one class that are on each other (IoU of at least
  0.1), but do not match;
- *false*, *missed*: the others.
"""

from dataclasses import dataclass

import numpy as np

from mmvseg.evaluation.functional.panoptic_matching import MATCH_IOU, WindowMatching

#: Kinds of errors in single frames.
FRAME_KINDS = ('poor', 'too_poor', 'class', 'false', 'missed')
#: A segment that does not match is on one of its class from this intersection over union on.
ON = 0.1


@dataclass
class FrameErrors:
    """The segments of a frame; rows and columns as in :class:`.FrameOverlap`.

    Attributes:
        right: row of each predicted segment that matches, by its column.
        confused: the same of those that match but for their class.
        too_poor: the same of those that are on one of their class.
        false: columns of the other false positives.
        missed: rows of the other false negatives.
        lost: what each class loses by each of :data:`FRAME_KINDS`, (K, 5), in matches.
    """

    right: dict[int, int]
    confused: dict[int, int]
    too_poor: dict[int, int]
    false: list[int]
    missed: list[int]
    lost: np.ndarray


def frame_errors(found: WindowMatching, num_classes: int) -> FrameErrors:
    """Find what is wrong.

    Args:
        found: the matching of a window of one frame.
        num_classes: number of classes K.
    """
    lost = dict(zip(FRAME_KINDS, np.zeros((len(FRAME_KINDS), num_classes)), strict=True))
    missed, wrong = found.missed.copy(), found.wrong.copy()
    t, p = found.matches
    np.add.at(lost['poor'], found.labels[t], 1 - found.iou[t, p])
    right = _pairs(found, t, p)
    same = found.labels[:, None] == found.pred_labels
    t, p = np.nonzero(~same & missed[:, None] & (found.iou > MATCH_IOU))
    # what is mostly on void is no false positive
    np.add.at(lost['class'], found.labels[t], 0.5)
    np.add.at(lost['class'], found.pred_labels[p], 0.5 * wrong[p])
    confused = _pairs(found, t, p)
    missed[t] = wrong[p] = False
    t, p = _too_poor(np.where(same & missed[:, None] & wrong, found.iou, 0))
    np.add.at(lost['too_poor'], found.labels[t], 1)
    too_poor = _pairs(found, t, p)
    missed[t] = wrong[p] = False
    np.add.at(lost['false'], found.pred_labels[wrong], 0.5)
    np.add.at(lost['missed'], found.labels[missed], 0.5)
    return FrameErrors(
        right,
        confused,
        too_poor,
        found.columns[wrong].tolist(),
        found.rows[missed].tolist(),
        np.stack([lost[kind] for kind in FRAME_KINDS], axis=1),
    )


def _too_poor(iou: np.ndarray) -> tuple[list[int], list[int]]:
    """Pairs of segments that are on each other, the best first; each is in one."""
    t, p = np.nonzero(iou >= ON)
    pairs: dict[int, int] = {}
    for i in np.argsort(-iou[t, p], kind='stable').tolist():
        if t[i] not in pairs and p[i] not in pairs.values():
            pairs[int(t[i])] = int(p[i])
    return [*pairs], [*pairs.values()]


def _pairs(found: WindowMatching, t: np.ndarray, p: np.ndarray) -> dict[int, int]:
    return dict(zip(found.columns[p].tolist(), found.rows[t].tolist(), strict=True))
