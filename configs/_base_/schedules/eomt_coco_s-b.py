# EoMT-S and -B on COCO: three query blocks instead of four.
_base_ = './eomt_coco.py'
custom_hooks = [
    dict(
        type='MaskAnnealingHook',
        starts=[14782, 36955, 59128],
        ends=[29564, 51737, 73910],
    )
]
