# VSPW, its 480p files enlarged to 720p: docs/data.md shows the folders. Short sides of 480 to 800
# pixels in training, 720 in tests. Only the stage of 21 frames takes cropped_pipeline.
data_root = 'data/VSPW_480p/'

resize = dict(
    type='ResizeClip', scale=[(1333, short) for short in range(480, 801, 32)], backend='pillow'
)
crop = dict(type='CropClip', size=(608, 608), prob=1.0)
flip = dict(type='FlipClip', prob=0.5)
pack = dict(type='PackClip', drop_empty=True)
train_pipeline = [dict(type='LoadSemanticClip'), resize, flip, pack]
cropped_pipeline = [dict(type='LoadSemanticClip'), resize, crop, flip, pack]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(1333, 720), backend='pillow'),
    dict(type='PackClip'),
]

train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ClipSampler'),
    batch_sampler=dict(type='ClipBatchSampler'),
    dataset=dict(
        type='VSPWDataset',
        data_root=data_root,
        data_prefix=dict(img='data'),
        ann_file='train.txt',
        clip=dict(num_frames=1, consecutive=True),
        pipeline=train_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='WindowSampler'),
    dataset=dict(
        type='VSPWDataset',
        data_root=data_root,
        data_prefix=dict(img='data'),
        ann_file='val.txt',
        window_size=10,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_evaluator = dict(
    type='VideoSemanticMetric', ann_file=data_root + 'val.txt', mask_root=data_root + 'data'
)
