# PMT: 20 000 iterations of 8 clips (8 GPUs x 1); its encoder is frozen, all else has one rate.
# Weights of all kinds decay, and gradients are not clipped.
train_cfg = dict(type='VideoTrainLoop', max_iters=20000)
test_cfg = dict(type='VideoTestLoop')
# The released valid sets have no annotations, so there is nothing to validate on.
val_cfg = val_dataloader = val_evaluator = None

optim_wrapper = dict(
    type='AmpOptimWrapper',
    dtype='float16',
    loss_scale='dynamic',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05),
)
param_scheduler = dict(type='WarmUpPolyLR', by_epoch=False, warm_up=6000)
sync_bn = 'torch'  # statistics of the laterals are those of all GPUs
auto_scale_lr = dict(base_batch_size=8, enable=False)
