# DVIS online, ResNet-50, OVIS at 720p: the second of three stages.
#
# 8 GPUs x 1 clip x 5 frames, 20 000 iterations x 8 = 160 000 clips.
# Published AP on OVIS valid: 30.9 (model zoo of DVIS). Not trained here.
_base_ = [
    '../_base_/models/dvis_online_r50.py',
    '../_base_/datasets/dvis_ovis_720p.py',
    '../_base_/schedules/dvis_20k.py',
    '../_base_/dvis_runtime.py',
]

model = dict(test_cfg=dict(max_per_video=20))
train_dataloader = dict(dataset=dict(clip=dict(num_frames=5)))

load_from = 'work_dirs/minvis_r50_ovis_720p/iter_20000.pth'
allow_missing = ['tracker']
