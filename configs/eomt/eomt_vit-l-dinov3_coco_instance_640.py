# EoMT, ViT-L of DINOv3, COCO instances at 640 pixels: pre-training.
#
# 4 GPUs x 4 images, 88 692 iterations (12 epochs) of 640 x 640 crops with large-scale jitter.
# Published AP on COCO val2017: 45.9 (model zoo of EoMT). Not trained here.
# Starts from the encoder of DINOv3 (a gated file), converted before:
#   mmvseg convert dinov3_vitl16_pretrain_lvd1689m-8aa4cbdd.pth \
#       resources/dinov3_vit-l.pth --config configs/eomt/eomt_vit-l-dinov3_coco_instance_640.py
_base_ = [
    '../_base_/models/eomt_dinov3-l.py',
    '../_base_/datasets/eomt_coco_instance_640.py',
    '../_base_/schedules/eomt_coco_dinov3.py',
    '../_base_/default_runtime.py',
]

model = dict(
    panoptic_head=dict(num_classes=80),
    panoptic_fusion_head=dict(
        num_stuff_classes=0, test_cfg=dict(panoptic_on=False, instance_on=True)
    ),
    criterion=dict(num_classes=80),
)
default_hooks = dict(checkpoint=dict(interval=7391))

load_from = 'resources/dinov3_vit-l.pth'
allow_missing = ['panoptic_head']
