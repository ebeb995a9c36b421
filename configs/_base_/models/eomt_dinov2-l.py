# EoMT on images: ViT-L of DINOv2, queries in its last 4 blocks, masked attention in training.
_base_ = './token_queries_dinov2-l.py'
model = dict(
    type='ImageEoMT',
    num_query_blocks=4,
    panoptic_head=dict(num_classes=133),
    panoptic_fusion_head=dict(
        type='MaskFormerFusionHead',
        num_things_classes=80,
        num_stuff_classes=53,
        test_cfg=dict(panoptic_on=True, instance_on=False, iou_thr=0.8, filter_low_score=True),
    ),
    criterion=dict(type='QueryCriterion', num_classes=133, matcher=dict(type='QueryMatcher')),
)
