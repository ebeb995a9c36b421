# MinVIS: Mask2Former of 100 queries, Swin-T, frame by frame. All of it is trained.
_base_ = './mask2former_swin-t.py'
model = dict(
    type='MinVIS',
    criterion=dict(type='QueryCriterion', num_classes=40, matcher=dict(type='QueryMatcher')),
    test_cfg=dict(max_per_video=10),
)
