# COCO 2017 instances for EoMT: crops of 640 x 640 of images at 0.1 to 2 times that size; in tests
# the long side is 640. Images become clips of one frame.
_base_ = './coco_instance.py'

load = dict(type='LoadAnnotations', with_bbox=True, with_mask=True)
train_pipeline = [
    *(dict(type='LoadImageFromFile'), load, dict(type='RandomFlip', prob=0.5)),
    dict(
        type='RandomResize',
        scale=(640, 640),
        ratio_range=(0.1, 2.0),
        keep_ratio=True,
        backend='pillow',
    ),
    dict(type='RandomCrop', crop_size=(640, 640), allow_negative_crop=True),
    dict(type='PackImageClip', size=640),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(640, 640), keep_ratio=True, backend='pillow'),
    dict(type='PackImageClip', size=640),
]
train_dataloader = dict(batch_size=4, num_workers=4, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
