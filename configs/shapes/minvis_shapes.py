# MinVIS on Shapes with full occlusions: a small Mask2Former, trained on single frames.
#
# First of three stages, from scratch on one CPU core: minvis_shapes, dvis_online_shapes,
# dvis_offline_shapes. 16 frames of 96 x 128 a step. Measured AP: docs/benchmarks.md.
#   python tools/dataset_converters/make_shapes.py --out data/shapes_occlusion \
#       --difficulty 0.2 --length 20 --train 600
_base_ = [
    '../_base_/models/minvis_shapes.py',
    '../_base_/datasets/shapes_occlusion.py',
    '../_base_/schedules/shapes_stage.py',
]

train_dataloader = dict(batch_size=16, dataset=dict(clip=dict(num_frames=1)))

max_iters = 1500
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='OneCycleLR', eta_max=1e-3, total_steps=max_iters, pct_start=0.1, by_epoch=False)
]
