# A Mask2Former of 1.6 M parameters on a plain PVTv2, for frames of about 100 pixels.
model = dict(
    type='MinVIS',
    data_preprocessor=dict(
        type='VideoDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        pad_size_divisor=32,
    ),
    backbone=dict(
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
        type='FrameQueryHead',
        in_channels=[16, 32, 80, 128],
        num_classes=6,
        num_queries=12,
        feat_channels=64,
        out_channels=64,
        positional_encoding=dict(num_feats=32, normalize=True),
        pixel_decoder=dict(
            type='mmdet.MSDeformAttnPixelDecoder',
            num_outs=3,
            norm_cfg=dict(type='GN', num_groups=8),
            act_cfg=dict(type='ReLU'),
            encoder=dict(
                num_layers=2,
                layer_cfg=dict(
                    self_attn_cfg=dict(
                        embed_dims=64,
                        num_heads=4,
                        num_levels=3,
                        num_points=4,
                        dropout=0.0,
                        batch_first=True,
                    ),
                    ffn_cfg=dict(embed_dims=64, feedforward_channels=128, num_fcs=2),
                ),
            ),
            positional_encoding=dict(num_feats=32, normalize=True),
        ),
        transformer_decoder=dict(
            return_intermediate=True,
            num_layers=4,
            layer_cfg=dict(
                self_attn_cfg=dict(embed_dims=64, num_heads=4, batch_first=True),
                cross_attn_cfg=dict(embed_dims=64, num_heads=4, batch_first=True),
                ffn_cfg=dict(embed_dims=64, feedforward_channels=256, num_fcs=2),
            ),
        ),
    ),
    criterion=dict(
        type='QueryCriterion',
        num_classes=6,
        num_points=512,
        matcher=dict(type='QueryMatcher', num_points=512),
    ),
)
