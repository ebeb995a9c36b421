# YouTube-VIS 2021 with COCO's images as pseudo-clips, half of the clips.
_base_ = './videomt_ytvis19.py'
data_root = 'data/youtube_vis_2021/'

train_dataloader = dict(
    dataset=dict(
        datasets=dict(video=dict(version='2021', data_root=data_root), coco=dict(version='2021'))
    )
)
test_dataloader = dict(dataset=dict(version='2021', data_root=data_root))
test_evaluator = dict(ann_file=data_root + 'valid.json')
