# DVIS offline: a temporal refiner on the frozen segmenter and tracker of DVIS online. Objects are
# matched with the tracker's queries in the first half of the training.
_base_ = './dvis_online_swin-l.py'
model = dict(
    type='DVISOffline',
    refiner=dict(type='TemporalRefiner', num_classes=40),
    criterion=dict(matcher=dict(type='QueryMatcher')),
)
