# OVIS for Swin-L: short sides of 360 to 600 pixels in training, 480 in tests.
_base_ = './dvis_ovis_360p.py'

resize = dict(type='ResizeClip', scale=[(1024, 360), (1024, 480), (1024, 600)], backend='torch')
train_pipeline = [dict(type='LoadClip'), resize, _base_.flip, _base_.pack]
cropped_pipeline = [dict(type='LoadClip'), _base_.crop, resize, _base_.flip, _base_.pack]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(1333, 480), backend='pillow'),
    dict(type='PackClip'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
