# The example model that ships with the package, mmvseg/examples/: that of the quickstart, from
# random weights, on videos of Shapes of which the quickstart sees none.
#
# 16 frames of 96 x 128 a step, on one CPU core. Measured AP: docs/benchmarks.md.
#   python tools/dataset_converters/make_shapes.py --out data/shapes_example --seed 1 --train 2000
_base_ = [
    '../_base_/models/minvis_shapes.py',
    '../_base_/datasets/shapes.py',
    '../_base_/schedules/shapes_stage.py',
]

data_root = 'data/shapes_example/'
train_dataloader = dict(batch_size=16, dataset=dict(data_root=data_root, clip=dict(num_frames=1)))
val_dataloader = dict(dataset=dict(data_root=data_root))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'val.json')
test_evaluator = val_evaluator

max_iters = 1600
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='OneCycleLR', eta_max=1e-3, total_steps=max_iters, pct_start=0.1, by_epoch=False)
]
