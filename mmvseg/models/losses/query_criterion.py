"""Losses of queries against masks at sampled points (Mask2Former, section 3.3).

MinVIS takes each frame as an image; DVIS online keeps one matching for the frames of a clip; DVIS
offline takes the stacked frames of a clip as one image.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmcv.ops import point_sample
from mmdet.models.utils import get_uncertain_point_coords_with_randomness
from mmengine.dist import all_reduce
from torch import Tensor, nn

from mmvseg.errors import NonFiniteError
from mmvseg.models.precision import full_precision
from mmvseg.registry import MODELS, TASK_UTILS

from .query_predictions import (
    Assignment,
    MaskTargets,
    QueryPredictions,
    describe_divergence,
    sample_masks,
)


@MODELS.register_module()
class QueryCriterion(nn.Module):
    """Cross entropy of all queries; point-sampled BCE and dice of the matched ones' masks.

    Args:
        num_classes: K, without "no object".
        matcher: ``QueryMatcher`` or ``ConsistentQueryMatcher``; it samples as many points as the
            losses unless it says otherwise.
        num_points: points of a mask and frame; an image of F frames has F times as many.
        oversample_ratio: candidates for the points next to a mask's edge, over ``num_points``.
        importance_sample_ratio: share of the points that are taken next to the edge.
        no_object_weight: weight of queries without an object in the cross entropy.
        class_loss_weight: of the cross entropy.
        mask_loss_weight: of the binary cross entropy.
        dice_loss_weight: of the dice loss.

    Example:
        >>> criterion = QueryCriterion(num_classes=40, matcher=dict(type='QueryMatcher'))
        >>> losses = criterion(layers, targets, videos=['a', 'b'])  # doctest: +SKIP
    """

    def __init__(
        self,
        num_classes: int,
        matcher: dict,
        num_points: int = 12544,
        oversample_ratio: float = 3.0,
        importance_sample_ratio: float = 0.75,
        no_object_weight: float = 0.1,
        class_loss_weight: float = 2.0,
        mask_loss_weight: float = 5.0,
        dice_loss_weight: float = 5.0,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.matcher = TASK_UTILS.build(matcher, default_args=dict(num_points=num_points))
        self.num_points = num_points
        self.oversample_ratio = oversample_ratio
        self.importance_sample_ratio = importance_sample_ratio
        self.weights = dict(
            loss_ce=class_loss_weight, loss_mask=mask_loss_weight, loss_dice=dice_loss_weight
        )
        class_weights = torch.ones(num_classes + 1)
        class_weights[-1] = no_object_weight
        self.register_buffer('class_weights', class_weights, persistent=False)

    def forward(
        self,
        layers: Sequence[QueryPredictions],
        targets: Sequence[MaskTargets],
        clip_length: int = 1,
        assignments: Sequence[Assignment] | None = None,
        *,
        videos: Sequence[str],
    ) -> dict[str, Tensor]:
        """Weighted losses of all layers.

        Args:
            layers: first to last.
            targets: one an image.
            clip_length: images that follow each other in one clip.
            assignments: one an image, for all layers; None: each layer is matched itself.
            videos: name of each image's video.

        Returns:
            ``loss_ce``, ``loss_mask`` and ``loss_dice`` of the last layer, and ``d{i}.loss_*`` of
            layer i before it.

        Raises:
            NonFiniteError: on all processes together, if predictions have diverged on any.
        """
        num_masks = self._num_masks(layers, targets, videos)
        *earlier, last = layers
        ordered = dict([('', last), *((f'd{i}.', layer) for i, layer in enumerate(earlier))])
        losses = {}
        for prefix, layer in ordered.items():
            matches = assignments or self._match(layer, targets, clip_length, videos)
            for name, loss in self.layer_losses(layer, targets, matches, num_masks).items():
                losses[prefix + name] = self.weights[name] * loss
        return losses

    def _match(
        self,
        layer: QueryPredictions,
        targets: Sequence[MaskTargets],
        clip_length: int,
        videos: Sequence[str],
    ) -> Sequence[Assignment]:
        if not layer.made_on_demand:
            return self.matcher.assign(layer, targets, clip_length, videos)
        # The features are new here, so that they may be broken on this process alone.
        problem, matches = None, []
        try:
            matches = self.matcher.assign(layer, targets, clip_length, videos)
        except NonFiniteError as error:
            problem = error
        troubled = torch.tensor(float(problem is not None), device=layer.class_logits.device)
        all_reduce(troubled)
        if troubled:
            raise problem or NonFiniteError.diverged('predictions of another process')
        return matches

    def _num_masks(
        self,
        layers: Sequence[QueryPredictions],
        targets: Sequence[MaskTargets],
        videos: Sequence[str],
    ) -> float:
        """Objects of all images, mean over the processes, at least 1."""
        problem = describe_divergence(layers, videos)
        count = sum(len(target.labels) for target in targets)
        # One message for both: a process that stopped alone would leave the others waiting.
        message = torch.tensor([count, problem is not None], dtype=torch.float32)
        message = message.to(layers[0].class_logits.device)
        all_reduce(message, 'mean')
        num_masks, troubled = message.tolist()
        if troubled:
            raise NonFiniteError.diverged(problem or 'predictions of another process')
        return max(num_masks, 1.0)

    def layer_losses(
        self,
        layer: QueryPredictions,
        targets: Sequence[MaskTargets],
        assignments: Sequence[Assignment],
        num_masks: float,
    ) -> dict[str, Tensor]:
        """Losses of one layer; a sub-class may add its own, with their weights in ``weights``.

        Args:
            layer: predictions of I images.
            targets: one an image.
            assignments: one an image, M matched queries in all.
            num_masks: what losses of the matched queries are divided by.

        Returns:
            By name, not yet weighted.
        """
        # under autocast, since some layers have yet to make their features
        masks = layer.selected_mask_logits([queries for queries, _ in assignments])
        with torch.autocast(layer.class_logits.device.type, enabled=False):
            mask_loss, dice_loss = self._mask_losses(masks, layer.num_frames, targets, assignments)
            return dict(
                loss_ce=self._class_loss(layer, targets, assignments),
                loss_mask=mask_loss / num_masks,
                loss_dice=dice_loss / num_masks,
            )

    def _class_loss(
        self,
        layer: QueryPredictions,
        targets: Sequence[MaskTargets],
        assignments: Sequence[Assignment],
    ) -> Tensor:
        """Cross entropy, mean over queries weighted by their class."""
        classes = torch.stack(
            [
                self._query_classes(target.labels[objects], queries, layer.num_queries)
                for target, (queries, objects) in zip(targets, assignments, strict=True)
            ]
        )  # (I, Q)
        logits = full_precision(layer.class_logits).flatten(0, 1)
        weights = self.class_weights.to(logits.dtype)
        return F.cross_entropy(logits, classes.flatten(), weights)

    def _query_classes(self, labels: Tensor, queries: Tensor, num_queries: int) -> Tensor:
        """Class of every query of an image, (Q,); of two objects of a query the later counts."""
        order = torch.arange(len(queries), device=queries.device)
        last = order.new_full((num_queries,), -1).scatter_reduce(0, queries, order, 'amax')
        no_object = labels.new_full((1,), self.num_classes)
        return torch.cat([labels, no_object])[last]  # -1: no object

    def _mask_losses(
        self,
        masks: Tensor,
        num_frames: int,
        targets: Sequence[MaskTargets],
        assignments: Sequence[Assignment],
    ) -> tuple[Tensor, Tensor]:
        """BCE (mean over points) and dice loss, each summed over the M matched masks."""
        if not len(masks):
            zero = masks.sum()  # a number with a gradient: parameters may not stay unused
            return zero, zero
        points = self.sample_points(masks, self.num_points * num_frames)
        logits = point_sample(masks[:, None], points)[:, 0]  # (M, P)
        counts = [len(queries) for queries, _ in assignments]
        truth = torch.cat(
            [
                sample_masks(target.masks[objects], where)
                for target, (_, objects), where in zip(
                    targets, assignments, points.split(counts), strict=True
                )
            ]
        )  # (M, P)
        bce = F.binary_cross_entropy_with_logits(logits, truth, reduction='none').mean(1)
        inside = logits.sigmoid()
        overlap = (inside * truth).sum(1)
        dice = 1 - (2 * overlap + 1) / (inside.sum(1) + truth.sum(1) + 1)
        return bce.sum(), dice.sum()

    @torch.no_grad()
    def sample_points(self, masks: Tensor, num_points: int) -> Tensor:
        """Points at which masks (M, H, W) are compared: xy, normalised to 0..1, (M, P, 2)."""
        points = get_uncertain_point_coords_with_randomness(
            masks[:, None].float(),
            None,  # labels: only masks of several classes need them
            num_points,
            self.oversample_ratio,
            self.importance_sample_ratio,
        )
        return points.to(masks.dtype)
