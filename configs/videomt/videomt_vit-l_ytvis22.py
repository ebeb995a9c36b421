# VidEoMT, ViT-L of DINOv2, YouTube-VIS 2022 (videos of 2021) with COCO: the last of three stages.
#
# 8 GPUs x 1 clip x 5 frames, 160 000 iterations x 8 = 1 280 000 clips, half of them videos.
# Published APL on YouTube-VIS 2022 valid, long videos: 42.6 (model zoo of VidEoMT).
# Not trained here.
_base_ = [
    '../_base_/models/videomt_dinov2-l.py',
    '../_base_/datasets/videomt_ytvis22.py',
    '../_base_/schedules/videomt_160k.py',
    '../_base_/dvis_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        datasets=dict(video=dict(clip=dict(num_frames=5)), coco=dict(clip=dict(num_frames=5)))
    )
)

load_from = 'work_dirs/videomt_vit-l_ytvis22_segmenter/iter_160000.pth'
allow_missing = ['query_updater']
