# Mask2Former, Swin-L, 200 queries, COCO panoptic. Its PNGs are read with panopticapi:
#   pip install git+https://github.com/cocodataset/panopticapi.git
#
# 16 GPUs x 1 image, 737500 iterations (100 epochs) of 1024 x 1024 crops with large-scale jitter.
# Published PQ on COCO panoptic val2017: 57.8 (model zoo of Mask2Former).
# Not trained here. Starts from the released ImageNet-22k weights of Swin-L
# (swin_large_patch4_window12_384_22k.pth) in resources/; mmdet converts their names.
_base_ = [
    '../_base_/models/mask2former_image_swin-l.py',
    '../_base_/datasets/coco_panoptic.py',
    '../_base_/schedules/mask2former_swin-l_100e.py',
    '../_base_/default_runtime.py',
]

train_dataloader = dict(batch_size=1)
default_hooks = dict(checkpoint=dict(interval=5000))
