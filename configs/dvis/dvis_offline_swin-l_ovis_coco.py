# DVIS offline, Swin-L, OVIS with COCO: the last of three stages.
#
# 8 GPUs x 1 clip x 21 frames, 20 000 iterations x 8 = 160 000 clips, half of them videos.
# DVIS's model zoo lists no AP for this setting. Not trained here.
_base_ = [
    '../_base_/models/dvis_offline_swin-l.py',
    '../_base_/datasets/dvis_ovis_coco_480p.py',
    '../_base_/schedules/dvis_20k.py',
    '../_base_/dvis_runtime.py',
]

model = dict(test_cfg=dict(max_per_video=20))
train_dataloader = dict(
    dataset=dict(
        datasets=dict(
            video=dict(
                clip=dict(num_frames=21, reverse_prob=0.5), pipeline=_base_.cropped_pipeline
            ),
            coco=dict(clip=dict(num_frames=21, reverse_prob=0.5)),
        )
    )
)

load_from = 'work_dirs/dvis_online_swin-l_ovis_coco/iter_20000.pth'
allow_missing = ['refiner']
