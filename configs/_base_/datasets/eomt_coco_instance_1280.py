# The same with crops of 1280 x 1280.
_base_ = './eomt_coco_instance_640.py'

train_pipeline = [
    *(dict(type='LoadImageFromFile'), _base_.load, dict(type='RandomFlip', prob=0.5)),
    dict(
        type='RandomResize',
        scale=(1280, 1280),
        ratio_range=(0.1, 2.0),
        keep_ratio=True,
        backend='pillow',
    ),
    dict(type='RandomCrop', crop_size=(1280, 1280), allow_negative_crop=True),
    dict(type='PackImageClip', size=1280),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(1280, 1280), keep_ratio=True, backend='pillow'),
    dict(type='PackImageClip', size=1280),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
