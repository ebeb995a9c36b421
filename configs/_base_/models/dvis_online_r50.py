# DVIS online: a referring tracker on the frozen segmenter of MinVIS. Objects are matched with the
# segmenter's queries in the first half of the training, with the tracker's own in the second.
_base_ = './minvis_r50.py'
model = dict(
    type='DVISOnline',
    # alignment='true' for own training: the published order of queries is the inverse one.
    tracker=dict(type='ReferringTracker', num_classes=40),
    criterion=dict(matcher=dict(type='ConsistentQueryMatcher')),
)
custom_hooks = [dict(type='GuidedMatchingHook', fraction=0.5)]
