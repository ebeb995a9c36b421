"""What is wrong with each tube: one kind each, as TIDE does for boxes of images.

A tube that AP counts as a false positive at IoU 0.5 is, by the first rule that holds:

- *association*: once the masks are linked rightly, at least half of what it shows of an object is
  in a tube that is right;
- *duplicate*: it fits an object of its class, which a better tube has taken;
- *class*: it fits an object of another class;
- *duplicate*, too: it is on an object of its class that a right tube has taken;
- *mask*, *extent*: it is on another object of its class. With perfect masks in its frames, or
  with a perfect choice of frames, it would fit better; the one that gains more is the kind;
- *false*: all others.

An object is *missed* if no tube is right about it, none of the kinds class, mask and extent is on
it, and right linking does not find it. "Fits" is a tube IoU of at least 0.5, "on" one of at least
0.1.
"""

from dataclasses import dataclass

import numpy as np

from .association import AssociationErrors
from .perfecting import with_perfect_extent, with_perfect_masks
from .tubes import FITS, TubeMatching, Tubes, match, tube_iou
from .video_overlap import VideoOverlap

#: In the order in which they are mended.
KINDS = ('association', 'class', 'mask', 'extent', 'duplicate', 'false', 'missed')
#: A tube is on an object from this intersection over union on.
ON = 0.1


@dataclass
class TubeKinds:
    """What is wrong with the N tubes of a video with G objects.

    Attributes:
        matching: what AP says of them.
        kinds: of :data:`KINDS`, '' for what is right or ignored, (N,).
        targets: position of the object that a tube is right about or would be, if mended; -1 for
            none, (N,).
        missed: whether each object is missed, (G,).
    """

    matching: TubeMatching
    kinds: np.ndarray
    targets: np.ndarray
    missed: np.ndarray


def tube_kinds(
    tubes: Tubes, overlap: VideoOverlap, association: AssociationErrors | None = None
) -> TubeKinds:
    """Find what is wrong with each tube.

    Args:
        tubes: N tubes.
        overlap: the video.
        association: what right linking would put right, of tubes that can be linked anew.
    """
    association = association or AssociationErrors()
    matching = match(tubes, overlap)
    counted = overlap.counted
    same = tubes.category_ids[:, None] == overlap.object_categories  # (N, G)
    own, own_iou = _best(np.where(same & counted, matching.iou, -1))
    other, other_iou = _best(np.where(~same & counted, matching.iou, -1))
    linked, aims = np.zeros(len(tubes), bool), np.full(len(tubes), -1)
    linked[[*association.tracks]] = True
    aims[[*association.tracks]] = [*association.tracks.values()]
    is_taken = np.zeros(len(counted) + 1, bool)  # the last is what -1 selects
    is_taken[matching.taken[matching.right]] = True
    rules = [
        ('association', linked, aims),
        ('duplicate', own_iou >= FITS, own),
        ('class', other_iou >= FITS, other),
        ('duplicate', (own_iou >= ON) & is_taken[own], own),
        ('poor', own_iou >= ON, own),
        ('false', np.ones(len(tubes), bool), np.full(len(tubes), -1)),
    ]
    conditions = [matching.wrong & holds for _, holds, _ in rules]
    kinds = np.select(conditions, [kind for kind, _, _ in rules], '').astype('<U11')
    targets = np.select(conditions, [objects for _, _, objects in rules], -1)
    targets[matching.right] = matching.taken[matching.right]
    _mask_or_extent(tubes, overlap, kinds, targets)
    found = matching.right | (kinds == 'class') | (kinds == 'mask') | (kinds == 'extent')
    missed = counted.copy()
    missed[targets[found]] = False
    missed[[*association.objects]] = False
    return TubeKinds(matching, kinds, targets, missed)


def duplicates(matching: TubeMatching, tubes: Tubes, overlap: VideoOverlap) -> np.ndarray:
    """Whether each wrong tube fits an object of its class, which another one has taken, (N,)."""
    own = (tubes.category_ids[:, None] == overlap.object_categories) & overlap.counted
    return matching.wrong & (own & (matching.iou >= FITS)).any(axis=1)


def _best(iou: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Position and value of the best object of each tube, -1 without objects, (N,) each."""
    if not iou.shape[1]:
        return np.full((2, len(iou)), -1)
    return iou.argmax(axis=1), iou.max(axis=1)


def _mask_or_extent(
    tubes: Tubes, overlap: VideoOverlap, kinds: np.ndarray, targets: np.ndarray
) -> None:
    """Tell poor masks from a poor choice of frames."""
    poor = np.flatnonzero(kinds == 'poor')
    if not len(poor):
        return
    aims = np.where(kinds == 'poor', targets, -1)
    by_masks = tube_iou(with_perfect_masks(tubes, overlap, aims), overlap)
    by_extent = tube_iou(with_perfect_extent(tubes, overlap, aims), overlap)
    better = by_masks[poor, targets[poor]] >= by_extent[poor, targets[poor]]
    kinds[poor] = np.where(better, 'mask', 'extent')
