"""TeViT's cascade of box and mask heads (TeViT, sections 3.2 and 3.3).

Every stage lets the queries of a clip interact (:class:`STQIHead`), refines one box per query and
frame, and predicts a mask inside it. Query q is the same object in all frames of the clip.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from mmdet.models.losses import accuracy
from mmdet.utils import reduce_mean
from mmengine.dist import get_world_size
from mmengine.model import BaseModule, ModuleList
from mmengine.structures import InstanceData
from torch import Tensor

from mmvseg.models.precision import full_precision
from mmvseg.registry import MODELS, TASK_UTILS

from .clip_targets import BatchInstances, StageTargets, stage_targets


class QueryState(NamedTuple):
    """What a stage hands on: N = B * T frames, Q queries, C channels.

    Attributes:
        boxes: (N, Q, 4) xyxy pixels of the network input, never clipped to it.
        query_feats: (N, Q, C), the next stage's queries; classes are read off them.
        attn_feats: (N, Q, C), queries before they met the box features; masks are made of them.
    """

    boxes: Tensor
    query_feats: Tensor
    attn_feats: Tensor


class TrainingStage(NamedTuple):
    """One stage of a training step: its outputs, what they were held against, the losses."""

    state: QueryState
    cls_logits: Tensor
    targets: StageTargets
    losses: dict[str, Tensor]


@MODELS.register_module()
class TeViTRoIHead(BaseModule):
    """S stages of box heads with a mask head each; no weights are shared between stages.

    Args:
        num_stages: S.
        bbox_roi_extractor: features of the boxes for the box heads, a ``FrameRoIExtractor``.
        mask_roi_extractor: the same for the mask heads.
        bbox_head: config of one box head, an ``STQIHead``.
        mask_head: config of one mask head, a ``TeViTMaskHead``.
        assigner: clip-level matching, a ``TeViTHungarianAssigner``.
        stage_loss_weights: weight of each stage's losses, S numbers; None for 1 each.
        mask_size: side of the mask targets in pixels, the size of the mask head's output.
        frame_chunk: at inference, box features exist for this many frames at a time. None: 2 on
            a CPU, whose cache holds the filters of no more, and 16 on a GPU.
    """

    def __init__(
        self,
        num_stages: int,
        bbox_roi_extractor: dict,
        mask_roi_extractor: dict,
        bbox_head: dict,
        mask_head: dict,
        assigner: dict,
        stage_loss_weights: Sequence[float] | None = None,
        mask_size: int = 28,
        frame_chunk: int | None = None,
    ) -> None:
        super().__init__()
        self.num_stages = num_stages
        self.bbox_roi_extractor = MODELS.build(bbox_roi_extractor)
        self.mask_roi_extractor = MODELS.build(mask_roi_extractor)
        self.bbox_head = ModuleList(MODELS.build(bbox_head) for _ in range(num_stages))
        self.mask_head = ModuleList(MODELS.build(mask_head) for _ in range(num_stages))
        self.assigner = TASK_UTILS.build(assigner)
        self.stage_loss_weights = stage_loss_weights or [1.0] * num_stages
        self.mask_size = mask_size
        self.frame_chunk = frame_chunk

    def loss(
        self,
        feats: Sequence[Tensor],
        boxes: Tensor,
        query_feats: Tensor,
        clip_length: int,
        gt_instances: Sequence[Sequence[InstanceData]],
        img_shapes: Sequence[tuple[int, int]],
    ) -> dict[str, Tensor]:
        """Weighted losses of all stages.

        Args:
            feats: feature maps of the N = B * T frames, (N, C, h, w) a level.
            boxes: initial boxes (N, Q, 4), xyxy pixels.
            query_feats: initial queries (N, Q, C).
            clip_length: T.
            gt_instances: annotations of B clips of T frames, masks at the padded input size.
            img_shapes: (H, W) of each clip without padding.

        Returns:
            For each stage s ``stage{s}_loss_cls``, ``_loss_bbox``, ``_loss_iou``, ``_loss_mask``
            and, for the log only, ``_pos_acc``: always all of them.
        """
        truth = BatchInstances.from_clips(gt_instances, img_shapes)
        stages = self.training_stages(feats, boxes, query_feats, clip_length, truth)
        return {
            f'stage{s}_{name}': value * weight
            for s, (stage, weight) in enumerate(zip(stages, self.stage_loss_weights, strict=True))
            for name, value in stage.losses.items()
        }

    def training_stages(
        self,
        feats: Sequence[Tensor],
        boxes: Tensor,
        query_feats: Tensor,
        clip_length: int,
        truth: BatchInstances,
    ) -> Iterator[TrainingStage]:
        """Run the stages one after another, each matched anew; arguments as for :meth:`loss`."""
        for s in range(self.num_stages):
            state = self.run_stage(s, feats, boxes, query_feats, clip_length)
            cls_logits = full_precision(self.bbox_head[s].classify(state.query_feats))
            targets = stage_targets(
                self.assigner, cls_logits, state.boxes, truth, self.mask_size, where=f'stage {s}'
            )
            num_pos = reduce_mean(boxes.new_tensor(float(len(targets))))
            losses = self._box_losses(s, cls_logits, state.boxes, targets, num_pos)
            losses['loss_mask'] = self._mask_loss(s, feats, state, targets, num_pos)
            yield TrainingStage(state, cls_logits, targets, losses)
            boxes, query_feats = state.boxes.detach(), state.query_feats

    def run_stage(
        self,
        stage: int,
        feats: Sequence[Tensor],
        boxes: Tensor,
        query_feats: Tensor,
        clip_length: int,
    ) -> QueryState:
        """One box stage; classes are left to ``bbox_head[stage].classify(query_feats)``.

        Without gradients the frames pass in chunks; only attention sees the whole clip at once.

        Args:
            stage: index of the stage.
            feats: (N, C, h, w) a level.
            boxes: (N, Q, 4).
            query_feats: (N, Q, C).
            clip_length: T.
        """
        head = self.bbox_head[stage]
        attn_feats = head.attend(query_feats, clip_length)
        chunks = [
            head.interact(self.bbox_roi_extractor([f[c] for f in feats], boxes[c]), attn_feats[c])
            for c in self._chunks(boxes)
        ]
        query_feats = torch.cat(chunks)
        deltas = full_precision(head.regress(query_feats))
        refined = head.bbox_coder.decode(boxes.flatten(0, 1), deltas.flatten(0, 1))
        return QueryState(refined.view_as(boxes), query_feats, attn_feats)

    def predict_queries(
        self, feats: Sequence[Tensor], boxes: Tensor, query_feats: Tensor, clip_length: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """All box stages.

        Returns:
            class logits (N, Q, K), boxes (N, Q, 4) and attention features (N, Q, C) of the last
            stage.
        """
        for s in range(self.num_stages):
            state = self.run_stage(s, feats, boxes, query_feats, clip_length)
            boxes, query_feats = state.boxes, state.query_feats
        cls_logits = full_precision(self.bbox_head[-1].classify(query_feats))
        return cls_logits, boxes, state.attn_feats

    def predict_masks(
        self, feats: Sequence[Tensor], boxes: Tensor, attn_feats: Tensor, labels: Tensor
    ) -> Tensor:
        """Masks of chosen queries by the last stage's mask head.

        Args:
            feats: (N, C, h, w) a level.
            boxes: boxes of n queries, (N, n, 4).
            attn_feats: attention features of these queries, (N, n, C).
            labels: the class whose mask is wanted of each, (N, n).

        Returns:
            Logits inside the boxes, (N, n, 28, 28).
        """
        logits = [
            self.mask_head[-1].class_logits(
                self.mask_roi_extractor([f[c] for f in feats], boxes[c]),
                attn_feats[c].flatten(0, 1),
                labels[c].flatten(),
            )
            for c in self._chunks(boxes)
        ]
        logits = full_precision(torch.cat(logits))
        return logits.view(*labels.shape, *logits.shape[1:])

    def _chunks(self, boxes: Tensor) -> list[slice]:
        """Slices of frames that are processed together; in training all at once."""
        if torch.is_grad_enabled():
            return [slice(None)]
        step = self.frame_chunk or (16 if boxes.is_cuda else 2)
        return [slice(start, start + step) for start in range(0, len(boxes), step)]

    def _box_losses(
        self,
        stage: int,
        cls_logits: Tensor,
        boxes: Tensor,
        targets: StageTargets,
        num_pos: Tensor,
    ) -> dict[str, Tensor]:
        """Losses of classes and boxes, summed and divided by ``num_pos``, the ranks' mean."""
        head = self.bbox_head[stage]
        # The published code divides by zero when no rank has a positive; one positive among all
        # ranks is the least that can occur otherwise, so nothing else changes.
        num_pos = num_pos.clamp(min=1 / get_world_size())
        pos_logits = cls_logits[targets.frames, targets.queries]  # (P, K)
        pos_boxes = boxes[targets.frames, targets.queries]  # (P, 4)
        one_hot = torch.zeros_like(cls_logits)
        one_hot[targets.frames, targets.queries, targets.labels] = 1
        size = targets.frame_whwh
        return dict(
            # One-hot targets: mmdet then needs no compiled op on a GPU.
            loss_cls=head.loss_cls(
                cls_logits.flatten(0, 1), one_hot.flatten(0, 1), avg_factor=num_pos
            ),
            loss_bbox=head.loss_bbox(pos_boxes / size, targets.boxes / size, avg_factor=num_pos),
            loss_iou=head.loss_iou(pos_boxes, targets.boxes, avg_factor=num_pos),
            pos_acc=accuracy(pos_logits, targets.labels).view(()),
        )

    def _mask_loss(
        self,
        stage: int,
        feats: Sequence[Tensor],
        state: QueryState,
        targets: StageTargets,
        num_pos: Tensor,
    ) -> Tensor:
        """Dice loss of the masks inside the refined boxes of the positives."""
        head = self.mask_head[stage]
        if len(targets) == 0:
            # Batch norm has nothing to learn from; the parameters stay in the graph so that the
            # ranks of a distributed run agree on them.
            return sum(parameter.sum() for parameter in head.parameters()) * 0
        boxes = state.boxes[targets.frames, targets.queries].detach()
        rois = torch.cat([targets.frames.unsqueeze(1), boxes], dim=1)  # (P, 5)
        logits = head.class_logits(
            self.mask_roi_extractor.pool(feats, rois),
            state.attn_feats[targets.frames, targets.queries],
            targets.labels,
        )
        masks = full_precision(logits).sigmoid()
        return head.loss_mask(masks, targets.masks, avg_factor=num_pos.clamp(min=1))
