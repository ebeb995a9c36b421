# VidEoMT on Shapes with stuff, panoptic: the second of two stages, starts from
# videomt_segmenter_shapes_vps.
#
# 8 clips x 5 frames of 96 x 128 a step, as DVIS online takes.
# Measured VPQ and STQ: docs/benchmarks.md.
#   python tools/train.py configs/shapes/videomt_shapes_vps.py
_base_ = [
    '../_base_/models/videomt_shapes.py',
    '../_base_/datasets/shapes_panoptic.py',
    '../_base_/schedules/shapes_stage.py',
]

model = dict(panoptic_head=dict(num_queries=16), test_cfg=dict(task='vps', num_things=6))
train_dataloader = dict(batch_size=8, dataset=dict(clip=dict(num_frames=5, consecutive=True)))

max_iters = 600
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='OneCycleLR', eta_max=1e-3, total_steps=max_iters, pct_start=0.1, by_epoch=False)
]

load_from = 'work_dirs/videomt_segmenter_shapes_vps/iter_400.pth'
