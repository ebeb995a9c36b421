# EoMT-S and -B with DINOv3 on COCO: 24 epochs, three query blocks instead of four. When these lose
# their masks is not known: here as with DINOv2, but the first during the warm-up, as in EoMT-L.
_base_ = './eomt_coco_dinov3.py'
train_cfg = dict(max_iters=177384)
custom_hooks = [
    dict(
        type='MaskAnnealingHook',
        starts=[0, 73910, 118256],
        ends=[3000, 103474, 147820],
    )
]
