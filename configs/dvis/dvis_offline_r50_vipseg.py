# DVIS offline, ResNet-50, VIPSeg at 720p, panoptic: the last of three stages.
#
# 8 GPUs x 1 clip x 21 frames, 20 000 iterations x 8 = 160 000 clips.
# DVIS's model zoo lists no VPQ for this one. Not trained here.
_base_ = [
    '../_base_/models/dvis_offline_r50.py',
    '../_base_/datasets/dvis_vipseg.py',
    '../_base_/schedules/dvis_20k.py',
    '../_base_/dvis_runtime.py',
]

# As published for this data set: objects keep their class where they are not visible.
model = dict(absent_as_background=False, test_cfg=dict(task='vps', num_things=58))
train_dataloader = dict(
    dataset=dict(clip=dict(num_frames=21, reverse_prob=0.5), pipeline=_base_.cropped_pipeline)
)

load_from = 'work_dirs/dvis_online_r50_vipseg/iter_20000.pth'
allow_missing = ['refiner']
