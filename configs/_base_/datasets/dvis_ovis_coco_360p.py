# OVIS with COCO's images as pseudo-clips, half of the clips.
_base_ = './dvis_ovis_360p.py'

coco_resize = dict(type='ResizeClip', scale=[(768, 240), (768, 360), (768, 480)], backend='torch')
coco_pipeline = [
    *(dict(type='LoadClip'), _base_.crop, coco_resize, _base_.flip),
    *(dict(type='RotateClip'), _base_.pack),
]
train_dataloader = dict(
    sampler=dict(type='JointClipSampler'),
    dataset=dict(
        _delete_=True,
        type='JointClipDataset',
        weights=dict(video=1.0, coco=1.0),
        datasets=dict(
            video=_base_.train_dataloader.dataset,
            coco=dict(
                type='CocoClipDataset',
                version='ovis',
                data_root='data/coco/',
                ann_file='annotations/instances_train2017.json',
                data_prefix=dict(img='train2017'),
                clip=dict(num_frames=1, consecutive=True),
                pipeline=coco_pipeline,
            ),
        ),
    ),
)
