# MinVIS, Swin-L, OVIS with COCO: the first of three stages.
#
# 8 GPUs x 1 clip x 1 frame, 40 000 iterations x 8 = 320 000 clips, half of them videos.
# DVIS's model zoo lists no AP for this stage. Not trained here.
_base_ = [
    '../_base_/models/minvis_swin-l.py',
    '../_base_/datasets/dvis_ovis_coco_480p.py',
    '../_base_/schedules/dvis_40k.py',
    '../_base_/dvis_runtime.py',
]

load_from = 'work_dirs/mask2former_swin-l_coco_instance/iter_737500.pth'
