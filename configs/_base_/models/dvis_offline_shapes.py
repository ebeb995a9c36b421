# DVIS offline: a small temporal refiner on the frozen segmenter and tracker of dvis_online_shapes.
_base_ = './dvis_online_shapes.py'
model = dict(
    type='DVISOffline',
    refiner=dict(type='TemporalRefiner', **_base_.sizes),
    criterion=dict(matcher=dict(type='QueryMatcher')),
)
