# DVIS offline, Swin-L, OVIS at 720p: the last of three stages.
#
# 8 GPUs x 1 clip x 21 frames, 20 000 iterations x 8 = 160 000 clips.
# Published AP on OVIS valid: 50.0 (model zoo of DVIS). Not trained here.
_base_ = [
    '../_base_/models/dvis_offline_swin-l.py',
    '../_base_/datasets/dvis_ovis_720p.py',
    '../_base_/schedules/dvis_20k.py',
    '../_base_/dvis_runtime.py',
]

model = dict(test_cfg=dict(max_per_video=20))
train_dataloader = dict(
    dataset=dict(clip=dict(num_frames=21, reverse_prob=0.5), pipeline=_base_.cropped_pipeline)
)

load_from = 'work_dirs/dvis_online_swin-l_ovis_720p/iter_20000.pth'
allow_missing = ['refiner']
