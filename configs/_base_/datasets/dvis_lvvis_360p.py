# LV-VIS as released: docs/data.md shows the folders. Sizes of frames and crops are those of OVIS.
# This is training on all 1196 classes, not the open-vocabulary protocol.
_base_ = './dvis_ovis_360p.py'
data_root = 'data/lvvis/'

train_dataloader = dict(
    dataset=dict(
        version='lvvis',
        data_root=data_root,
        ann_file='train_instances.json',
        data_prefix=dict(img='JPEGImages/train'),
    )
)
test_dataloader = dict(
    dataset=dict(
        version='lvvis',
        data_root=data_root,
        ann_file='val_instances.json',
        data_prefix=dict(img='JPEGImages/val'),
    )
)
test_evaluator = dict(type='LVVISMetric', ann_file=data_root + 'val_instances.json')
