# MOTChallenge-STEP: docs/data.md shows the folders. There is no official validation set: as in
# DeepLab2, one of the two sequences is trained on and the other tested on; neither holds all
# classes.
_base_ = './dvis_maps_720p.py'
data_root = 'data/motchallenge_step/'

train_sequences, val_sequences = ['0009'], ['0002']

train_pipeline = [dict(type='LoadSTEPClip'), _base_.resize, _base_.flip, _base_.pack]
dataset = dict(
    type='STEPDataset',
    version='motchallenge_step',
    data_root=data_root,
    ann_file='panoptic_maps/train',
    data_prefix=dict(img='images/train', mask='panoptic_maps/train'),
)
train_dataloader = dict(dataset=dict(dataset, sequences=train_sequences, pipeline=train_pipeline))
test_dataloader = dict(dataset=dict(dataset, sequences=val_sequences))
test_evaluator = dict(
    type='STEPMetric',
    version='motchallenge_step',
    sequences=val_sequences,
    mask_root=data_root + 'panoptic_maps/train',
)
