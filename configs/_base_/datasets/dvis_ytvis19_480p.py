# YouTube-VIS 2019 with COCO's images as pseudo-clips, for Swin-L: short sides of 360 to 600 pixels
# in training, 480 in tests.
_base_ = './dvis_ytvis19_360p.py'

resize = dict(type='ResizeClip', scale=[(1024, 360), (1024, 480), (1024, 600)], backend='torch')
train_pipeline = [dict(type='LoadClip'), _base_.crop, resize, _base_.flip, _base_.pack]
coco_pipeline = [
    *(dict(type='LoadClip'), _base_.crop, resize, _base_.flip),
    *(dict(type='RotateClip'), _base_.pack),
]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(1333, 480), backend='pillow'),
    dict(type='PackClip'),
]
train_dataloader = dict(
    dataset=dict(
        datasets=dict(video=dict(pipeline=train_pipeline), coco=dict(pipeline=coco_pipeline))
    )
)
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
