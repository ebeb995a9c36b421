# Mask2Former, Swin-L, 200 queries, COCO instances: pre-training for
# configs/minvis/minvis_swin-l_*.py.
#
# 16 GPUs x 1 image, 737500 iterations (100 epochs) of 1024 x 1024 crops with large-scale jitter.
# Published AP on COCO val2017: 50.1 (model zoo of Mask2Former).
# Not trained here. Starts from the released ImageNet-22k weights of Swin-L
# (swin_large_patch4_window12_384_22k.pth) in resources/; mmdet converts their names.
_base_ = [
    '../_base_/models/mask2former_image_swin-l.py',
    '../_base_/datasets/coco_instance_lsj.py',
    '../_base_/schedules/mask2former_swin-l_100e.py',
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

train_dataloader = dict(batch_size=1)
default_hooks = dict(checkpoint=dict(interval=5000))
