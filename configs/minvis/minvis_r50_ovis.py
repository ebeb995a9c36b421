# MinVIS, ResNet-50, OVIS: the first of three stages.
#
# 8 GPUs x 1 clip x 1 frame, 20 000 iterations x 8 = 160 000 clips.
# Published AP on OVIS valid: 26.7 (model zoo of MinVIS; the file was trained in
# another way, see metafile.yml). Not trained here.
_base_ = [
    '../_base_/models/minvis_r50.py',
    '../_base_/datasets/dvis_ovis_360p.py',
    '../_base_/schedules/dvis_20k.py',
    '../_base_/dvis_runtime.py',
]

load_from = 'work_dirs/mask2former_r50_coco_instance/iter_368750.pth'
