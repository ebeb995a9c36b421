# EoMT-L with DINOv3 on COCO: twice the rate after longer warm-ups, the query blocks at the full
# rate, and the first of them loses its masks during the warm-up.
_base_ = './eomt_coco.py'
optim_wrapper = dict(optimizer=dict(lr=2e-4), paramwise_cfg=dict(decay_query_blocks=False))
param_scheduler = dict(warm_up=2000, encoder_warm_up=3000)
custom_hooks = [
    dict(
        type='MaskAnnealingHook',
        starts=[0, 29564, 44346, 59128],
        ends=[3000, 44346, 59128, 73910],
    )
]
