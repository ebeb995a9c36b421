# OVIS at 720p: short sides of 480 to 800 pixels in training, 720 in tests.
_base_ = './dvis_ovis_360p.py'

resize = dict(
    type='ResizeClip', scale=[(1333, short) for short in range(480, 801, 32)], backend='torch'
)
train_pipeline = [dict(type='LoadClip'), resize, _base_.flip, _base_.pack]
cropped_pipeline = [dict(type='LoadClip'), _base_.crop, resize, _base_.flip, _base_.pack]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(1333, 720), backend='pillow'),
    dict(type='PackClip'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
