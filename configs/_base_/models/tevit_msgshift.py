# TeViT with the MsgShifT backbone: PVTv2-b1 plus messengers. 161.83 M parameters.
model = dict(
    type='TeViT',
    data_preprocessor=dict(
        type='VideoDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        pad_size_divisor=32,
    ),
    backbone=dict(
        type='MsgShifT',
        num_msg_tokens=32,
        shift_strides=(1, -1, 2, -2),
        embed_dims=64,
        num_layers=[2, 2, 2, 2],
        num_heads=[1, 2, 5, 8],
        sr_ratios=[8, 4, 2, 1],
        mlp_ratios=[8, 8, 4, 4],
        drop_path_rate=0.1,
    ),
    neck=dict(type='FPN', in_channels=[64, 128, 320, 512], out_channels=256, num_outs=4),
    rpn_head=dict(type='EmbeddingRPNHead', num_proposals=100, proposal_feature_channel=256),
    roi_head=dict(
        type='TeViTRoIHead',
        num_stages=6,
        bbox_roi_extractor=dict(
            type='FrameRoIExtractor',
            roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=2),
            out_channels=256,
            featmap_strides=[4, 8, 16, 32],
        ),
        mask_roi_extractor=dict(
            type='FrameRoIExtractor',
            roi_layer=dict(type='RoIAlign', output_size=14, sampling_ratio=2),
            out_channels=256,
            featmap_strides=[4, 8, 16, 32],
        ),
        bbox_head=dict(
            type='STQIHead',
            temporal_attention=True,
            num_classes=40,
            num_heads=8,
            num_cls_fcs=1,
            num_reg_fcs=3,
            feedforward_channels=2048,
            in_channels=256,
            dynamic_conv_cfg=dict(
                type='DynamicConv',
                in_channels=256,
                feat_channels=64,
                out_channels=256,
                input_feat_shape=7,
                act_cfg=dict(type='ReLU', inplace=True),
                norm_cfg=dict(type='LN'),
            ),
            loss_cls=dict(
                type='FocalLoss', use_sigmoid=True, gamma=2.0, alpha=0.25, loss_weight=2.0
            ),
            loss_bbox=dict(type='L1Loss', loss_weight=5.0),
            loss_iou=dict(type='GIoULoss', loss_weight=2.0),
            bbox_coder=dict(
                type='DeltaXYWHBBoxCoder',
                clip_border=False,
                target_means=[0.0, 0.0, 0.0, 0.0],
                target_stds=[0.5, 0.5, 1.0, 1.0],
            ),
        ),
        mask_head=dict(
            type='TeViTMaskHead',
            num_classes=40,
            num_convs=4,
            roi_feat_size=14,
            in_channels=256,
            conv_out_channels=256,
            norm_cfg=dict(type='BN'),
            upsample_cfg=dict(type='deconv', scale_factor=2),
            dynamic_conv_cfg=dict(
                type='DynamicConv',
                in_channels=256,
                feat_channels=64,
                out_channels=256,
                input_feat_shape=14,
                with_proj=False,
                act_cfg=dict(type='ReLU', inplace=True),
                norm_cfg=dict(type='LN'),
            ),
            loss_mask=dict(
                type='DiceLoss', loss_weight=8.0, use_sigmoid=True, activate=False, eps=1e-5
            ),
        ),
        assigner=dict(
            type='TeViTHungarianAssigner',
            cls_cost=dict(type='FocalLossCost', weight=2.0),
            reg_cost=dict(type='BBoxL1Cost', weight=5.0, box_format='xyxy'),
            iou_cost=dict(type='IoUCost', iou_mode='giou', weight=2.0),
        ),
    ),
    # Videos of up to clip_frames frames pass in one piece, as in the paper; that covers every
    # video of YouTube-VIS 2019 (36 at most) and 2021 (84).
    test_cfg=dict(max_per_video=10, mask_thr_binary=0.5, clip_frames=96),
)
