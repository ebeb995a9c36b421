# Shapes in the layout of VSPW, made by make_shapes.py --format vspw. Also the pattern for an own
# semantic data set: a categories.json beside the lists of videos names the classes.
_base_ = './shapes.py'
data_root = 'data/shapes_vspw/'

train_pipeline = [
    dict(type='LoadSemanticClip'),
    dict(type='FlipClip', prob=0.5),
    dict(type='PackClip', drop_empty=True),
]
dataset = dict(type='VSPWDataset', data_root=data_root, data_prefix=dict(img='data'))
train_dataloader = dict(dataset=dict(dataset, ann_file='train.txt', pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(dataset, ann_file='val.txt'))
test_dataloader = val_dataloader
val_evaluator = dict(
    type='VideoSemanticMetric', ann_file=data_root + 'val.txt', mask_root=data_root + 'data'
)
test_evaluator = val_evaluator
