# TeViT's schedule: 9200 iterations of 16 clips (8 GPUs x 2), linear warm-up over 770, steps at
# 6100 and 8500. LinearLR reaches its end value one iteration before `end`.
train_cfg = dict(type='VideoTrainLoop', max_iters=9200, val_interval=770)
val_cfg = dict(type='VideoValLoop')
test_cfg = dict(type='VideoTestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=2.5e-4, betas=(0.9, 0.999), weight_decay=1e-4),
    paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.1))),
    clip_grad=dict(max_norm=0.1, norm_type=2),
)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=771),
    dict(type='MultiStepLR', by_epoch=False, milestones=[6100, 8500], gamma=0.1),
]
auto_scale_lr = dict(base_batch_size=16, enable=False)
