# QueryInst, PVTv2-b1, 100 queries, COCO: pre-training for configs/tevit/tevit_msgshift.py.
#
# 8 GPUs x 2 images, 36 epochs. Not trained here. Starts from the released ImageNet weights of
# PVTv2-b1 (pvt_v2_b1.pth) in resources/; mmdet converts their names.
_base_ = './queryinst_r50_fpn_100_coco.py'

model = dict(
    backbone=dict(
        _delete_=True,
        type='PyramidVisionTransformerV2',
        embed_dims=64,
        num_layers=[2, 2, 2, 2],
        num_heads=[1, 2, 5, 8],
        init_cfg=dict(type='Pretrained', checkpoint='resources/pvt_v2_b1.pth'),
    ),
    neck=dict(in_channels=[64, 128, 320, 512]),
)
