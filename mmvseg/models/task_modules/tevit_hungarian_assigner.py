"""Clip-level bipartite matching of queries and instances (TeViT, section 3.3).

A query stands for one instance in all frames of a clip, so the costs of the frames are averaged
before the assignment is solved. Unlike the published code, frames without annotations are fine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.structures import InstanceData
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from mmvseg.errors import UserError
from mmvseg.models.precision import full_precision
from mmvseg.registry import TASK_UTILS


@dataclass
class ClipInstances:
    """The annotations of a clip, the lists of its frames laid one after another.

    M counts the annotations of all frames, G the distinct instances.

    Attributes:
        num_frames: T.
        ids: instance ids of the clip, ascending, (G,), on the CPU.
        frames: frame of each annotation, (M,), on the CPU.
        positions: position of each annotation in the list of its frame, (M,), on the CPU.
        instances: index into ``ids`` of each annotation, (M,), on the CPU.
        bboxes: (M, 4) xyxy pixels, on the device of the annotations.
        labels: (M,), on the device of the annotations.
    """

    num_frames: int
    ids: Tensor
    frames: Tensor
    positions: Tensor
    instances: Tensor
    bboxes: Tensor
    labels: Tensor

    @classmethod
    def from_frames(cls, gt_instances: Sequence[InstanceData]) -> 'ClipInstances':
        """Gather the T frames' ``bboxes``, ``labels`` and ``instance_ids``; one device sync."""
        counts = [len(frame) for frame in gt_instances]
        all_ids = torch.cat([frame.instance_ids for frame in gt_instances]).cpu()
        ids, instances = torch.unique(all_ids, return_inverse=True)
        return cls(
            num_frames=len(gt_instances),
            ids=ids,
            frames=torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts)),
            positions=torch.cat([torch.arange(count) for count in counts]),
            instances=instances,
            bboxes=torch.cat([frame.bboxes for frame in gt_instances]),
            labels=torch.cat([frame.labels for frame in gt_instances]),
        )

    def __len__(self) -> int:
        return len(self.frames)


@dataclass
class ClipAssignment:
    """Which query stands for which instance of a clip; all on the CPU.

    Attributes:
        matched_query: query of each instance, (G,); -1 for the surplus if G exceeds Q.
        cost: what the assignment minimised, (Q, G): the mean over the frames that show the
            instance.
        assigned_gt_inds: (T, Q); 0 is background, k > 0 the k-th annotation of that frame.
        annotations: the annotations whose instance got a query, as indices into the M of
            :class:`ClipInstances`, ordered by frame and then by query, (P,).
        frames: frame of each of these, (P,).
        queries: query of each of these, (P,).
    """

    matched_query: Tensor
    cost: Tensor
    assigned_gt_inds: Tensor
    annotations: Tensor
    frames: Tensor
    queries: Tensor


@TASK_UTILS.register_module()
class TeViTHungarianAssigner:
    """Match the queries of a clip to its instances at the least total cost.

    Args:
        cls_cost: classification cost, e.g. mmdet's ``FocalLossCost``.
        reg_cost: box cost on boxes normalised by the frame size, e.g. mmdet's ``BBoxL1Cost``.
        iou_cost: box cost in pixels, e.g. mmdet's ``IoUCost``.

    Example:
        >>> assigner = TeViTHungarianAssigner(
        ...     cls_cost=dict(type='FocalLossCost', weight=2.0),
        ...     reg_cost=dict(type='BBoxL1Cost', box_format='xyxy', weight=5.0),
        ...     iou_cost=dict(type='IoUCost', iou_mode='giou', weight=2.0),
        ... )
        >>> clip = ClipInstances.from_frames(gt_instances)  # doctest: +SKIP
        >>> found = assigner.assign(logits, boxes, clip, img_shape=(360, 640))  # doctest: +SKIP
        >>> found.matched_query  # doctest: +SKIP
        tensor([17, 3])
    """

    def __init__(self, cls_cost: dict, reg_cost: dict, iou_cost: dict) -> None:
        self.costs = [TASK_UTILS.build(cost) for cost in (cls_cost, reg_cost, iou_cost)]

    def assign(
        self, cls_logits: Tensor, boxes: Tensor, clip: ClipInstances, img_shape: tuple[int, int]
    ) -> ClipAssignment:
        """Match one clip: :meth:`frame_costs`, then :meth:`solve`.

        Args:
            cls_logits: (T, Q, K) before the sigmoid.
            boxes: (T, Q, 4) xyxy pixels.
            clip: the clip's annotations.
            img_shape: (H, W) of the frames without padding, by which boxes are normalised.
        """
        return self.solve(self.frame_costs(cls_logits, boxes, clip, img_shape).cpu(), clip)

    @torch.no_grad()
    def frame_costs(
        self, cls_logits: Tensor, boxes: Tensor, clip: ClipInstances, img_shape: tuple[int, int]
    ) -> Tensor:
        """Cost of every query in the frame of every annotation, (Q, M), never in half precision."""
        num_frames, num_queries = cls_logits.shape[:2]
        prediction = InstanceData(
            scores=full_precision(cls_logits.flatten(0, 1)),
            bboxes=full_precision(boxes.flatten(0, 1)),
        )
        truth = InstanceData(labels=clip.labels, bboxes=full_precision(clip.bboxes))
        with torch.autocast(cls_logits.device.type, enabled=False):
            # All frames against all annotations: one call instead of T, the surplus is tiny.
            cost = sum(
                term(prediction, truth, img_meta=dict(img_shape=img_shape)) for term in self.costs
            )
        cost = cost.view(num_frames, num_queries, len(clip))
        columns = torch.arange(len(clip), device=cost.device)
        return cost[clip.frames.to(cost.device), :, columns].T  # (Q, M)

    def solve(self, frame_costs: Tensor, clip: ClipInstances, where: str = '') -> ClipAssignment:
        """Average the costs over the frames that show an instance and solve the assignment.

        Args:
            frame_costs: (Q, M) on the CPU, see :meth:`frame_costs`.
            clip: the clip's annotations.
            where: names the caller in an error, e.g. ``stage 2, clip 0``.

        Raises:
            UserError: if a cost is NaN or infinite.
        """
        if not frame_costs.isfinite().all():
            raise UserError(
                f'{where or "matching"}: predictions or annotations hold NaN or infinite values: '
                'training has diverged. Lower the learning rate or the loss scale, clip '
                'gradients, or train in float32 or bfloat16'
            )
        num_queries, num_instances = len(frame_costs), len(clip.ids)
        total = frame_costs.new_zeros(num_queries, num_instances)
        total.index_add_(1, clip.instances, frame_costs)
        cost = total / torch.bincount(clip.instances, minlength=num_instances)
        rows, columns = linear_sum_assignment(cost.numpy().astype(np.float64))
        matched_query = torch.full((num_instances,), -1)
        matched_query[torch.from_numpy(columns)] = torch.from_numpy(rows)
        return self._spread(matched_query, cost, clip)

    @staticmethod
    def _spread(matched_query: Tensor, cost: Tensor, clip: ClipInstances) -> ClipAssignment:
        """The clip's matches, written down for each frame that shows the instance."""
        num_queries = len(cost)
        query = matched_query[clip.instances]  # (M,)
        annotations = torch.nonzero(query >= 0).squeeze(1)
        order = (clip.frames * num_queries + query)[annotations].argsort()
        annotations = annotations[order]
        frames, queries = clip.frames[annotations], query[annotations]
        assigned = torch.zeros(clip.num_frames, num_queries, dtype=torch.long)
        assigned[frames, queries] = clip.positions[annotations] + 1
        return ClipAssignment(matched_query, cost, assigned, annotations, frames, queries)
