# VIPSeg at 720p: docs/data.md shows the folders. Only the stage of 21 frames takes
# cropped_pipeline.
_base_ = './dvis_maps_720p.py'
data_root = 'data/VIPSeg/VIPSeg_720P/'

load = dict(type='LoadPanopticClip')
train_pipeline = [load, _base_.resize, _base_.flip, _base_.pack]
cropped_pipeline = [load, _base_.resize, _base_.crop, _base_.flip, _base_.pack]
dataset = dict(
    type='VIPSegDataset',
    version='vipseg',
    data_root=data_root,
    data_prefix=dict(img='images', mask='panomasksRGB'),
)
train_dataloader = dict(
    dataset=dict(dataset, ann_file='panoptic_gt_VIPSeg_train.json', pipeline=train_pipeline)
)
test_dataloader = dict(dataset=dict(dataset, ann_file='panoptic_gt_VIPSeg_val.json'))
test_evaluator = dict(
    type='VideoPanopticMetric',
    ann_file=data_root + 'panoptic_gt_VIPSeg_val.json',
    mask_root=data_root + 'panomasksRGB',
)
