# TeViT, ResNet-50 backbone (STQI only), YouTube-VIS 2019.
#
# 8 GPUs x 2 clips x 5 frames, 9200 iterations. Published AP on YouTube-VIS 2019 valid: 42.1 (the
# released file). Not trained here.
_base_ = [
    '../_base_/models/tevit_r50.py',
    '../_base_/datasets/youtube_vis_2019.py',
    '../_base_/schedules/tevit_9200i.py',
    '../_base_/default_runtime.py',
]

default_hooks = dict(checkpoint=dict(interval=770))
