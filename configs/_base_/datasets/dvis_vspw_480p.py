# VSPW at its own size: short sides of 288 to 640 pixels in training, 480 in tests.
_base_ = './dvis_vspw.py'

resize = dict(
    type='ResizeClip', scale=[(1333, short) for short in range(288, 641, 32)], backend='torch'
)
train_pipeline = [dict(type='LoadSemanticClip'), resize, _base_.flip, _base_.pack]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(1333, 480), backend='pillow'),
    dict(type='PackClip'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
