# PMT: the ViT-L of DINOv2, frozen; four of its blocks, brought together, and queries go through a
# decoder of 6 blocks. 359.68 M parameters with 40 classes, of which 54.89 M are trained.
_base_ = './token_queries_dinov2-l.py'
model = dict(
    type='PMT',
    taps=(5, 11, 17, 23),
    decoder=dict(depth=6, num_heads=16, mlp_dims=1024),
    criterion=dict(
        type='VidEoMTCriterion', num_classes=40, matcher=dict(type='ExclusiveQueryMatcher')
    ),
    test_cfg=dict(max_per_video=10),
)
