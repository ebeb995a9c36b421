# MinVIS, Swin-L, YouTube-VIS 2021 with COCO: the first of three stages.
#
# 8 GPUs x 1 clip x 1 frame, 20 000 iterations x 8 = 160 000 clips, half of them videos.
# Published AP on YouTube-VIS 2021 valid: 55.4 (model zoo of MinVIS; the file was trained in
# another way, tested at 360, see metafile.yml). Not trained here.
_base_ = [
    '../_base_/models/minvis_swin-l.py',
    '../_base_/datasets/dvis_ytvis21_480p.py',
    '../_base_/schedules/dvis_20k.py',
    '../_base_/dvis_runtime.py',
]

load_from = 'work_dirs/mask2former_swin-l_coco_instance/iter_737500.pth'
