# YouTube-VIS 2019 with COCO's images as pseudo-clips, 4 of 7 clips: docs/data.md shows the folders.
# Short sides of 240 to 480 pixels in training, 360 in tests. Stages of more than one frame set
# clip.num_frames.
data_root = 'data/youtube_vis_2019/'

crop = dict(
    type='CropClip',
    size=(384, 600),
    scale=[(1333, 400), (1333, 500), (1333, 600)],
    prob=0.5,
    backend='torch',
)
resize = dict(type='ResizeClip', scale=[(768, 240), (768, 360), (768, 480)], backend='torch')
flip = dict(type='FlipClip', prob=0.5)
pack = dict(type='PackClip', drop_empty=True)
train_pipeline = [dict(type='LoadClip'), crop, resize, flip, pack]
coco_pipeline = [dict(type='LoadClip'), crop, resize, flip, dict(type='RotateClip'), pack]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(1333, 360), backend='pillow'),
    dict(type='PackClip'),
]

train_dataloader = dict(
    batch_size=1,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='JointClipSampler'),
    batch_sampler=dict(type='ClipBatchSampler'),
    dataset=dict(
        type='JointClipDataset',
        weights=dict(video=0.75, coco=1.0),
        datasets=dict(
            video=dict(
                type='YouTubeVISDataset',
                version='2019',
                data_root=data_root,
                ann_file='train.json',
                data_prefix=dict(img='train/JPEGImages'),
                clip=dict(num_frames=1, consecutive=True),
                pipeline=train_pipeline,
            ),
            coco=dict(
                type='CocoClipDataset',
                version='2019',
                data_root='data/coco/',
                ann_file='annotations/instances_train2017.json',
                data_prefix=dict(img='train2017'),
                clip=dict(num_frames=1, consecutive=True),
                pipeline=coco_pipeline,
            ),
        ),
    ),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='WindowSampler'),
    dataset=dict(
        type='YouTubeVISDataset',
        version='2019',
        data_root=data_root,
        ann_file='valid.json',
        data_prefix=dict(img='valid/JPEGImages'),
        window_size=10,
        pipeline=test_pipeline,
        test_mode=True,
    ),
)
test_evaluator = dict(type='YouTubeVISMetric', ann_file=data_root + 'valid.json')
