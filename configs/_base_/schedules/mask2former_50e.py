# Mask2Former on COCO: 368750 iterations of 16 images, 50 epochs of 118 k, steps after 8/9 and
# 26/27. Norms and embeddings have no weight decay.
max_iters = 368750
train_cfg = dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=5000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')
optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05),
    paramwise_cfg=dict(
        custom_keys=dict(
            backbone=dict(lr_mult=0.1),
            query_embed=dict(decay_mult=0.0),
            query_feat=dict(decay_mult=0.0),
            level_embed=dict(decay_mult=0.0),
        ),
        norm_decay_mult=0.0,
    ),
    clip_grad=dict(max_norm=0.01, norm_type=2),
)
param_scheduler = dict(type='MultiStepLR', by_epoch=False, milestones=[327778, 355092], gamma=0.1)
auto_scale_lr = dict(base_batch_size=16, enable=False)
