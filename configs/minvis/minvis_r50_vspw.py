# MinVIS, ResNet-50, VSPW at 720p, semantic: the first of three stages.
#
# 8 GPUs x 1 clip x 1 frame, 20 000 iterations x 8 = 160 000 clips.
# DVIS's model zoo lists no mIoU for this one. Not trained here.
_base_ = [
    '../_base_/models/minvis_r50.py',
    '../_base_/datasets/dvis_vspw.py',
    '../_base_/schedules/dvis_20k.py',
    '../_base_/dvis_runtime.py',
]

model = dict(test_cfg=dict(task='vss'))

load_from = 'work_dirs/mask2former_r50_coco_instance/iter_368750.pth'
