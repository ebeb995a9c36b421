# QueryInst, ResNet-50, 100 queries, COCO: pre-training for configs/tevit/tevit_r50.py.
#
# 8 GPUs x 2 images, 36 epochs. Published box AP on COCO val2017: 44.8 (MMDetection). Not trained
# here. The backbone starts from torchvision's weights, which are fetched; without a network
# name a file in model.backbone.init_cfg.checkpoint.
_base_ = [
    '../_base_/models/queryinst_r50.py',
    '../_base_/datasets/coco_instance.py',
    '../_base_/schedules/queryinst_36e.py',
    '../_base_/default_runtime.py',
]

default_hooks = dict(
    logger=dict(log_metric_by_epoch=True), checkpoint=dict(by_epoch=True, interval=1)
)
log_processor = dict(by_epoch=True)
