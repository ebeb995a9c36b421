# What VIPSeg and VSPW share: short sides of 480 to 800 pixels in training, 720 in tests, one clip a
# process.
resize = dict(
    type='ResizeClip', scale=[(1333, short) for short in range(480, 801, 32)], backend='torch'
)
crop = dict(type='CropClip', size=(608, 608), prob=1.0)
flip = dict(type='FlipClip', prob=0.5)
pack = dict(type='PackClip', drop_empty=True)
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
    dataset=dict(clip=dict(num_frames=1, consecutive=True)),
)
test_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='WindowSampler'),
    dataset=dict(window_size=10, pipeline=test_pipeline, test_mode=True),
)
