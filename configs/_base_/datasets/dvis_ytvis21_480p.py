# YouTube-VIS 2021 with COCO's images as pseudo-clips, half of the clips; the videos are not cropped
# unless a stage takes cropped_pipeline.
_base_ = './dvis_ytvis19_480p.py'
data_root = 'data/youtube_vis_2021/'

cropped_pipeline = _base_.train_pipeline
train_pipeline = [dict(type='LoadClip'), _base_.resize, _base_.flip, _base_.pack]
train_dataloader = dict(
    dataset=dict(
        weights=dict(video=1.0, coco=1.0),
        datasets=dict(
            video=dict(version='2021', data_root=data_root, pipeline=train_pipeline),
            coco=dict(version='2021'),
        ),
    )
)
test_dataloader = dict(dataset=dict(version='2021', data_root=data_root))
test_evaluator = dict(ann_file=data_root + 'valid.json')
