"""Replay recorded cases of TeViT's parts: backbone, heads, clip-level assignment."""

import torch
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from mmengine.structures import InstanceData
from torch import Tensor

from mmvseg.models.task_modules import ClipInstances
from mmvseg.registry import MODELS, TASK_UTILS

from .case import Case, Comparison
from .tevit_config import mask_head_config


@torch.no_grad()
def replay_backbone(case: Case, comparison: Comparison) -> None:
    """Feature maps of a backbone, with messengers or without."""
    backbone = MODELS.build(case.config['model'])
    case.load_weights(backbone, published='backbone.', ours='backbone.')
    frames = case.inputs['img']
    if hasattr(backbone, 'msg_tokens'):
        maps = backbone(frames, case.config['case']['T'])
    else:
        maps = backbone(frames)
    for level, feature_map in enumerate(maps):
        comparison.close(f'feat{level}', feature_map)


@torch.no_grad()
def replay_stqi_head(case: Case, comparison: Comparison) -> None:
    """One box head."""
    head = MODELS.build(case.config['model'])
    case.load_weights(head, *_of_stage('bbox_head'))
    inputs = case.inputs
    outputs = head(inputs['roi_feat'], inputs['proposal_feat'], case.config['case']['T'])
    names = ('cls_score', 'bbox_delta', 'obj_feat', 'attn_feats')
    for name, output in zip(names, outputs, strict=True):
        comparison.close(name, output)


@torch.no_grad()
def replay_dynamic_mask_head(case: Case, comparison: Comparison) -> None:
    """One mask head, every class channel computed the way inference computes the one it needs."""
    head = MODELS.build(mask_head_config(case.config['model']))
    case.load_weights(head, *_of_stage('mask_head'))
    roi_feat, query_feats = case.inputs['roi_feat'], case.inputs['proposal_feat']
    channels = [
        head.class_logits(roi_feat, query_feats, torch.full((len(roi_feat),), label))
        for label in range(head.num_classes)
    ]
    comparison.close('mask_logits', torch.stack(channels, dim=1))


def replay_hungarian_assigner(case: Case, comparison: Comparison) -> None:
    """Costs and matches of independent clips."""
    assigner = TASK_UTILS.build(case.config['model'])
    for k, clip_config in enumerate(case.config['case']['clips']):
        height, width = clip_config['img_hw']
        frames = [_annotations(case.inputs, k, t) for t in range(clip_config['T'])]
        boxes = bbox_cxcywh_to_xyxy(case.inputs[f'clip{k}.bbox_pred'])
        boxes = boxes * boxes.new_tensor([width, height, width, height])
        clip = ClipInstances.from_frames(frames)
        cls_logits = case.inputs[f'clip{k}.cls_pred']
        match = assigner.assign(cls_logits, boxes, clip, (height, width))
        labels = torch.full_like(match.assigned_gt_inds, -1)
        labels[match.frames, match.queries] = clip.labels[match.annotations]
        comparison.close(f'clip{k}.cost', match.cost)
        comparison.equal(f'clip{k}.sorted_ids', clip.ids)
        comparison.equal(f'clip{k}.matched_query', match.matched_query)
        comparison.equal(f'clip{k}.assigned_gt_inds', match.assigned_gt_inds)
        comparison.equal(f'clip{k}.assigned_labels', labels)


def _annotations(inputs: dict[str, Tensor], clip: int, frame: int) -> InstanceData:
    return InstanceData(
        bboxes=inputs[f'clip{clip}.gt_bboxes.t{frame}'],
        labels=inputs[f'clip{clip}.gt_labels.t{frame}'],
        instance_ids=inputs[f'clip{clip}.gt_ids.t{frame}'],
    )


def _of_stage(head: str) -> tuple[str, str]:
    """What names of a case leave out in front: it records the head of one stage."""
    prefix = f'roi_head.{head}.0.'
    return prefix, prefix
