# EoMT, ViT-B of DINOv2, COCO panoptic segments at 640 pixels: pre-training.
#
# 4 GPUs x 4 images, 177 384 iterations (24 epochs) of 640 x 640 crops with large-scale jitter.
# Published PQ on COCO panoptic val2017: 51.6 (model zoo of EoMT). Not trained here.
# Starts from the encoder, converted before:
#   mmvseg convert dinov2_vitb14_reg4_pretrain.pth \
#       resources/dinov2_vit-b.pth --config configs/eomt/eomt_vit-b_coco_panoptic_640.py
# The PNGs of the data are listed and scored with panopticapi:
#   pip install git+https://github.com/cocodataset/panopticapi.git
_base_ = [
    '../_base_/models/eomt_dinov2-b.py',
    '../_base_/datasets/eomt_coco_panoptic_640.py',
    '../_base_/schedules/eomt_coco_2x.py',
    '../_base_/default_runtime.py',
]

default_hooks = dict(checkpoint=dict(interval=7391))

load_from = 'resources/dinov2_vit-b.pth'
allow_missing = ['panoptic_head']
