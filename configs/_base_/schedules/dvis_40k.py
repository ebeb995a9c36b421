# 40 000 iterations of 8 clips (8 GPUs x 1), a step at 28 000.
_base_ = './dvis_20k.py'
train_cfg = dict(max_iters=40000)
param_scheduler = [dict(type='MultiStepLR', by_epoch=False, milestones=[28000], gamma=0.1)]
