# VidEoMT on Shapes with full occlusions: the second of two stages, starts from
# videomt_segmenter_shapes.
#
# 8 clips x 5 frames of 96 x 128 a step, as DVIS online takes. Measured AP: docs/benchmarks.md.
#   python tools/train.py configs/shapes/videomt_shapes.py
_base_ = [
    '../_base_/models/videomt_shapes.py',
    '../_base_/datasets/shapes_occlusion.py',
    '../_base_/schedules/shapes_stage.py',
]

train_dataloader = dict(batch_size=8, dataset=dict(clip=dict(num_frames=5, consecutive=True)))

max_iters = 1200
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='OneCycleLR', eta_max=1e-3, total_steps=max_iters, pct_start=0.1, by_epoch=False)
]

load_from = 'work_dirs/videomt_segmenter_shapes/iter_1500.pth'
