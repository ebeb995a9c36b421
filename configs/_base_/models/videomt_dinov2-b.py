# VidEoMT: ViT-B of DINOv2, queries in its last 3 blocks. 94.18 M parameters with 40 classes.
_base_ = './videomt_dinov2-l.py'
model = dict(
    backbone=dict(embed_dims=768, depth=12, num_heads=12),
    panoptic_head=dict(embed_dims=768),
    num_query_blocks=3,
)
