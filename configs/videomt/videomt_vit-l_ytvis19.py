# VidEoMT, ViT-L of DINOv2, YouTube-VIS 2019 with COCO: the last of three stages.
#
# 8 GPUs x 1 clip x 5 frames, 60 000 iterations x 8 = 480 000 clips, half of them videos.
# Published AP on YouTube-VIS 2019 valid: 68.6 (model zoo of VidEoMT). Not trained here.
_base_ = [
    '../_base_/models/videomt_dinov2-l.py',
    '../_base_/datasets/videomt_ytvis19.py',
    '../_base_/schedules/videomt_60k.py',
    '../_base_/dvis_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        datasets=dict(video=dict(clip=dict(num_frames=5)), coco=dict(clip=dict(num_frames=5)))
    )
)

load_from = 'work_dirs/videomt_vit-l_ytvis19_segmenter/iter_60000.pth'
allow_missing = ['query_updater']
