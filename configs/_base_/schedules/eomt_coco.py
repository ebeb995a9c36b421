# EoMT-L on COCO: 12 epochs of 7391 batches of 16 images. Query blocks lose their masks one after
# the other, from the 3rd to the 10th epoch. Weights of all kinds decay.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=88692, val_interval=7391)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='AmpOptimWrapper',
    dtype='float16',
    loss_scale='dynamic',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05),
    constructor='LayerDecayOptimWrapperConstructor',
    paramwise_cfg=dict(decay_rate=0.8),
    clip_grad=dict(max_norm=0.01, norm_type=2),
)
param_scheduler = dict(type='WarmUpPolyLR', by_epoch=False, warm_up=500, encoder_warm_up=1000)
custom_hooks = [
    dict(
        type='MaskAnnealingHook',
        starts=[14782, 29564, 44346, 59128],
        ends=[29564, 44346, 59128, 73910],
    )
]
auto_scale_lr = dict(base_batch_size=16, enable=False)
