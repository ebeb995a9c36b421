# EoMT-S and -B on COCO: 24 epochs instead of 12.
_base_ = './eomt_coco_s-b.py'
train_cfg = dict(max_iters=177384)
custom_hooks = [
    dict(
        type='MaskAnnealingHook',
        starts=[29564, 73910, 118256],
        ends=[59128, 103474, 147820],
    )
]
