# VidEoMT, ViT-B of DINOv2, YouTube-VIS 2019 with COCO: the second of three stages, on single
# frames.
#
# 8 GPUs x 1 clip x 1 frame, 40 000 iterations x 8 = 320 000 clips, half of them videos.
# How this stage was trained is not published: its settings are taken from the last stage.
# Nor is what it began with: here it is EoMT on COCO's panoptic segments. Not trained here.
_base_ = './videomt_vit-b_ytvis19.py'

model = dict(frames_alone=True, criterion=dict(matcher=dict(type='QueryMatcher')))
train_dataloader = dict(
    dataset=dict(
        datasets=dict(video=dict(clip=dict(num_frames=1)), coco=dict(clip=dict(num_frames=1)))
    )
)

load_from = 'work_dirs/eomt_vit-b_coco_panoptic_640/iter_177384.pth'
