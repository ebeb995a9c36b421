# VidEoMT on Shapes with full occlusions: a small plain transformer that carries its queries from
# frame to frame.
#
# One stage, from scratch on one CPU core. 4 clips x 5 frames of 96 x 128 a step. Measured AP:
# docs/benchmarks.md.
#   python tools/dataset_converters/make_shapes.py --out data/shapes_occlusion \
#       --difficulty 0.2 --length 20 --train 600
_base_ = [
    '../_base_/models/videomt_shapes.py',
    '../_base_/datasets/shapes_occlusion.py',
    '../_base_/schedules/shapes_stage.py',
]

train_dataloader = dict(batch_size=4, dataset=dict(clip=dict(num_frames=5, consecutive=True)))

max_iters = 1500
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='OneCycleLR', eta_max=1e-3, total_steps=max_iters, pct_start=0.1, by_epoch=False)
]
