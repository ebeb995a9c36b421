"""Bipartite matching of queries and masks at sampled points (Mask2Former; DVIS, section 3.2)."""

import logging
from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from mmcv.ops import point_sample
from mmengine.logging import print_log
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from mmvseg.errors import NonFiniteError
from mmvseg.models.losses.query_predictions import (
    Assignment,
    MaskTargets,
    QueryPredictions,
    require_finite_everywhere,
    sample_masks,
)
from mmvseg.models.precision import full_precision
from mmvseg.ops import upload
from mmvseg.registry import TASK_UTILS

#: Points that are compared at a time: all queries at all points of a long clip fill a GPU.
_POINTS_AT_A_TIME = 2**16
#: Cost of a query that another object has already: more than any of the others.
TAKEN_COST = 1e6


@TASK_UTILS.register_module()
class QueryMatcher:
    """Match the queries of every image to its objects at the least total cost.

    Args:
        num_points: points of a frame at which masks are compared, the same for all masks.
        class_cost: weight of minus the probability of the object's class.
        mask_cost: weight of the binary cross entropy of the masks.
        dice_cost: weight of the dice loss of the masks.
    """

    def __init__(
        self,
        num_points: int = 12544,
        class_cost: float = 2.0,
        mask_cost: float = 5.0,
        dice_cost: float = 5.0,
    ) -> None:
        self.num_points = num_points
        self.class_cost = class_cost
        self.mask_cost = mask_cost
        self.dice_cost = dice_cost
        self._warned = False

    def match(
        self,
        predictions: QueryPredictions,
        targets: Sequence[MaskTargets],
        clip_length: int,
        videos: Sequence[str],
    ) -> list[Assignment]:
        """Check the predictions, then :meth:`assign`.

        Raises:
            NonFiniteError: on all processes together, if predictions have diverged on any.
        """
        require_finite_everywhere([predictions], videos)
        return self.assign(predictions, targets, clip_length, videos)

    @torch.no_grad()
    def assign(
        self,
        predictions: QueryPredictions,
        targets: Sequence[MaskTargets],
        clip_length: int,
        videos: Sequence[str],
    ) -> list[Assignment]:
        """Match predictions that are known to be finite.

        Args:
            predictions: of I images.
            targets: one an image.
            clip_length: images that follow each other in one clip.
            videos: name of each image's video.

        Returns:
            One assignment an image.
        """
        costs = [self.costs(predictions, image, target) for image, target in enumerate(targets)]
        matches = map(self._solve, _to_cpu(costs), videos)
        return _to_device(list(matches), targets[0].labels.device)

    def costs(self, predictions: QueryPredictions, image: int, targets: MaskTargets) -> Tensor:
        """Cost of every query for every object, never in half precision, (Q, N)."""
        masks = predictions.mask_logits(image)  # (Q, F * h, w)
        shape = (1, self.num_points * predictions.num_frames, 2)
        points = torch.rand(shape, device=masks.device).to(masks.dtype)
        truth = sample_masks(targets.masks, points)  # (N, P)
        bce = overlap = inside = 0.0
        with torch.autocast(masks.device.type, enabled=False):
            for where, wanted in zip(
                points.split(_POINTS_AT_A_TIME, 1), truth.split(_POINTS_AT_A_TIME, 1), strict=True
            ):
                logits = point_sample(masks[None], where)[0]  # (Q, P)
                # BCE(x, t) = softplus(x) - x t
                bce = bce + F.softplus(logits).sum(1, keepdim=True) - logits @ wanted.T
                logits = logits.sigmoid_()
                overlap = overlap + logits @ wanted.T
                inside = inside + logits.sum(1, keepdim=True)
            dice = 1 - (2 * overlap + 1) / (inside + truth.sum(1) + 1)  # (Q, N)
            scores = full_precision(predictions.class_logits[image]).softmax(1)
            return (
                self.class_cost * -scores[:, targets.labels]
                + self.mask_cost * bce / truth.shape[1]
                + self.dice_cost * dice
            )

    def _solve(self, cost: Tensor, video: str) -> Assignment:
        """Queries in ascending order and the object of each; ``cost`` (Q, N) is on the CPU."""
        num_queries, num_objects = cost.shape
        if num_objects > num_queries and not self._warned:
            self._warned = True
            print_log(
                f'video {video!r}: {num_objects} objects, but {num_queries} queries: the surplus '
                'is not learnt, here and in other videos (raise panoptic_head.num_queries)',
                logger='current',
                level=logging.WARNING,
            )
        if not cost.isfinite().all():
            raise NonFiniteError.diverged(f'video {video!r}: the cost matrix of the matching')
        queries, objects = linear_sum_assignment(cost.numpy().astype(np.float64))
        return torch.from_numpy(queries), torch.from_numpy(objects)


@TASK_UTILS.register_module()
class ConsistentQueryMatcher(QueryMatcher):
    """Match every object in the first frame that shows it; that holds for all frames of its clip.

    As published for DVIS, objects that appear later do not avoid the queries of those before: a
    query may get two objects.
    """

    #: Whether an object avoids the queries of objects that appear before it.
    exclusive = False

    @torch.no_grad()
    def assign(
        self,
        predictions: QueryPredictions,
        targets: Sequence[MaskTargets],
        clip_length: int,
        videos: Sequence[str],
    ) -> list[Assignment]:
        """Match predictions that are known to be finite.

        Args:
            predictions: of I images, one a frame.
            targets: one a frame; those of one clip list the same objects.
            clip_length: frames that follow each other in one clip.
            videos: name of each frame's video.

        Returns:
            One assignment a frame, the same for all frames of a clip.
        """
        appearing = [
            part
            for start in range(0, len(targets), clip_length)
            for part in _appearing(targets[start : start + clip_length])
        ]
        costs = _to_cpu(
            [
                self.costs(predictions, image, targets[image].select(new))
                for image, new in enumerate(appearing)
                if len(new)
            ]
        )
        waiting = iter(costs)
        matches = []
        for start in range(0, len(targets), clip_length):
            new = appearing[start : start + clip_length]
            matches.append(self._match_clip(new, waiting, videos[start]))
        clips = _to_device(matches, targets[0].labels.device)
        return [assignment for assignment in clips for _ in range(clip_length)]

    def _match_clip(
        self, appearing: Sequence[Tensor], costs: Iterator[Tensor], video: str
    ) -> Assignment:
        """Match a clip, given the objects that appear in each frame; ``costs`` of those alone."""
        pairs = [torch.zeros(2, 0, dtype=torch.long)]
        for new in filter(len, appearing):
            cost = next(costs)
            if self.exclusive:
                cost = cost.index_fill(0, torch.cat(pairs, dim=1)[0], TAKEN_COST)
            queries, objects = self._solve(cost, video)
            pairs.append(torch.stack([queries, new[objects]]))
        queries, objects = torch.cat(pairs, dim=1)
        return queries, objects


@TASK_UTILS.register_module()
class ExclusiveQueryMatcher(ConsistentQueryMatcher):
    """:class:`ConsistentQueryMatcher` in which a query gets one object of a clip (VidEoMT).

    More only where a clip has more objects than there are queries.
    """

    exclusive = True


def _appearing(targets: Sequence[MaskTargets]) -> list[Tensor]:
    """Of each frame of a clip, the objects that no frame before it shows, on the CPU."""
    waiting = torch.ones_like(targets[0].visible)
    appearing = []
    for target in targets:
        appearing.append(torch.nonzero(target.visible & waiting)[:, 0])
        waiting = waiting & ~target.visible
    return appearing


def _to_cpu(costs: Sequence[Tensor]) -> Sequence[Tensor]:
    """Cost matrices (Q, n) of a layer, all in one transfer."""
    if not costs:
        return []
    return torch.cat(list(costs), dim=1).cpu().split([cost.shape[1] for cost in costs], dim=1)


def _to_device(matches: Sequence[Assignment], device: torch.device) -> list[Assignment]:
    """Assignments that were found on the CPU, all in one transfer."""
    counts = [len(queries) for queries, _ in matches]
    pairs = torch.cat([torch.stack(match) for match in matches], dim=1)  # (2, sum of counts)
    return list(zip(*(side.split(counts) for side in upload(pairs, device)), strict=True))
