# Mask2Former, ResNet-50, COCO instances: pre-training for
# configs/minvis/minvis_r50_*.py.
#
# 8 GPUs x 2 images, 368750 iterations (50 epochs) of 1024 x 1024 crops with large-scale jitter.
# Published AP on COCO val2017: 43.7 (model zoo of Mask2Former).
# Not trained here. The backbone starts from torchvision's weights, which mmengine fetches; without
# a network name a file in model.backbone.init_cfg.checkpoint.
_base_ = [
    '../_base_/models/mask2former_image_r50.py',
    '../_base_/datasets/coco_instance_lsj.py',
    '../_base_/schedules/mask2former_50e.py',
    '../_base_/default_runtime.py',
]

model = dict(
    data_preprocessor=dict(
        pad_seg=False,
        batch_augments=[
            dict(
                type='BatchFixedSizePad',
                size=(1024, 1024),
                img_pad_value=0,
                pad_mask=True,
                mask_pad_value=0,
                pad_seg=False,
            )
        ],
    ),
    panoptic_head=dict(
        num_classes=80, num_stuff_classes=0, loss_cls=dict(class_weight=[1.0] * 80 + [0.1])
    ),
    panoptic_fusion_head=dict(num_stuff_classes=0),
    test_cfg=dict(panoptic_on=False),
)

default_hooks = dict(checkpoint=dict(interval=5000))
