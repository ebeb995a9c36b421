# DVIS online: a small referring tracker on the frozen segmenter of minvis_shapes.
_base_ = './minvis_shapes.py'

sizes = dict(
    num_classes=6,
    embed_dims=64,
    num_layers=3,
    num_heads=4,
    feedforward_channels=256,
    mask_dims=64,
)
model = dict(
    type='DVISOnline',
    tracker=dict(type='ReferringTracker', alignment='true', **sizes),
    criterion=dict(matcher=dict(type='ConsistentQueryMatcher')),
    absent_as_background=False,
)
custom_hooks = [dict(type='GuidedMatchingHook')]
