# VidEoMT's segmenter on Shapes with stuff, semantic.
#
# First of two stages, from scratch on one CPU core: videomt_segmenter_shapes_vss,
# videomt_shapes_vss. 16 frames of 96 x 128 a step, as MinVIS takes.
# Measured mIoU and VC: docs/benchmarks.md.
#   python tools/dataset_converters/make_shapes.py --out data/shapes_vspw --format vspw \
#       --difficulty 0.2 --length 20 --train 600
_base_ = [
    '../_base_/models/videomt_shapes.py',
    '../_base_/datasets/shapes_semantic.py',
    '../_base_/schedules/shapes_stage.py',
]

model = dict(
    frames_alone=True,
    criterion=dict(matcher=dict(_delete_=True, type='QueryMatcher')),
    panoptic_head=dict(num_queries=16),
    test_cfg=dict(task='vss'),
)
train_dataloader = dict(batch_size=16, dataset=dict(clip=dict(num_frames=1)))

max_iters = 400
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='OneCycleLR', eta_max=1e-3, total_steps=max_iters, pct_start=0.1, by_epoch=False)
]
