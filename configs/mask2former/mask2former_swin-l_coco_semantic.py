# Mask2Former, Swin-L, 200 queries, COCO-Stuff semantics: 171 classes of pixels.
#
# 16 GPUs x 1 image, 737500 iterations (100 epochs) of 1024 x 1024 crops with large-scale jitter.
# Not trained here. Starts from the released ImageNet-22k weights of Swin-L
# (swin_large_patch4_window12_384_22k.pth) in resources/; mmdet converts their names.
_base_ = [
    '../_base_/models/mask2former_image_swin-l.py',
    '../_base_/datasets/coco_semantic.py',
    '../_base_/schedules/mask2former_swin-l_100e.py',
    '../_base_/default_runtime.py',
]

num_classes = 171
model = dict(
    type='SemanticMask2Former',
    data_preprocessor=dict(
        pad_mask=False,
        batch_augments=[
            dict(
                type='BatchFixedSizePad',
                size=(1024, 1024),
                img_pad_value=0,
                pad_mask=False,
                pad_seg=True,
                seg_pad_value=255,
            )
        ],
    ),
    panoptic_head=dict(
        num_classes=num_classes,
        num_things_classes=0,
        num_stuff_classes=num_classes,
        loss_cls=dict(class_weight=[1.0] * num_classes + [0.1]),
    ),
    panoptic_fusion_head=dict(
        type='SemanticFusionHead', num_things_classes=0, num_stuff_classes=num_classes
    ),
    test_cfg=dict(_delete_=True),
)

train_dataloader = dict(batch_size=1)
default_hooks = dict(checkpoint=dict(interval=5000))
