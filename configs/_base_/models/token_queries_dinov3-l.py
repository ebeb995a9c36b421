# The same on the ViT-L of DINOv3: rotary positions, keys without a bias.
_base_ = './token_queries_dinov2-l.py'
model = dict(
    backbone=dict(position='rotary', grid_size=None, norm_eps=1e-5, key_bias=False),
)
