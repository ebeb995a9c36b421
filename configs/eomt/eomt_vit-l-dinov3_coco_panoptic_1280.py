# EoMT, ViT-L of DINOv3, COCO panoptic segments at 1280 pixels: pre-training.
#
# 4 GPUs x 4 images, 88 692 iterations (12 epochs) of 1280 x 1280 crops with large-scale jitter.
# Published PQ on COCO panoptic val2017: 58.9 (model zoo of EoMT). Not trained here.
# Starts from the encoder of DINOv3 (a gated file), converted before:
#   mmvseg convert dinov3_vitl16_pretrain_lvd1689m-8aa4cbdd.pth \
#       resources/dinov3_vit-l.pth --config configs/eomt/eomt_vit-l-dinov3_coco_panoptic_1280.py
# The PNGs of the data are listed and scored with panopticapi:
#   pip install git+https://github.com/cocodataset/panopticapi.git
_base_ = [
    '../_base_/models/eomt_dinov3-l.py',
    '../_base_/datasets/eomt_coco_panoptic_1280.py',
    '../_base_/schedules/eomt_coco_dinov3.py',
    '../_base_/default_runtime.py',
]

default_hooks = dict(checkpoint=dict(interval=7391))

load_from = 'resources/dinov3_vit-l.pth'
allow_missing = ['panoptic_head']
