# YouTube-VIS 2019 as released: docs/data.md shows the folders.
dataset_type = 'YouTubeVISDataset'
data_root = 'data/youtube_vis_2019/'

train_pipeline = [
    dict(type='LoadClip'),
    # Long side from 640..960 and short side from 360..480, drawn independently.
    dict(type='ResizeClip', scale=[(640, 360), (960, 480)], mode='range'),
    dict(type='FlipClip', prob=0.5),
    dict(type='PackClip'),
]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(640, 360)),
    dict(type='PackClip'),
]

train_dataloader = dict(
    batch_size=2,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='ClipSampler'),
    batch_sampler=dict(type='ClipBatchSampler'),
    dataset=dict(
        type=dataset_type,
        version='2019',
        data_root=data_root,
        ann_file='train.json',
        data_prefix=dict(img='train/JPEGImages'),
        # The anchor and four other frames of the video, in random order.
        clip=dict(num_frames=5),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='WindowSampler'),
    dataset=dict(
        type=dataset_type,
        version='2019',
        data_root=data_root,
        ann_file='valid.json',
        data_prefix=dict(img='valid/JPEGImages'),
        window_size=10,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='YouTubeVISMetric', ann_file=data_root + 'valid.json')
test_evaluator = val_evaluator
