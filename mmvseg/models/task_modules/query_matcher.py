"""Bipartite matching of queries and masks at sampled points (Mask2Former; DVIS, section 3.2)."""

import logging
from collections.abc import Sequence

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
        return [
            self._match_image(predictions, image, target, videos[image])
            for image, target in enumerate(targets)
        ]

    def costs(self, predictions: QueryPredictions, image: int, targets: MaskTargets) -> Tensor:
        """Cost of every query for every object, never in half precision, (Q, N)."""
        masks = predictions.mask_logits(image)  # (Q, F * h, w)
        shape = (1, self.num_points * predictions.num_frames, 2)
        points = torch.rand(shape, device=masks.device).to(masks.dtype)
        truth = sample_masks(targets.masks, points.expand(len(targets.masks), -1, -1))  # (N, P)
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

    def _match_image(
        self,
        predictions: QueryPredictions,
        image: int,
        targets: MaskTargets,
        video: str,
        taken: Tensor | None = None,
    ) -> Assignment:
        """Queries in ascending order and the object of each; ``taken`` queries come last."""
        num_queries, num_objects = predictions.num_queries, len(targets.labels)
        if num_objects > num_queries and not self._warned:
            self._warned = True
            print_log(
                f'video {video!r}: {num_objects} objects, but {num_queries} queries: the surplus '
                'is not learnt, here and in other videos (raise panoptic_head.num_queries)',
                logger='current',
                level=logging.WARNING,
            )
        cost = self.costs(predictions, image, targets)
        if taken is not None:
            cost[taken] = TAKEN_COST
        cost = cost.cpu()
        if not cost.isfinite().all():
            raise NonFiniteError.diverged(f'video {video!r}: the cost matrix of the matching')
        queries, objects = linear_sum_assignment(cost.numpy().astype(np.float64))
        device = targets.labels.device
        return torch.from_numpy(queries).to(device), torch.from_numpy(objects).to(device)


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
        assignments = []
        for start in range(0, len(targets), clip_length):
            clip = range(start, start + clip_length)
            assignment = self._match_clip(predictions, clip, targets, videos[start])
            assignments += [assignment] * clip_length
        return assignments

    def _match_clip(
        self,
        predictions: QueryPredictions,
        clip: range,
        targets: Sequence[MaskTargets],
        video: str,
    ) -> Assignment:
        visible = torch.stack([targets[image].visible for image in clip])  # (T, N)
        waiting = torch.ones_like(visible[0])
        pairs = []
        for image, seen in zip(clip, visible, strict=True):
            new = torch.nonzero(seen & waiting)[:, 0]
            waiting &= ~seen
            if not len(new):
                continue
            target = targets[image]
            appearing = MaskTargets(target.labels[new], target.masks[new], target.visible[new])
            taken = (
                torch.cat([earlier for earlier, _ in pairs]) if self.exclusive and pairs else None
            )
            queries, objects = self._match_image(predictions, image, appearing, video, taken)
            pairs.append(torch.stack([queries, new[objects]]))
        if not pairs:
            pairs = [torch.zeros(2, 0, dtype=torch.long, device=visible.device)]
        queries, objects = torch.cat(pairs, dim=1)
        return queries, objects


@TASK_UTILS.register_module()
class ExclusiveQueryMatcher(ConsistentQueryMatcher):
    """:class:`ConsistentQueryMatcher` in which a query gets one object of a clip (VidEoMT).

    More only where a clip has more objects than there are queries.
    """

    exclusive = True
