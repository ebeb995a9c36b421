# DVIS online, ResNet-50, Cityscapes-VPS, panoptic: the second of three stages.
#
# 8 GPUs x 1 clip x 5 frames, 20 000 iterations x 8 = 160 000 clips.
# No recipe of DVIS for this data set is published: the schedule is that for VIPSeg. Not trained
# here, and never run on the data set itself.
_base_ = [
    '../_base_/models/dvis_online_r50.py',
    '../_base_/datasets/dvis_cityscapes_vps.py',
    '../_base_/schedules/dvis_20k.py',
    '../_base_/dvis_runtime.py',
]

# As published for VIPSeg: objects keep their class where they are not visible.
model = dict(absent_as_background=False, test_cfg=dict(task='vps', num_things=8))
train_dataloader = dict(dataset=dict(clip=dict(num_frames=5)))

load_from = 'work_dirs/minvis_r50_cityscapes_vps/iter_20000.pth'
allow_missing = ['tracker']
