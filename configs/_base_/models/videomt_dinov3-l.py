# VidEoMT on the ViT-L of DINOv3. 315.99 M parameters with 40 classes.
_base_ = './token_queries_dinov3-l.py'
model = dict(
    type='VidEoMT',
    num_query_blocks=4,
    criterion=dict(
        type='VidEoMTCriterion', num_classes=40, matcher=dict(type='ExclusiveQueryMatcher')
    ),
    test_cfg=dict(max_per_video=10),
)
