# VidEoMT: 60 000 iterations of 8 clips (8 GPUs x 1).
_base_ = './videomt_40k.py'
train_cfg = dict(max_iters=60000)
