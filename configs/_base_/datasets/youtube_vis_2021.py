# YouTube-VIS 2021 as released: docs/data.md shows the folders.
_base_ = './youtube_vis_2019.py'
data_root = 'data/youtube_vis_2021/'
train_dataloader = dict(dataset=dict(version='2021', data_root=data_root))
val_dataloader = dict(dataset=dict(version='2021', data_root=data_root))
test_dataloader = dict(dataset=dict(version='2021', data_root=data_root))
val_evaluator = dict(ann_file=data_root + 'valid.json')
test_evaluator = dict(ann_file=data_root + 'valid.json')
