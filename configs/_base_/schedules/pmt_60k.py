# PMT: 60 000 iterations of 8 clips (8 GPUs x 1).
_base_ = './pmt_20k.py'
train_cfg = dict(max_iters=60000)
