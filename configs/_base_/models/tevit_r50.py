# TeViT with ResNet-50: frames meet in the heads (STQI) alone. 172.34 M trainable parameters.
_base_ = './tevit_msgshift.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='ResNet',
        depth=50,
        num_stages=4,
        out_indices=(0, 1, 2, 3),
        frozen_stages=1,
        norm_cfg=dict(type='BN', requires_grad=True),
        norm_eval=True,
        style='pytorch',
    ),
    neck=dict(in_channels=[256, 512, 1024, 2048]),
)
