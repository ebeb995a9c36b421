# VidEoMT, ViT-L of DINOv2, OVIS with COCO: the last of three stages.
#
# 8 GPUs x 1 clip x 5 frames, 160 000 iterations x 8 = 1 280 000 clips, half of them videos.
# Published AP on OVIS valid: 52.5 (model zoo of VidEoMT). Not trained here.
_base_ = [
    '../_base_/models/videomt_dinov2-l.py',
    '../_base_/datasets/videomt_ovis.py',
    '../_base_/schedules/videomt_160k.py',
    '../_base_/dvis_runtime.py',
]

model = dict(test_cfg=dict(max_per_video=20))
train_dataloader = dict(
    dataset=dict(
        datasets=dict(video=dict(clip=dict(num_frames=5)), coco=dict(clip=dict(num_frames=5)))
    )
)

load_from = 'work_dirs/videomt_vit-l_ovis_segmenter/iter_160000.pth'
allow_missing = ['query_updater']
