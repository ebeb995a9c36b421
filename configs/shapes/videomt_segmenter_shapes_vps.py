# VidEoMT's segmenter on Shapes with stuff, panoptic.
#
# First of two stages, from scratch on one CPU core: videomt_segmenter_shapes_vps,
# videomt_shapes_vps. 16 frames of 96 x 128 a step, as MinVIS takes.
# Measured VPQ and STQ: docs/benchmarks.md.
#   python tools/dataset_converters/make_shapes.py --out data/shapes_vipseg --format vipseg \
#       --difficulty 0.2 --length 20 --train 600
_base_ = [
    '../_base_/models/videomt_shapes.py',
    '../_base_/datasets/shapes_panoptic.py',
    '../_base_/schedules/shapes_stage.py',
]

model = dict(
    frames_alone=True,
    criterion=dict(matcher=dict(_delete_=True, type='QueryMatcher')),
    panoptic_head=dict(num_queries=16),
    test_cfg=dict(task='vps', num_things=6),
)
train_dataloader = dict(batch_size=16, dataset=dict(clip=dict(num_frames=1)))

max_iters = 400
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='OneCycleLR', eta_max=1e-3, total_steps=max_iters, pct_start=0.1, by_epoch=False)
]
