# A VidEoMT of 1.5 M parameters, for frames of about 100 pixels: all of it from random weights.
_base_ = './videomt_dinov2-l.py'

width = 128
model = dict(
    backbone=dict(embed_dims=width, depth=6, num_heads=4, position='rotary', grid_size=None),
    panoptic_head=dict(num_classes=6, num_queries=12, embed_dims=width),
    num_query_blocks=3,
    criterion=dict(num_classes=6, num_points=512),
)
