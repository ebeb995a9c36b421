# QueryInst, Swin-L, 300 queries, COCO: pre-training for configs/tevit/tevit_swin-l_mstrain.py.
#
# 8 GPUs x 2 images, 36 epochs, half of the images cropped before they are resized (as DETR does).
# Published box AP on COCO val2017: 56.1 (QueryInst; its file was trained for 50 epochs at
# 400-1200). Not trained here. Starts from the released ImageNet-22k weights of Swin-L
# (swin_large_patch4_window7_224_22k.pth) in resources/; mmdet converts their names.
_base_ = './queryinst_r50_fpn_100_coco.py'

num_proposals = 300

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
        convert_weights=True,
        init_cfg=dict(
            type='Pretrained', checkpoint='resources/swin_large_patch4_window7_224_22k.pth'
        ),
    ),
    neck=dict(in_channels=[192, 384, 768, 1536]),
    rpn_head=dict(num_proposals=num_proposals),
    test_cfg=dict(rcnn=dict(max_per_img=num_proposals)),
)

scales = [(1333, short) for short in range(480, 801, 32)]
resize = dict(type='RandomChoiceResize', scales=scales, keep_ratio=True)
train_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(
        type='RandomChoice',
        transforms=[
            [resize],
            [
                dict(
                    type='RandomChoiceResize',
                    scales=[(4200, 400), (4200, 500), (4200, 600)],
                    keep_ratio=True,
                ),
                dict(
                    type='RandomCrop',
                    crop_type='absolute_range',
                    crop_size=(384, 600),
                    allow_negative_crop=True,
                ),
                resize,
            ],
        ],
    ),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PackDetInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
