# Shapes, made by tools/dataset_converters/make_shapes.py. Also the pattern for an own data set: the
# classes are the categories of the json, and the model's class count follows them.
data_root = 'data/shapes/'

train_pipeline = [dict(type='LoadClip'), dict(type='FlipClip', prob=0.5), dict(type='PackClip')]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(128, 96)),  # for videos of another size; Shapes has this one
    dict(type='PackClip'),
]

train_dataloader = dict(
    batch_size=4,
    num_workers=0,  # the frames are small: a worker costs more than it saves
    persistent_workers=False,
    sampler=dict(type='ClipSampler'),
    batch_sampler=dict(type='ClipBatchSampler'),
    dataset=dict(
        type='YouTubeVISDataset',
        data_root=data_root,
        ann_file='train.json',
        data_prefix=dict(img='train/JPEGImages'),
        clip=dict(num_frames=2),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='WindowSampler'),
    dataset=dict(
        type='YouTubeVISDataset',
        data_root=data_root,
        ann_file='val.json',
        data_prefix=dict(img='val/JPEGImages'),
        window_size=10,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='YouTubeVISMetric', ann_file=data_root + 'val.json')
test_evaluator = val_evaluator
