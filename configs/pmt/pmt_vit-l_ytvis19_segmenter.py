# PMT, ViT-L of DINOv2, frozen, YouTube-VIS 2019 with COCO: the first of two stages, on single
# frames.
#
# 8 GPUs x 1 clip x 1 frame, 60 000 iterations x 8 = 480 000 clips, half of them videos.
# How this stage was trained is not published: its settings are taken from the last stage.
# Nor is what it began with: here it is the encoder alone, converted before. Not trained here.
#   mmvseg convert dinov2_vitl14_reg4_pretrain.pth \
#       resources/dinov2_vit-l.pth --config configs/pmt/pmt_vit-l_ytvis19.py
_base_ = './pmt_vit-l_ytvis19.py'

model = dict(frames_alone=True, criterion=dict(matcher=dict(type='QueryMatcher')))
train_dataloader = dict(
    dataset=dict(
        datasets=dict(video=dict(clip=dict(num_frames=1)), coco=dict(clip=dict(num_frames=1)))
    )
)

load_from = 'resources/dinov2_vit-l.pth'
allow_missing = ['laterals', 'decoder', 'panoptic_head', 'query_updater']
