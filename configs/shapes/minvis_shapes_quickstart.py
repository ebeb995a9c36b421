# The model of tools/quickstart.sh: a small MinVIS on Shapes, 1.25 M parameters.
#
# As published models do, it starts from a model of other data: backbone and pixel decoder (0.97 M
# parameters) are those of the example model, which was trained on other videos of Shapes; the
# decoder, its queries, the classes and the masks start from random weights. All of it is trained,
# with 8 frames of 96 x 128 a step. Measured AP, also from random weights: docs/benchmarks.md.
#   python tools/dataset_converters/make_shapes.py --out data/shapes
_base_ = [
    '../_base_/models/minvis_shapes.py',
    '../_base_/datasets/shapes.py',
    '../_base_/schedules/shapes_stage.py',
]

load_from = 'example://minvis_shapes'
load_parts = ['backbone', 'panoptic_head.pixel_decoder']
allow_missing = ['panoptic_head']
# The example began with the seed 0: with the same random weights as then, the decoder would meet
# features that were trained together with them.
randomness = dict(seed=1)

train_dataloader = dict(batch_size=8, dataset=dict(clip=dict(num_frames=1)))

max_iters = 1000
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='OneCycleLR', eta_max=1e-3, total_steps=max_iters, pct_start=0.1, by_epoch=False)
]
