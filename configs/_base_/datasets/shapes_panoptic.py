# Shapes in the layout of VIPSeg, made by make_shapes.py --format vipseg. Also the pattern for own
# panoptic data: its classes are those of the json, and the class counts of the model follow.
_base_ = './shapes.py'
data_root = 'data/shapes_vipseg/'

train_pipeline = [
    dict(type='LoadPanopticClip'),
    dict(type='FlipClip', prob=0.5),
    dict(type='PackClip', drop_empty=True),
]
dataset = dict(
    type='VIPSegDataset',
    data_root=data_root,
    data_prefix=dict(img='images', mask='panomasksRGB'),
)
train_dataloader = dict(
    dataset=dict(dataset, ann_file='panoptic_gt_VIPSeg_train.json', pipeline=train_pipeline)
)
val_dataloader = dict(dataset=dict(dataset, ann_file='panoptic_gt_VIPSeg_val.json'))
test_dataloader = val_dataloader
val_evaluator = dict(
    type='VideoPanopticMetric',
    ann_file=data_root + 'panoptic_gt_VIPSeg_val.json',
    mask_root=data_root + 'panomasksRGB',
)
test_evaluator = val_evaluator
