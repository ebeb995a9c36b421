# VidEoMT: ViT-L of DINOv2, queries in its last 4 blocks, carried from frame to frame. 317.65 M
# parameters with 40 classes. All of it is trained.
_base_ = './token_queries_dinov2-l.py'
model = dict(
    type='VidEoMT',
    num_query_blocks=4,
    criterion=dict(
        type='VidEoMTCriterion', num_classes=40, matcher=dict(type='ExclusiveQueryMatcher')
    ),
    test_cfg=dict(max_per_video=10),
)
