# The runtime of all stages of DVIS: a checkpoint every 5000 iterations, no validation in between.
_base_ = './default_runtime.py'
default_hooks = dict(checkpoint=dict(interval=5000))
randomness = dict(seed=42)
