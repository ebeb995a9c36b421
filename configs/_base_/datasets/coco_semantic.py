# COCO-Stuff 2017: 80 things and 91 kinds of stuff as classes of pixels. Of mmdet's metric only mIoU
# and mAcc count: its aAcc is mAcc again.
data_root = 'data/coco/'

load_classes = dict(
    type='LoadAnnotations',
    with_bbox=False,
    with_label=False,
    with_seg=True,
    imdecode_backend='pillow',
)
train_pipeline = [
    dict(type='LoadImageFromFile', to_float32=True),
    load_classes,
    dict(type='RandomFlip', prob=0.5),
    dict(type='RandomResize', scale=(1024, 1024), ratio_range=(0.1, 2.0), keep_ratio=True),
    dict(type='RandomCrop', crop_size=(1024, 1024), crop_type='absolute'),
    dict(type='PackDetInputs'),
]
test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(1333, 800), keep_ratio=True),
    load_classes,  # at the size of the file
    dict(type='PackDetInputs', meta_keys=('img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]

train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='CocoStuffDataset',
        data_root=data_root,
        data_prefix=dict(img_path='train2017/', seg_map_path='stuffthingmaps/train2017/'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoStuffDataset',
        data_root=data_root,
        data_prefix=dict(img_path='val2017/', seg_map_path='stuffthingmaps/val2017/'),
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='SemSegMetric', iou_metrics=['mIoU'])
test_evaluator = val_evaluator
