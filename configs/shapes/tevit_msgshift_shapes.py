# A small TeViT on Shapes: 2.7 M parameters, trains on two CPU cores in minutes.
#
# 4 clips x 2 frames of 96 x 128 a step, from scratch. Measured AP: docs/benchmarks.md.
# Without the messenger shift:     --cfg-options model.backbone.shift_strides=None
# Without STQI's temporal attention: --cfg-options model.roi_head.bbox_head.temporal_attention=False
_base_ = [
    '../_base_/models/tevit_msgshift.py',
    '../_base_/datasets/shapes.py',
    '../_base_/default_runtime.py',
]

model = dict(
    backbone=dict(num_msg_tokens=8, embed_dims=16, mlp_ratios=[4, 4, 4, 4], drop_path_rate=0.0),
    neck=dict(in_channels=[16, 32, 80, 128], out_channels=64),
    rpn_head=dict(num_proposals=12, proposal_feature_channel=64),
    roi_head=dict(
        num_stages=3,
        bbox_roi_extractor=dict(out_channels=64),
        mask_roi_extractor=dict(out_channels=64),
        bbox_head=dict(
            num_classes=6,
            num_heads=4,
            feedforward_channels=256,
            in_channels=64,
            dynamic_conv_cfg=dict(in_channels=64, feat_channels=16, out_channels=64),
        ),
        mask_head=dict(
            num_classes=6,
            num_convs=2,
            in_channels=64,
            conv_out_channels=32,
            dynamic_conv_cfg=dict(in_channels=64, feat_channels=16, out_channels=64),
        ),
    ),
)

max_iters = 3000
train_cfg = dict(type='VideoTrainLoop', max_iters=max_iters, val_interval=max_iters)
val_cfg = dict(type='VideoValLoop')
test_cfg = dict(type='VideoTestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05, fused=True),
    clip_grad=dict(max_norm=1.0, norm_type=2),
)
param_scheduler = [
    dict(type='OneCycleLR', eta_max=1e-3, total_steps=max_iters, pct_start=0.1, by_epoch=False)
]

default_hooks = dict(
    progress=dict(type='ProgressHook'),
    checkpoint=dict(interval=500, max_keep_ckpts=1),
)
