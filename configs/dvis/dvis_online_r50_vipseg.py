# DVIS online, ResNet-50, VIPSeg at 720p, panoptic: the second of three stages.
#
# 8 GPUs x 1 clip x 5 frames, 20 000 iterations x 8 = 160 000 clips.
# DVIS's model zoo lists no VPQ for this one. Not trained here.
_base_ = [
    '../_base_/models/dvis_online_r50.py',
    '../_base_/datasets/dvis_vipseg.py',
    '../_base_/schedules/dvis_20k.py',
    '../_base_/dvis_runtime.py',
]

# As published for this data set: objects keep their class where they are not visible.
model = dict(absent_as_background=False, test_cfg=dict(task='vps', num_things=58))
train_dataloader = dict(dataset=dict(clip=dict(num_frames=5)))

load_from = 'work_dirs/minvis_r50_vipseg/iter_20000.pth'
allow_missing = ['tracker']
