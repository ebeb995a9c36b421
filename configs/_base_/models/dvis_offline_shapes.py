# DVIS offline: a small temporal refiner on the frozen segmenter and tracker of dvis_online_shapes.
_base_ = './dvis_online_shapes.py'
model = dict(
    type='DVISOffline',
    refiner=dict(
        type='TemporalRefiner',
        num_classes=6,
        embed_dims=64,
        num_layers=3,
        num_heads=4,
        feedforward_channels=256,
        mask_dims=64,
    ),
    criterion=dict(matcher=dict(type='QueryMatcher')),
)
