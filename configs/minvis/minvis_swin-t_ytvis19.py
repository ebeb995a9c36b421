# MinVIS, Swin-T, YouTube-VIS 2019 with COCO: for own training, not among the published models.
#
# 8 GPUs x 1 clip x 1 frame, 20 000 iterations x 8 = 160 000 clips, of which 3 / 7 are videos.
# No AP is known. Not trained here. Starts from mmdet's Mask2Former with Swin-T on COCO, put into
# resources/ by hand; --allow-pickle lets it be loaded.
_base_ = [
    '../_base_/models/minvis_swin-t.py',
    '../_base_/datasets/dvis_ytvis19_480p.py',
    '../_base_/schedules/dvis_20k.py',
    '../_base_/dvis_runtime.py',
]

load_from = 'resources/mask2former_swin-t-p4-w7-224_8xb2-lsj-50e_coco_20220508_091649-01b0f990.pth'
