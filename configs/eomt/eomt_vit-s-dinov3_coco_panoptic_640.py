# EoMT, ViT-S of DINOv3, COCO panoptic segments at 640 pixels: pre-training.
#
# 4 GPUs x 4 images, 177 384 iterations (24 epochs) of 640 x 640 crops with large-scale jitter.
# Published PQ on COCO panoptic val2017: 47.2 (model zoo of EoMT). Not trained here.
# Starts from the encoder of DINOv3 (a gated file), converted before:
#   mmvseg convert dinov3_vits16_pretrain_lvd1689m-08c60483.pth \
#       resources/dinov3_vit-s.pth --config configs/eomt/eomt_vit-s-dinov3_coco_panoptic_640.py
# The PNGs of the data are listed and scored with panopticapi:
#   pip install git+https://github.com/cocodataset/panopticapi.git
_base_ = [
    '../_base_/models/eomt_dinov3-s.py',
    '../_base_/datasets/eomt_coco_panoptic_640.py',
    '../_base_/schedules/eomt_coco_dinov3_2x.py',
    '../_base_/default_runtime.py',
]

default_hooks = dict(checkpoint=dict(interval=7391))

load_from = 'resources/dinov3_vit-s.pth'
allow_missing = ['panoptic_head']
