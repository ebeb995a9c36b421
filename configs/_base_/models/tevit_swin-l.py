# TeViT with Swin-L and 300 queries: frames meet in the heads (STQI) alone. 343.86 M parameters.
_base_ = './tevit_msgshift.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='SwinTransformer',
        embed_dims=192,
        depths=[2, 2, 18, 2],
        num_heads=[6, 12, 24, 48],
        window_size=7,
        drop_path_rate=0.2,
        out_indices=(0, 1, 2, 3),
        with_cp=True,
    ),
    neck=dict(in_channels=[192, 384, 768, 1536]),
    rpn_head=dict(num_proposals=300),
)
