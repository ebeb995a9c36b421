# A Mask2Former of 1.3 M parameters on a plain PVTv2, for frames of about 100 pixels.
_base_ = './minvis_r50.py'

width = 64
heads = dict(embed_dims=width, num_heads=4)
model = dict(
    backbone=dict(
        _delete_=True,
        type='MsgShifT',
        num_msg_tokens=0,
        embed_dims=16,
        num_layers=[2, 2, 2, 2],
        num_heads=[1, 2, 5, 8],
        sr_ratios=[8, 4, 2, 1],
        mlp_ratios=[4, 4, 4, 4],
        drop_path_rate=0.0,
    ),
    panoptic_head=dict(
        in_channels=[16, 32, 80, 128],
        num_classes=6,
        num_queries=12,
        feat_channels=width,
        out_channels=width,
        positional_encoding=dict(num_feats=width // 2),
        pixel_decoder=dict(
            norm_cfg=dict(type='GN', num_groups=8),
            encoder=dict(
                num_layers=2,
                layer_cfg=dict(
                    self_attn_cfg=heads,
                    ffn_cfg=dict(embed_dims=width, feedforward_channels=128),
                ),
            ),
            positional_encoding=dict(num_feats=width // 2),
        ),
        transformer_decoder=dict(
            num_layers=4,
            layer_cfg=dict(
                self_attn_cfg=heads,
                cross_attn_cfg=heads,
                ffn_cfg=dict(embed_dims=width, feedforward_channels=256),
            ),
        ),
    ),
    criterion=dict(num_classes=6, num_points=512),
)
