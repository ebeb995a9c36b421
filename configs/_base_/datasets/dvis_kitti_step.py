# KITTI-STEP: docs/data.md shows the folders. Frames of about 375 x 1242 are trained on with short
# sides of 320 to 512 pixels and tested with 384; these sizes are ours.
_base_ = './dvis_maps_720p.py'
data_root = 'data/kitti_step/'

# The official split.
train_sequences = [
    *('0000', '0001', '0003', '0004', '0005', '0009'),
    *('0011', '0012', '0015', '0017', '0019', '0020'),
]
val_sequences = ['0002', '0006', '0007', '0008', '0010', '0013', '0014', '0016', '0018']

load = dict(type='LoadSTEPClip')
resize = dict(
    type='ResizeClip', scale=[(1700, short) for short in range(320, 513, 32)], backend='torch'
)
train_pipeline = [load, resize, _base_.flip, _base_.pack]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(1300, 384), backend='pillow'),
    dict(type='PackClip'),
]
dataset = dict(type='STEPDataset', version='kitti_step', data_root=data_root)
train_dataloader = dict(
    dataset=dict(
        dataset,
        ann_file='panoptic_maps/train',
        sequences=train_sequences,
        data_prefix=dict(img='images/train', mask='panoptic_maps/train'),
        pipeline=train_pipeline,
    )
)
test_dataloader = dict(
    dataset=dict(
        dataset,
        ann_file='panoptic_maps/val',
        sequences=val_sequences,
        data_prefix=dict(img='images/val', mask='panoptic_maps/val'),
        pipeline=test_pipeline,
    )
)
test_evaluator = dict(
    type='STEPMetric',
    version='kitti_step',
    sequences=val_sequences,
    mask_root=data_root + 'panoptic_maps/val',
)
