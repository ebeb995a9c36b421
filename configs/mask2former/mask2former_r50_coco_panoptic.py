# Mask2Former, ResNet-50, COCO panoptic. Its PNGs are read with panopticapi:
#   pip install git+https://github.com/cocodataset/panopticapi.git
#
# 8 GPUs x 2 images, 368750 iterations (50 epochs) of 1024 x 1024 crops with large-scale jitter.
# Published PQ on COCO panoptic val2017: 51.9 (model zoo of Mask2Former).
# Not trained here. The backbone starts from torchvision's weights, which mmengine fetches; without
# a network name a file in model.backbone.init_cfg.checkpoint.
_base_ = [
    '../_base_/models/mask2former_image_r50.py',
    '../_base_/datasets/coco_panoptic.py',
    '../_base_/schedules/mask2former_50e.py',
    '../_base_/default_runtime.py',
]

default_hooks = dict(checkpoint=dict(interval=5000))
