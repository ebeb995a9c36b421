# EoMT, ViT-L of DINOv2, COCO panoptic segments at 1280 pixels: pre-training.
#
# 4 GPUs x 4 images, 88 692 iterations (12 epochs) of 1280 x 1280 crops with large-scale jitter.
# Published PQ on COCO panoptic val2017: 58.3 (model zoo of EoMT). Not trained here.
# Starts from the encoder, converted before:
#   mmvseg convert dinov2_vitl14_reg4_pretrain.pth \
#       resources/dinov2_vit-l_1280.pth --config configs/eomt/eomt_vit-l_coco_panoptic_1280.py
# The PNGs of the data are listed and scored with panopticapi:
#   pip install git+https://github.com/cocodataset/panopticapi.git
_base_ = [
    '../_base_/models/eomt_dinov2-l.py',
    '../_base_/datasets/eomt_coco_panoptic_1280.py',
    '../_base_/schedules/eomt_coco.py',
    '../_base_/default_runtime.py',
]

model = dict(backbone=dict(grid_size=80))
default_hooks = dict(checkpoint=dict(interval=7391))

load_from = 'resources/dinov2_vit-l_1280.pth'
allow_missing = ['panoptic_head']
