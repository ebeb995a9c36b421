# A stage of MinVIS and DVIS on Shapes; each stage says how many iterations it takes.
_base_ = '../default_runtime.py'
train_cfg = dict(type='VideoTrainLoop')
val_cfg = dict(type='VideoValLoop')
test_cfg = dict(type='VideoTestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.05, fused=True),
    clip_grad=dict(max_norm=1.0, norm_type=2),
)
default_hooks = dict(
    progress=dict(type='ProgressHook'),
    checkpoint=dict(interval=500, max_keep_ckpts=1),
)
