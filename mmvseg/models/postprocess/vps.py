"""Video panoptic segmentation from class probabilities and mask logits of queries.

As published, queries compete for every pixel, and whether one becomes a segment is decided by its
pixels in the whole video. One pass over the masks gives both, so nothing dense is kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmvseg.structures import CodedMaps, Segment, VideoPanoptic
from mmvseg.structures.panoptic_segments import segments_of_candidates

from .mask_probabilities import probability_bands
from .query_masks import FrameGeometry


@dataclass(frozen=True)
class PanopticRules:
    """Which queries become segments.

    Attributes:
        num_things: the classes below this index are things, the others stuff.
        object_mask_threshold: a query competes for pixels if its class is more probable than this.
        overlap_threshold: smallest ratio of the pixels that a query wins to those of its mask.
    """

    num_things: int
    object_mask_threshold: float = 0.8
    overlap_threshold: float = 0.8


@dataclass(frozen=True)
class Candidates:
    """The queries that compete for pixels.

    Attributes:
        queries: their numbers, ascending, (n,).
        labels: class indices, (n,).
        scores: probabilities of these classes, (n,).
    """

    queries: Tensor
    labels: Tensor
    scores: Tensor

    @classmethod
    def select(cls, class_probs: Tensor, threshold: float) -> 'Candidates':
        """The queries whose best class is an object's and more probable than ``threshold``.

        Args:
            class_probs: the last column is "no object", (Q, K + 1).
            threshold: of the probability.
        """
        scores, labels = class_probs.max(1)
        kept = (labels != class_probs.shape[1] - 1) & (scores > threshold)
        queries = torch.nonzero(kept).flatten()
        return cls(queries, labels[queries], scores[queries])

    def __len__(self) -> int:
        return len(self.queries)


def segment_video(
    candidates: Candidates,
    frames: Iterable[Tensor],
    geometry: FrameGeometry,
    rules: PanopticRules,
) -> VideoPanoptic:
    """Segments of a whole video.

    Args:
        candidates: what competes.
        frames: mask logits of the candidates in each frame, (n, h, w).
        geometry: sizes of the frames.
        rules: which candidates become segments.

    Returns:
        Segments with the ids 1, 2, ... in the order of their queries. Pixels with a probability
        below one half, or of a rejected candidate, belong to none.
    """
    winners = CodedMaps()
    areas = candidates.queries.new_zeros(len(candidates), 3)
    for mask_logits in frames:
        winner, frame_areas = claim_pixels(mask_logits, candidates.scores, geometry)
        winners.append(winner)
        areas = areas + frame_areas
    segments, ids = make_segments(candidates, areas.cpu().numpy(), rules)
    return VideoPanoptic(segments, CodedMaps(ids[winner] for winner in winners))


def claim_pixels(
    mask_logits: Tensor, scores: Tensor, geometry: FrameGeometry
) -> tuple[np.ndarray, Tensor]:
    """Give every pixel of a frame to the candidate with the highest score times probability.

    Args:
        mask_logits: before the sigmoid, (n, h, w).
        scores: (n,).
        geometry: sizes of the frame.

    Returns:
        1 + the place of the winner, 0 where its probability is below one half, (H, W); and for
        each candidate the numbers of pixels that it wins, that have a probability of at least one
        half, and that fulfil both, int64, (n, 3), on the device of the logits.
    """
    count = len(scores)
    if not count:
        return np.zeros(geometry.original, np.uint8), scores.new_zeros(0, 3, dtype=torch.int64)
    dtype = torch.uint8 if count < 256 else torch.int32  # what leaves the device is small
    bands, areas = [], 0
    for probs in probability_bands(mask_logits, geometry):
        winner = (scores[:, None, None] * probs).max(0).indices  # the first of equals
        inside = probs.gather(0, winner[None])[0] >= 0.5
        claimed = torch.where(inside, winner + 1, 0)
        bands.append(claimed.to(dtype))
        won, sure = _count(winner, count), _count(claimed, count + 1)[1:]
        areas = areas + torch.stack([won, (probs >= 0.5).flatten(1).sum(1), sure], dim=1)
    return torch.cat(bands).cpu().numpy().astype(np.min_scalar_type(count)), areas


def _count(values: Tensor, number: int) -> Tensor:
    """How often each integer below ``number`` occurs among values, none of which is larger."""
    if not values.is_cuda:
        return torch.bincount(values.flatten(), minlength=number)
    # There, bincount asks the device for the largest value and waits.
    numbers = torch.arange(number, device=values.device)
    return (values.flatten() == numbers[:, None]).sum(1)


def make_segments(
    candidates: Candidates,
    areas: np.ndarray,
    rules: PanopticRules,
    num_queries: int | None = None,
) -> tuple[list[Segment], np.ndarray]:
    """:func:`segments_of_candidates` of tensors.

    Args:
        candidates: n queries in ascending order.
        areas: of :func:`claim_pixels`, summed over frames, (n, 3).
        rules: which candidates become segments.
        num_queries: None, or Q for ids that do not depend on the other segments.

    Returns:
        The segments, and the id for each value that :func:`claim_pixels` puts into a map, (n + 1,).
    """
    columns = (candidates.queries, candidates.labels, candidates.scores)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return segments_of_candidates(
        rows, areas, rules.num_things, rules.overlap_threshold, num_queries
    )
