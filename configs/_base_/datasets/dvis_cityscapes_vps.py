# Cityscapes-VPS: docs/data.md shows the folders. Frames of 1024 x 2048 are trained on with short
# sides of 480 to 800 pixels and tested with 800; these sizes are ours.
_base_ = './dvis_maps_720p.py'
data_root = 'data/cityscapes_vps/'

load = dict(type='LoadPanopticClip')
resize = dict(
    type='ResizeClip', scale=[(1600, short) for short in range(480, 801, 32)], backend='torch'
)
train_pipeline = [load, resize, _base_.flip, _base_.pack]
cropped_pipeline = [load, resize, _base_.crop, _base_.flip, _base_.pack]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(1600, 800), backend='pillow'),
    dict(type='PackClip'),
]
dataset = dict(type='CityscapesVPSDataset', version='cityscapes_vps', data_root=data_root)
train_dataloader = dict(
    dataset=dict(
        dataset,
        ann_file='panoptic_gt_train_city_vps.json',
        data_prefix=dict(img='train/img', mask='train/panoptic_video'),
        pipeline=train_pipeline,
    )
)
# Six of the 30 frames of a video are labelled: the model sees all, and is scored on these.
test_dataloader = dict(
    dataset=dict(
        dataset,
        ann_file='panoptic_gt_val_city_vps.json',
        all_frames='im_all_info_val_city_vps.json',
        data_prefix=dict(img='val/img_all', mask='val/panoptic_video'),
        pipeline=test_pipeline,
    )
)
test_evaluator = dict(
    type='CityscapesVPSMetric',
    ann_file=data_root + 'panoptic_gt_val_city_vps.json',
    mask_root=data_root + 'val/panoptic_video',
)
