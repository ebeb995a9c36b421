# VSPW, its 480p files enlarged to 720p: docs/data.md shows the folders. Only the stage of 21 frames
# takes cropped_pipeline.
_base_ = './dvis_maps_720p.py'
data_root = 'data/VSPW_480p/'

load = dict(type='LoadSemanticClip')
train_pipeline = [load, _base_.resize, _base_.flip, _base_.pack]
cropped_pipeline = [load, _base_.resize, _base_.crop, _base_.flip, _base_.pack]
dataset = dict(type='VSPWDataset', data_root=data_root, data_prefix=dict(img='data'))
train_dataloader = dict(dataset=dict(dataset, ann_file='train.txt', pipeline=train_pipeline))
test_dataloader = dict(dataset=dict(dataset, ann_file='val.txt'))
test_evaluator = dict(
    type='VideoSemanticMetric', ann_file=data_root + 'val.txt', mask_root=data_root + 'data'
)
