# DVIS offline, Swin-L, YouTube-VIS 2019 with COCO: the last of three stages.
#
# 8 GPUs x 1 clip x 21 frames, 40 000 iterations x 8 = 320 000 clips, of which 3 / 7 are videos.
# Published AP on YouTube-VIS 2019 valid: 64.8 (model zoo of DVIS). Not trained here.
_base_ = [
    '../_base_/models/dvis_offline_swin-l.py',
    '../_base_/datasets/dvis_ytvis19_480p.py',
    '../_base_/schedules/dvis_40k.py',
    '../_base_/dvis_runtime.py',
]

train_dataloader = dict(
    dataset=dict(
        datasets=dict(
            video=dict(clip=dict(num_frames=21, reverse_prob=0.5)),
            coco=dict(clip=dict(num_frames=21, reverse_prob=0.5)),
        )
    )
)

load_from = 'work_dirs/dvis_online_swin-l_ytvis19/iter_40000.pth'
allow_missing = ['refiner']
