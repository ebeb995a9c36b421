# MinVIS, ResNet-50, DAVIS 2017: objects of no class. Other data without classes, such as MOSE, take
# its place by own_data.
#
# 8 GPUs x 1 clip x 1 frame, 20 000 iterations x 8 = 160 000 clips: the schedule of the other data
# sets, not one that was found for this one. Nothing is published. Not trained here.
_base_ = [
    '../_base_/models/minvis_r50.py',
    '../_base_/datasets/dvis_davis_480p.py',
    '../_base_/schedules/dvis_20k.py',
    '../_base_/dvis_runtime.py',
]

load_from = 'work_dirs/mask2former_r50_coco_instance/iter_368750.pth'
