# OVIS: docs/data.md shows the folders. Short sides of 240 to 480 pixels in training, 360 in tests.
# The videos are not cropped unless a stage takes cropped_pipeline.
data_root = 'data/ovis/'

crop = dict(
    type='CropClip',
    size=(384, 600),
    scale=[(1333, 400), (1333, 500), (1333, 600)],
    prob=0.5,
    backend='torch',
)
resize = dict(type='ResizeClip', scale=[(1333, 240), (1333, 360), (1333, 480)], backend='torch')
flip = dict(type='FlipClip', prob=0.5)
pack = dict(type='PackClip', drop_empty=True)
train_pipeline = [dict(type='LoadClip'), resize, flip, pack]
cropped_pipeline = [dict(type='LoadClip'), crop, resize, flip, pack]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(1333, 360), backend='pillow'),
    dict(type='PackClip'),
]

train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='ClipSampler'),
    batch_sampler=dict(type='ClipBatchSampler'),
    dataset=dict(
        type='YouTubeVISDataset',
        version='ovis',
        data_root=data_root,
        ann_file='annotations/annotations_train.json',
        data_prefix=dict(img='train'),
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
        type='YouTubeVISDataset',
        version='ovis',
        data_root=data_root,
        ann_file='annotations/annotations_valid.json',
        data_prefix=dict(img='valid'),
        window_size=10,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_evaluator = dict(
    type='YouTubeVISMetric', ann_file=data_root + 'annotations/annotations_valid.json'
)
