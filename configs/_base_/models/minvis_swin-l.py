# MinVIS: Mask2Former of 200 queries, Swin-L, frame by frame. All of it is trained.
_base_ = './mask2former_swin-l.py'
model = dict(
    type='MinVIS',
    criterion=dict(type='QueryCriterion', num_classes=40, matcher=dict(type='QueryMatcher')),
    test_cfg=dict(max_per_video=10),
)
