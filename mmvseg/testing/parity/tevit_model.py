"""Replay recorded cases of the whole TeViT: a training step, and inference on a video."""

import copy
import json

import numpy as np
import torch
from mmengine.structures import InstanceData
from pycocotools import mask as mask_utils
from torch import Tensor

from mmvseg.errors import UserError
from mmvseg.models.heads.clip_targets import BatchInstances, crop_masks
from mmvseg.models.heads.tevit_roi_head import TrainingStage
from mmvseg.models.postprocess.vis import paste_masks
from mmvseg.models.segmentors import TeViT
from mmvseg.registry import MODELS
from mmvseg.structures import VideoDataSample, VideoInstances

from .case import DEFAULT_TOLERANCE, Case, Comparison, Row
from .tevit_config import model_config, training_config

#: Output that counts the pixels whose probability is next to the threshold of masks.
NEAR_THRESHOLD = 'mask.num_px_within_1e-4_of_thr'


def replay_tevit_loss(case: Case, comparison: Comparison) -> None:
    """Losses, matches, targets, gradients and batch statistics of one training step."""
    settings = case.config['case']
    if training_config(case.config['model']) is None:
        raise UserError('config.json: a training step needs model.train_cfg.rcnn')
    model = MODELS.build(model_config(case.config['model'], clip_frames=settings['T']))
    case.load_weights(model)
    model.train()
    samples = [_training_sample(case, b) for b in range(settings['B'])]
    _compare_targets(copy.deepcopy(model), case, samples, comparison)
    double_model = copy.deepcopy(model).double()
    losses = model.loss(case.inputs['img'], samples)
    for name, value in losses.items():
        comparison.close(f'loss.{name}', value)
    total = sum(value for name, value in losses.items() if 'loss' in name)
    comparison.close('loss.total', total)
    buffers = dict(model.named_buffers())
    for name in case.expected:
        if name.startswith('bn_after.'):
            comparison.close(name, buffers[name.removeprefix('bn_after.')])
    total.backward()
    _compare_gradients(_gradients(model), double_model, case, samples, comparison)


def _training_sample(case: Case, clip: int) -> VideoDataSample:
    inputs, settings = case.inputs, case.config['case']
    sample = VideoDataSample(metainfo=dict(img_shape=tuple(settings['img_hw'][clip])))
    sample.gt_instances = [
        InstanceData(
            bboxes=inputs[f'gt_bboxes.b{clip}.t{t}'],
            labels=inputs[f'gt_labels.b{clip}.t{t}'],
            instance_ids=inputs[f'gt_ids.b{clip}.t{t}'],
            masks=inputs[f'gt_masks.b{clip}.t{t}'],
        )
        for t in range(settings['T'])
    ]
    return sample


def _compare_targets(
    model: TeViT, case: Case, samples: list[VideoDataSample], comparison: Comparison
) -> None:
    """Costs, matches and mask targets of every stage."""
    T = case.config['case']['T']
    shapes = [sample.img_shape for sample in samples]
    truth = BatchInstances.from_clips([sample.gt_instances for sample in samples], shapes)
    for b, clip in enumerate(truth.clips):
        comparison.equal(f'gt_id_order.b{b}', clip.ids)
    feats = model.extract_feats(case.inputs['img'])
    boxes, queries = model.initial_queries([shape for shape in shapes for _ in range(T)])
    stages = model.roi_head.training_stages(feats, boxes, queries, T, truth)
    for s, stage in enumerate(stages):
        for b, match in enumerate(stage.targets.assignments):
            comparison.close(f'cost.stage{s}.b{b}', match.cost)
            comparison.equal(f'match.stage{s}.b{b}', match.matched_query)
            comparison.equal(f'assign.stage{s}.b{b}', match.assigned_gt_inds)
        _compare_mask_targets(f'mask_targets.stage{s}', model, stage, truth, comparison)


def _compare_mask_targets(
    name: str, model: TeViT, stage: TrainingStage, truth: BatchInstances, comparison: Comparison
) -> None:
    """Targets are 0 or 1: equal wherever the cover of a cell is not next to one half."""
    targets = stage.targets
    expected = comparison.comparable(name, targets.masks)
    if expected is None:
        return
    boxes = stage.state.boxes.detach()[targets.frames, targets.queries]
    cover = crop_masks(truth.masks, targets.annotations, boxes, model.roi_head.mask_size)
    clear = (cover - 0.5).abs() > DEFAULT_TOLERANCE
    comparison.equal(name, torch.where(clear, targets.masks, expected))


def _gradients(model: TeViT) -> dict[str, Tensor]:
    return {
        name: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        for name, parameter in model.named_parameters()
    }


def _compare_gradients(
    single: dict[str, Tensor],
    double_model: TeViT,
    case: Case,
    samples: list[VideoDataSample],
    comparison: Comparison,
) -> None:
    """Gradients in float64 against the recorded ones, those in float32 against float64.

    A ReLU whose input is 0 but for rounding passes a gradient in one float32 computation and
    blocks it in another of equal right, so float32 alone cannot tell an error from bad luck.
    """
    samples = [_in_double(sample) for sample in samples]
    losses = double_model.loss(case.inputs['img'].double(), samples)
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    double = _gradients(double_model)
    for name in case.expected:
        if name.startswith('grad.'):
            comparison.close(name, double[name.removeprefix('grad.')])
    path = case.folder / 'grad_norms.json'
    norms = json.loads(path.read_text()) if path.exists() else {}
    for name, expected in norms.items():
        difference = abs(double[name].norm().item() - expected)
        tolerance = DEFAULT_TOLERANCE * max(1.0, expected)
        comparison.rows.append(Row(f'grad_norm.{name}', difference, tolerance))
    distance = sum((single[name] - double[name]).square().sum() for name in double).sqrt()
    length = sum(gradient.square().sum() for gradient in double.values()).sqrt()
    note = 'float32 against float64, relative'
    comparison.rows.append(Row('grad_float32', (distance / length).item(), 0.01, note))


def _in_double(sample: VideoDataSample) -> VideoDataSample:
    result = VideoDataSample(metainfo=sample.metainfo)
    result.gt_instances = [frame.clone() for frame in sample.gt_instances]
    for frame in result.gt_instances:
        frame.bboxes = frame.bboxes.double()
    return result


@torch.no_grad()
def replay_tevit_predict(case: Case, comparison: Comparison) -> None:
    """Every stage of inference on one clip, then the tubes and the official results."""
    settings = case.config['case']
    model = MODELS.build(model_config(case.config['model'], clip_frames=settings['T']))
    case.load_weights(model)
    sample = _test_sample(settings)
    tubes = model.segment_clip(case.inputs['img'], sample)
    feats = model.extract_feats(case.inputs['img'][None])
    for level, feature_map in enumerate(feats):
        comparison.close(f'fpn{level}', feature_map)
    boxes, attn_feats = _compare_stages(model, feats, settings, comparison)
    order = _detection_order(case, tubes, comparison)
    if order is None:
        return
    tubes = tubes.select(order)
    query = torch.from_numpy(tubes.track_ids)
    labels = torch.from_numpy(tubes.labels).expand(settings['T'], -1)
    comparison.equal('det.query', query)
    comparison.equal('det.labels', labels)
    comparison.close('det.scores', torch.from_numpy(tubes.scores))
    boxes = boxes[:, query]  # (T, n, 4)
    comparison.close('mask.rois', _with_frame_index(boxes))
    scaled = boxes / boxes.new_tensor(sample.scale_factor).repeat(2)
    comparison.close('det.boxes', scaled)
    logits = model.roi_head.predict_masks(feats, boxes, attn_feats[:, query], labels)
    comparison.close('mask.logits_sel', logits)
    comparison.close('mask.probs_sel', logits.sigmoid())
    shown = len(case.expected.get('mask.pasted_prob_frame0', ()))
    pasted = paste_masks(logits[0, :shown].sigmoid(), scaled[0, :shown], sample.ori_shape)
    comparison.close('mask.pasted_prob_frame0', pasted)
    _compare_masks(case, tubes, comparison)
    _compare_results(case, tubes, comparison)


def _test_sample(settings: dict) -> VideoDataSample:
    (height, width), (ori_height, ori_width) = settings['img_hw'], settings['ori_hw']
    return VideoDataSample(
        metainfo=dict(
            video_name='recorded',
            img_shape=(height, width),
            ori_shape=(ori_height, ori_width),
            scale_factor=(width / ori_width, height / ori_height),
        )
    )


def _compare_stages(
    model: TeViT, feats: list[Tensor], settings: dict, comparison: Comparison
) -> tuple[Tensor, Tensor]:
    """Every box stage; returns the last one's boxes and attention features."""
    T = settings['T']
    boxes, queries = model.initial_queries([tuple(settings['img_hw'])] * T)
    for s, head in enumerate(model.roi_head.bbox_head):
        comparison.close(f'stage{s}.rois', _with_frame_index(boxes))
        state = model.roi_head.run_stage(s, feats, boxes, queries, clip_length=T)
        boxes, queries = state.boxes, state.query_feats
        comparison.close(f'stage{s}.cls_score', head.classify(queries))
        comparison.close(f'stage{s}.boxes', boxes)
        comparison.close(f'stage{s}.object_feats', queries)
        comparison.close(f'stage{s}.attn_feats', state.attn_feats)
    return boxes, state.attn_feats


def _with_frame_index(boxes: Tensor) -> Tensor:
    """(T, n, 4) boxes to (T * n, 5) rows of frame index and xyxy."""
    T, n, _ = boxes.shape
    frames = torch.arange(T, dtype=boxes.dtype).repeat_interleave(n)
    return torch.cat([frames[:, None], boxes.flatten(0, 1)], dim=1)


def _detection_order(
    case: Case, tubes: VideoInstances, comparison: Comparison
) -> np.ndarray | None:
    """Positions of our tubes in the recorded order, which is arbitrary; None if they differ."""
    if not {'det.query', 'det.labels'} <= case.expected.keys():
        return np.arange(len(tubes.scores))
    labels = case.expected['det.labels'][0].tolist()
    recorded = list(zip(case.expected['det.query'].tolist(), labels, strict=True))
    ours = list(zip(tubes.track_ids.tolist(), tubes.labels.tolist(), strict=True))
    if sorted(recorded) != sorted(ours):
        wrong = len(set(recorded) ^ set(ours))
        comparison.count('det.query', wrong, 0, '(query, class) pairs are in one result only')
        return None
    return np.array([ours.index(pair) for pair in recorded])


def _compare_masks(case: Case, tubes: VideoInstances, comparison: Comparison) -> None:
    """Pixels may differ only where the recorded probability is next to the threshold."""
    if 'det.masks' not in case.expected:
        return
    masks = torch.from_numpy(np.stack([_decode(tube) for tube in tubes.masks], axis=1))
    differing = (masks != case.expected['det.masks']).sum((2, 3))  # (T, n)
    total, allowed = int(differing.sum()), _pixels_near_threshold(case)
    comparison.count('det.masks', total, allowed, 'pixels differ')
    if NEAR_THRESHOLD in case.expected:
        surplus = int((differing - case.expected[NEAR_THRESHOLD]).clamp(min=0).sum())
        comparison.count(NEAR_THRESHOLD, surplus, 0, 'differing pixels not near the threshold')


def _pixels_near_threshold(case: Case) -> int:
    """Pixels of masks that may differ; none where the case does not count them."""
    return int(case.expected[NEAR_THRESHOLD].sum()) if NEAR_THRESHOLD in case.expected else 0


def _compare_results(case: Case, tubes: VideoInstances, comparison: Comparison) -> None:
    """The entries of results.json, in the recorded order."""
    path = case.folder / 'results.json'
    if not path.exists():
        return
    recorded = json.loads(path.read_text())
    classes = case.config['model']['roi_head']['bbox_head']
    num_classes = (classes[0] if isinstance(classes, list) else classes)['num_classes']
    ours = tubes.to_youtube_vis(1, list(range(1, num_classes + 1)))
    if len(ours) != len(recorded):
        surplus = abs(len(ours) - len(recorded))
        comparison.count('results.entries', surplus, 0, f'{len(ours)}, recorded {len(recorded)}')
        return
    score = max(abs(a['score'] - b['score']) for a, b in zip(ours, recorded, strict=True))
    comparison.rows.append(Row('results.score', score, case.tolerance('det.scores')))
    categories = sum(
        a['category_id'] != b['category_id'] for a, b in zip(ours, recorded, strict=True)
    )
    comparison.count('results.category_id', categories, 0, 'entries differ')
    pixels = sum(
        int((_decode(a['segmentations']) != _decode(b['segmentations'])).sum())
        for a, b in zip(ours, recorded, strict=True)
    )
    allowed = _pixels_near_threshold(case)
    comparison.count('results.segmentations', pixels, allowed, 'pixels differ')


def _decode(tube: list[dict]) -> np.ndarray:
    """Dense masks (T, H, W) of a tube."""
    return np.stack([mask_utils.decode(rle) for rle in tube])
