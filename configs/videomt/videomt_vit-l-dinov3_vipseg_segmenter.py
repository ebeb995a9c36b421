# VidEoMT, ViT-L of DINOv3, VIPSeg at 720p, panoptic: the second of three stages, on single frames.
#
# 8 GPUs x 1 clip x 1 frame, 40 000 iterations x 8 = 320 000 clips.
# How this stage was trained is not published: its settings are taken from the last stage.
# Nor is what it began with: here it is EoMT on COCO's panoptic segments. Not trained here.
_base_ = './videomt_vit-l-dinov3_vipseg.py'

model = dict(frames_alone=True, criterion=dict(matcher=dict(type='QueryMatcher')))
train_dataloader = dict(dataset=dict(clip=dict(num_frames=1)))

load_from = 'work_dirs/eomt_vit-l-dinov3_coco_panoptic_1280/iter_88692.pth'
