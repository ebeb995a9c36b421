# VidEoMT: ViT-S of DINOv2, queries in its last 3 blocks. 24.09 M parameters with 40 classes.
_base_ = './videomt_dinov2-l.py'
model = dict(
    backbone=dict(embed_dims=384, depth=12, num_heads=6),
    panoptic_head=dict(embed_dims=384),
    num_query_blocks=3,
)
