# PMT, ViT-L of DINOv2, frozen, VIPSeg at 720p, panoptic: the last of two stages.
#
# 8 GPUs x 1 clip x 5 frames, 40 000 iterations x 8 = 320 000 clips.
# Published VPQ on VIPSeg val: 55.3 (model zoo of PMT). Not trained here.
_base_ = [
    '../_base_/models/pmt_dinov2-l.py',
    '../_base_/datasets/dvis_vipseg.py',
    '../_base_/schedules/pmt_40k.py',
    '../_base_/dvis_runtime.py',
]

model = dict(test_cfg=dict(task='vps', num_things=58))
train_dataloader = dict(dataset=dict(clip=dict(num_frames=5)))

load_from = 'work_dirs/pmt_vit-l_vipseg_segmenter/iter_40000.pth'
allow_missing = ['query_updater']
