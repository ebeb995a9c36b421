# PMT, ViT-L of DINOv3, frozen, OVIS with COCO: the last of two stages.
#
# 8 GPUs x 1 clip x 5 frames, 60 000 iterations x 8 = 480 000 clips, half of them videos.
# Published AP on OVIS valid: 52.0 (model zoo of PMT). Not trained here.
_base_ = [
    '../_base_/models/pmt_dinov3-l.py',
    '../_base_/datasets/videomt_ovis.py',
    '../_base_/schedules/pmt_60k.py',
    '../_base_/dvis_runtime.py',
]

model = dict(test_cfg=dict(max_per_video=20))
train_dataloader = dict(
    dataset=dict(
        datasets=dict(video=dict(clip=dict(num_frames=5)), coco=dict(clip=dict(num_frames=5)))
    )
)

load_from = 'work_dirs/pmt_vit-l-dinov3_ovis_segmenter/iter_60000.pth'
allow_missing = ['query_updater']
