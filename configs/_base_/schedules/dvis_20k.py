# 20 000 iterations of 8 clips (8 GPUs x 1), a step at 14 000; the same for every stage of DVIS.
# Nothing decays the weights of norms, of query embeddings and of tables of relative positions.
train_cfg = dict(type='VideoTrainLoop', max_iters=20000)
test_cfg = dict(type='VideoTestLoop')
# The released valid sets have no annotations, so there is nothing to validate on.
val_cfg = val_dataloader = val_evaluator = None

# A parameter takes the longest key that its name contains, and then no other rule: norms inside
# the backbone are named one by one (Swin's; those of ResNet are frozen).
backbone_norms = [
    *('backbone.norm', 'patch_embed.norm', 'downsample.norm'),
    *(f'blocks.{index}.norm' for index in range(18)),
]
optim_wrapper = dict(
    type='AmpOptimWrapper',
    dtype='float16',
    loss_scale='dynamic',
    optimizer=dict(type='AdamW', lr=1e-4, weight_decay=0.05),
    paramwise_cfg=dict(
        norm_decay_mult=0.0,
        custom_keys={
            'backbone': dict(lr_mult=0.1),
            'relative_position_bias_table': dict(lr_mult=0.1, decay_mult=0.0),
            **{key: dict(lr_mult=0.1, decay_mult=0.0) for key in backbone_norms},
            'query_embed': dict(decay_mult=0.0),
            'query_feat': dict(decay_mult=0.0),
            'level_embed': dict(decay_mult=0.0),
        },
    ),
    clip_grad=dict(max_norm=0.01, norm_type=2),
)
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[14000], gamma=0.1)]
auto_scale_lr = dict(base_batch_size=8, enable=False)
