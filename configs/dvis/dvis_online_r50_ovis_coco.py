# DVIS online, ResNet-50, OVIS with COCO: the second of three stages.
#
# 8 GPUs x 1 clip x 5 frames, 20 000 iterations x 8 = 160 000 clips, half of them videos.
# DVIS's model zoo lists no AP for this setting. Not trained here.
_base_ = [
    '../_base_/models/dvis_online_r50.py',
    '../_base_/datasets/dvis_ovis_coco_360p.py',
    '../_base_/schedules/dvis_20k.py',
    '../_base_/dvis_runtime.py',
]

model = dict(test_cfg=dict(max_per_video=20))
train_dataloader = dict(
    dataset=dict(
        datasets=dict(video=dict(clip=dict(num_frames=5)), coco=dict(clip=dict(num_frames=5)))
    )
)

load_from = 'work_dirs/minvis_r50_ovis_coco/iter_40000.pth'
allow_missing = ['tracker']
