# Mask2Former with Swin-L on COCO: twice the R50 schedule. A parameter takes the longest key that
# its name contains, so what of the backbone has no weight decay is named in full.
_base_ = './mask2former_50e.py'

_backbone_norm = dict(lr_mult=0.1, decay_mult=0.0)
custom_keys = {
    'backbone.norm': _backbone_norm,
    'backbone.patch_embed.norm': _backbone_norm,
    'relative_position_bias_table': _backbone_norm,
}
custom_keys.update(
    {
        f'backbone.stages.{stage}.blocks.{block}.norm': _backbone_norm
        for stage, blocks in enumerate([2, 2, 18, 2])
        for block in range(blocks)
    }
)
custom_keys.update(
    {f'backbone.stages.{stage}.downsample.norm': _backbone_norm for stage in range(3)}
)

train_cfg = dict(max_iters=737500)
optim_wrapper = dict(paramwise_cfg=dict(custom_keys=custom_keys))
param_scheduler = dict(milestones=[655556, 710184])
