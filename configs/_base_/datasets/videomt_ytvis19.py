# YouTube-VIS 2019 with COCO's images as pseudo-clips, half of the clips, in the sizes of VidEoMT
# and PMT: short sides of 320 to 640 pixels in training, 448 in tests. Stages of more than one frame
# set clip.num_frames.
_base_ = './dvis_ytvis19_360p.py'

shorts = (320, 352, 392, 416, 448, 480, 512, 544, 576, 608, 640)
resize = dict(type='ResizeClip', scale=[(768, short) for short in shorts], backend='torch')
train_pipeline = [dict(type='LoadClip'), _base_.crop, resize, _base_.flip, _base_.pack]
coco_pipeline = [
    *(dict(type='LoadClip'), _base_.crop, resize, _base_.flip),
    *(dict(type='RotateClip'), _base_.pack),
]
test_pipeline = [
    dict(type='LoadClip'),
    dict(type='ResizeClip', scale=(1333, 448), backend='pillow'),
    dict(type='PackClip'),
]
train_dataloader = dict(
    dataset=dict(
        weights=dict(video=1.0, coco=1.0),
        datasets=dict(video=dict(pipeline=train_pipeline), coco=dict(pipeline=coco_pipeline)),
    )
)
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
