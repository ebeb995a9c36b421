# DVIS offline on Shapes with stuff, panoptic: the last of three stages, after
# dvis_online_shapes_vps.
#
# 4 clips x 10 frames of 96 x 128 a step; segmenter and tracker are frozen. Measured VPQ and STQ:
# docs/benchmarks.md.
#   python tools/train.py configs/shapes/dvis_offline_shapes_vps.py
_base_ = [
    '../_base_/models/dvis_offline_shapes.py',
    '../_base_/datasets/shapes_panoptic.py',
    '../_base_/schedules/shapes_stage.py',
]

model = dict(panoptic_head=dict(num_queries=16), test_cfg=dict(task='vps', num_things=6))
train_dataloader = dict(
    batch_size=4, dataset=dict(clip=dict(num_frames=10, consecutive=True, reverse_prob=0.5))
)

max_iters = 1000
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='OneCycleLR', eta_max=1e-3, total_steps=max_iters, pct_start=0.1, by_epoch=False)
]

load_from = 'work_dirs/dvis_online_shapes_vps/iter_600.pth'
allow_missing = ['refiner']
