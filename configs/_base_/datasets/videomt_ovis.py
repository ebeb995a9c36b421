# OVIS with COCO's images as pseudo-clips, half of the clips; 544 pixels in tests.
_base_ = './videomt_ytvis19.py'
data_root = 'data/ovis/'

test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(1333, 544), backend='pillow'),
    dict(type='PackClip'),
]
train_dataloader = dict(
    dataset=dict(
        datasets=dict(
            video=dict(
                version='ovis',
                data_root=data_root,
                ann_file='annotations/annotations_train.json',
                data_prefix=dict(img='train'),
            ),
            coco=dict(version='ovis'),
        )
    )
)
test_dataloader = dict(
    dataset=dict(
        version='ovis',
        data_root=data_root,
        ann_file='annotations/annotations_valid.json',
        data_prefix=dict(img='valid'),
        pipeline=test_pipeline,
    )
)
test_evaluator = dict(ann_file=data_root + 'annotations/annotations_valid.json')
