"""What a stage of :class:`TeViTRoIHead` is trained towards, from clip-level matching."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmcv.ops import roi_align
from mmengine.structures import InstanceData
from torch import Tensor

from mmvseg.models.task_modules.tevit_hungarian_assigner import (
    ClipAssignment,
    ClipInstances,
    TeViTHungarianAssigner,
)


@dataclass
class BatchInstances:
    """The annotations of a batch of B clips of T frames; M counts those of all frames.

    Attributes:
        clips: B clips.
        img_shapes: (H, W) of each clip without padding.
        boxes: (M, 4) xyxy pixels.
        labels: (M,).
        masks: (M, 1, H, W) of 0 and 1, type of the boxes, at the padded input size.
        frame_whwh: width, height, width, height of each frame without padding, (N, 4).
    """

    clips: list[ClipInstances]
    img_shapes: list[tuple[int, int]]
    boxes: Tensor
    labels: Tensor
    masks: Tensor
    frame_whwh: Tensor

    @classmethod
    def from_clips(
        cls,
        gt_instances: Sequence[Sequence[InstanceData]],
        img_shapes: Sequence[tuple[int, int]],
    ) -> 'BatchInstances':
        """Gather B clips of T frames of ``InstanceData``."""
        clips = [ClipInstances.from_frames(clip) for clip in gt_instances]
        boxes = torch.cat([clip.bboxes for clip in clips])
        whwh = [
            (w, h, w, h)
            for (h, w), clip in zip(img_shapes, clips, strict=True)
            for _ in range(clip.num_frames)
        ]
        return cls(
            clips=clips,
            img_shapes=list(img_shapes),
            boxes=boxes,
            labels=torch.cat([clip.labels for clip in clips]),
            masks=torch.cat([f.masks for clip in gt_instances for f in clip])[:, None].to(boxes),
            frame_whwh=boxes.new_tensor(whwh),
        )


@dataclass
class StageTargets:
    """The P positives of a stage: a query in a frame that shows its instance.

    They are ordered by frame and then by query.

    Attributes:
        annotations: index into the M of :class:`BatchInstances`, (P,).
        frames: index n = b * T + t of each, (P,).
        queries: (P,).
        labels: (P,).
        boxes: (P, 4) xyxy pixels.
        masks: 0 or 1 inside the predicted box, (P, size, size).
        frame_whwh: width, height, width, height of its frame without padding, (P, 4).
        assignments: the matching of each clip.
    """

    annotations: Tensor
    frames: Tensor
    queries: Tensor
    labels: Tensor
    boxes: Tensor
    masks: Tensor
    frame_whwh: Tensor
    assignments: list[ClipAssignment]

    def __len__(self) -> int:
        return len(self.frames)


@torch.no_grad()
def stage_targets(
    assigner: TeViTHungarianAssigner,
    cls_logits: Tensor,
    boxes: Tensor,
    truth: BatchInstances,
    mask_size: int,
    where: str,
) -> StageTargets:
    """Match each clip of a batch and gather the targets of its positives.

    Args:
        assigner: the clip-level matching.
        cls_logits: (N, Q, K), frames of a clip follow each other.
        boxes: (N, Q, 4) xyxy pixels.
        truth: annotations of the batch.
        mask_size: side of the mask targets.
        where: names the caller in an error.
    """
    assignments = _match(assigner, cls_logits, boxes, truth, where)
    T = truth.clips[0].num_frames
    annotations, frames, first = [], [], 0
    for b, (clip, assignment) in enumerate(zip(truth.clips, assignments, strict=True)):
        annotations.append(assignment.annotations + first)
        frames.append(assignment.frames + b * T)
        first += len(clip)
    queries = torch.cat([assignment.queries for assignment in assignments])
    # One copy to the device for the three index lists.
    index = torch.stack([torch.cat(annotations), torch.cat(frames), queries]).to(boxes.device)
    annotation, frame, query = index
    cropped = crop_masks(truth.masks, annotation, boxes[frame, query], mask_size)
    return StageTargets(
        annotations=annotation,
        frames=frame,
        queries=query,
        labels=truth.labels[annotation],
        boxes=truth.boxes[annotation],
        masks=(cropped >= 0.5).to(boxes),
        frame_whwh=truth.frame_whwh[frame],
        assignments=assignments,
    )


def _match(
    assigner: TeViTHungarianAssigner,
    cls_logits: Tensor,
    boxes: Tensor,
    truth: BatchInstances,
    where: str,
) -> list[ClipAssignment]:
    """One assignment a clip; the costs of all clips leave the device together."""
    B = len(truth.clips)
    clip_inputs = zip(
        cls_logits.chunk(B), boxes.chunk(B), truth.clips, truth.img_shapes, strict=True
    )
    costs = torch.cat([assigner.frame_costs(*inputs) for inputs in clip_inputs], dim=1).cpu()
    per_clip = costs.split([len(clip) for clip in truth.clips], dim=1)
    return [
        assigner.solve(cost, clip, where=f'{where}, clip {b}')
        for b, (cost, clip) in enumerate(zip(per_clip, truth.clips, strict=True))
    ]


def crop_masks(masks: Tensor, index: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Crop ground-truth masks with predicted boxes.

    Args:
        masks: (M, 1, H, W).
        index: which mask goes with each box, (P,).
        boxes: (P, 4) xyxy pixels; clipped to the mask.
        size: side of the result.

    Returns:
        (P, size, size), how much of each cell the mask covers, 0..1.
    """
    if len(boxes) == 0:
        return boxes.new_zeros(0, size, size)
    height, width = masks.shape[-2:]
    limits = boxes.new_tensor([width, height, width, height])
    clipped = boxes.clamp(min=0).minimum(limits)
    rois = torch.cat([index.unsqueeze(1), clipped], dim=1)  # (P, 5)
    return roi_align(masks, rois, (size, size), 1.0, 0, 'avg', True).squeeze(1)
