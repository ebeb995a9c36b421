"""Constructor arguments of the published TeViT, in the terms of mmvseg."""

from mmvseg.errors import UserError

#: What inference does not use, for cases that record none: the published matching and targets.
PUBLISHED_TRAINING = dict(
    assigner=dict(
        type='TeViTHungarianAssigner',
        cls_cost=dict(type='FocalLossCost', weight=2.0),
        reg_cost=dict(type='BBoxL1Cost', weight=5.0),
        iou_cost=dict(type='IoUCost', iou_mode='giou', weight=2.0),
    ),
    mask_size=28,
)


def mask_head_config(original: dict) -> dict:
    """``DynamicMaskHead`` becomes ``TeViTMaskHead``; the arguments are the same."""
    return original | dict(type='TeViTMaskHead')


def training_config(model: dict) -> dict | None:
    """Matching and targets of a published model, the same in all stages; None if it has none."""
    train_cfg = model.get('train_cfg')
    rcnn = train_cfg.get('rcnn') if isinstance(train_cfg, dict) else train_cfg
    return _same_for_all_stages(rcnn, 'train_cfg.rcnn') if rcnn else None


def roi_head_config(original: dict, stage_cfg: dict) -> dict:
    """Arguments of ``TeViTRoIHead``: one config for all stages, matching next to the losses."""
    bbox_head = _same_for_all_stages(original['bbox_head'], 'roi_head.bbox_head')
    mask_head = _same_for_all_stages(original['mask_head'], 'roi_head.mask_head')
    return dict(
        type='TeViTRoIHead',
        num_stages=original['num_stages'],
        stage_loss_weights=original['stage_loss_weights'],
        bbox_roi_extractor=original['bbox_roi_extractor'] | dict(type='FrameRoIExtractor'),
        mask_roi_extractor=original['mask_roi_extractor'] | dict(type='FrameRoIExtractor'),
        bbox_head=bbox_head,
        mask_head=mask_head_config(mask_head),
        assigner=stage_cfg['assigner'],
        mask_size=stage_cfg['mask_size'],
    )


def model_config(original: dict, clip_frames: int) -> dict:
    """Arguments of ``TeViT``, for inputs that are normalised and padded already.

    Args:
        original: the published model's arguments.
        clip_frames: the most frames that one pass takes.
    """
    rcnn = original['test_cfg']['rcnn']
    return dict(
        type='TeViT',
        backbone=original['backbone'],
        neck=original['neck'],
        rpn_head=original['rpn_head'],
        roi_head=roi_head_config(
            original['roi_head'], training_config(original) or PUBLISHED_TRAINING
        ),
        test_cfg=dict(
            max_per_video=rcnn['max_per_img'],
            mask_thr_binary=rcnn['mask_thr_binary'],
            clip_frames=clip_frames,
            clip_overlap=0,
        ),
        data_preprocessor=dict(
            type='VideoDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3, pad_size_divisor=1
        ),
    )


def _same_for_all_stages(config: dict | list, where: str) -> dict:
    if isinstance(config, dict):
        return config
    if any(stage != config[0] for stage in config):
        raise UserError(f'{where}: stages that differ from one another cannot be replayed')
    return config[0]
