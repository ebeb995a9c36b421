# DVIS online, ResNet-50, YouTube-VIS 2019 with COCO: the second of three stages.
#
# 8 GPUs x 1 clip x 5 frames, 40 000 iterations x 8 = 320 000 clips, of which 3 / 7 are videos.
# Published AP on YouTube-VIS 2019 valid: 51.0 (model zoo of DVIS). Not trained here.
_base_ = [
    '../_base_/models/dvis_online_r50.py',
    '../_base_/datasets/dvis_ytvis19_360p.py',
    '../_base_/schedules/dvis_40k.py',
    '../_base_/dvis_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        datasets=dict(video=dict(clip=dict(num_frames=5)), coco=dict(clip=dict(num_frames=5)))
    )
)

load_from = 'work_dirs/minvis_r50_ytvis19/iter_20000.pth'
allow_missing = ['tracker']
