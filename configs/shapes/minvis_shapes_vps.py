# MinVIS on Shapes with stuff, panoptic: the first of three stages.
#
# Things move in front of regions of stuff. 16 frames of 96 x 128 a step, on one CPU core.
# Measured VPQ and STQ: docs/benchmarks.md.
#   python tools/dataset_converters/make_shapes.py --out data/shapes_vipseg --format vipseg \
#       --difficulty 0.2 --length 20 --train 600
_base_ = [
    '../_base_/models/minvis_shapes.py',
    '../_base_/datasets/shapes_panoptic.py',
    '../_base_/schedules/shapes_stage.py',
]

model = dict(panoptic_head=dict(num_queries=16), test_cfg=dict(task='vps', num_things=6))
train_dataloader = dict(batch_size=16, dataset=dict(clip=dict(num_frames=1)))

max_iters = 400
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='OneCycleLR', eta_max=1e-3, total_steps=max_iters, pct_start=0.1, by_epoch=False)
]
