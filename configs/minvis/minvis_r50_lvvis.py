# MinVIS, ResNet-50, LV-VIS: all 1196 classes, the novel ones too. This is not the open-vocabulary
# protocol, which trains on LVIS without its rare classes.
#
# 8 GPUs x 1 clip x 1 frame, 20 000 iterations x 8 = 160 000 clips: the schedule of the other data
# sets, not one that was found for this one. Nothing is published. Not trained here.
_base_ = [
    '../_base_/models/minvis_r50.py',
    '../_base_/datasets/dvis_lvvis_360p.py',
    '../_base_/schedules/dvis_20k.py',
    '../_base_/dvis_runtime.py',
]

load_from = 'work_dirs/mask2former_r50_coco_instance/iter_368750.pth'
