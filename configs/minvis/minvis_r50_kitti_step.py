# MinVIS, ResNet-50, KITTI-STEP, panoptic: the first of three stages.
#
# 8 GPUs x 1 clip x 1 frame, 20 000 iterations x 8 = 160 000 clips.
# No recipe of MinVIS for this data set is published: the schedule is that for VIPSeg. Not trained
# here, and never run on the data set itself.
_base_ = [
    '../_base_/models/minvis_r50.py',
    '../_base_/datasets/dvis_kitti_step.py',
    '../_base_/schedules/dvis_20k.py',
    '../_base_/dvis_runtime.py',
]

model = dict(test_cfg=dict(task='vps', num_things=2))

load_from = 'work_dirs/mask2former_r50_coco_instance/iter_368750.pth'
