# PMT, ViT-L of DINOv3, frozen, YouTube-VIS 2021 with COCO: the last of two stages.
#
# 8 GPUs x 1 clip x 5 frames, 60 000 iterations x 8 = 480 000 clips, half of them videos.
# Published AP on YouTube-VIS 2021 valid: 64.3 (model zoo of PMT). Not trained here.
_base_ = [
    '../_base_/models/pmt_dinov3-l.py',
    '../_base_/datasets/videomt_ytvis21.py',
    '../_base_/schedules/pmt_60k.py',
    '../_base_/dvis_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        datasets=dict(video=dict(clip=dict(num_frames=5)), coco=dict(clip=dict(num_frames=5)))
    )
)

load_from = 'work_dirs/pmt_vit-l-dinov3_ytvis21_segmenter/iter_60000.pth'
allow_missing = ['query_updater']
