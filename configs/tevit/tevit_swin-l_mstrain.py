# TeViT, Swin-L backbone, 300 queries (STQI only), YouTube-VIS 2019.
#
# 8 GPUs x 2 clips x 5 frames, 9200 iterations. Published AP on YouTube-VIS 2019 valid: 56.8 (the
# released file). Not trained here.
_base_ = [
    '../_base_/models/tevit_swin-l.py',
    '../_base_/datasets/youtube_vis_2019.py',
    '../_base_/schedules/tevit_9200i.py',
    '../_base_/default_runtime.py',
]

train_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=[(1333, short) for short in range(320, 801, 32)], mode='value'),
    dict(type='FlipClip', prob=0.5),
    dict(type='PackClip'),
]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(1333, 480)),
    dict(type='PackClip'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))

# A parameter takes the longest key that its name contains: tables of relative positions run at the
# full rate, norms inside the backbone keep weight decay and the backbone's rate.
optim_wrapper = dict(
    paramwise_cfg=dict(
        custom_keys=dict(
            absolute_pos_embed=dict(decay_mult=0.0),
            relative_position_bias_table=dict(decay_mult=0.0),
            norm=dict(decay_mult=0.0),
        )
    )
)

default_hooks = dict(checkpoint=dict(interval=770))
