# DAVIS 2017 as instances of one class: docs/data.md shows how `mmvseg data import` makes the files.
# Sizes of frames and crops are those of OVIS, but 480 pixels in tests, the size of the data.
_base_ = './dvis_ovis_360p.py'
data_root = 'data/davis/'

test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(1333, 480), backend='pillow'),
    dict(type='PackClip'),
]
train_dataloader = dict(
    dataset=dict(
        version='object',
        data_root=data_root,
        ann_file='train.json',
        data_prefix=dict(img='frames'),
    )
)
test_dataloader = dict(
    dataset=dict(
        version='object',
        data_root=data_root,
        ann_file='val.json',
        data_prefix=dict(img='frames'),
        pipeline=test_pipeline,
    )
)
test_evaluator = [
    dict(type='YouTubeVISMetric', ann_file=data_root + 'val.json'),
    dict(type='DAVISMetric', ann_file=data_root + 'val.json', void=None),
]
