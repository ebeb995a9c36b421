# TeViT, ResNet-50 backbone (STQI only), multi-scale training, YouTube-VIS 2019.
#
# 8 GPUs x 2 clips x 5 frames, 9200 iterations. Not trained here; no AP of its own in the
# paper.
_base_ = './tevit_r50.py'

train_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=[(640, 360), (960, 480)], mode='value'),
    dict(type='FlipClip', prob=0.5),
    dict(type='PackClip'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
