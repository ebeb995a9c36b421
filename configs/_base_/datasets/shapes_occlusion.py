# Shapes with full occlusions:
#   python tools/dataset_converters/make_shapes.py --out data/shapes_occlusion \
#       --difficulty 0.2 --length 20 --train 600
_base_ = './shapes.py'
data_root = 'data/shapes_occlusion/'
train_dataloader = dict(dataset=dict(data_root=data_root))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'val.json')
test_evaluator = val_evaluator
