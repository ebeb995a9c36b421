# What EoMT, VidEoMT and PMT share: a plain ViT-L, as DINOv2 trains it, and 200 queries among its
# tokens. What is built on it sets `type`.
model = dict(
    data_preprocessor=dict(
        type='VideoDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        pad_size_divisor=32,
    ),
    backbone=dict(
        type='DINOViT',
        embed_dims=1024,
        depth=24,
        num_heads=16,
        patch_size=16,
        num_registers=4,
        position='learned',
        grid_size=40,  # of images of 640 pixels; others get its positions scaled
        norm_eps=1e-6,
        key_bias=True,
    ),
    panoptic_head=dict(
        type='TokenQueryHead', num_classes=40, num_queries=200, embed_dims=1024, num_upscales=2
    ),
)
