default_scope = 'mmvseg'
runner_type = 'VideoRunner'

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='CheckpointHook', by_epoch=False, interval=1000, max_keep_ckpts=3),
)
# one line of progress instead of the log on the console:
#   default_hooks = dict(progress=dict(type='ProgressHook'))
# average of the weights (what is validated and saved as state_dict):
#   custom_hooks = [dict(type='EMAHook', momentum=0.0002, update_buffers=True)]

log_processor = dict(type='LogProcessor', window_size=50, by_epoch=False)
log_level = 'INFO'
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='Visualizer', vis_backends=vis_backends, name='visualizer')
# of a training, beside these: tensorboard, wandb, mlflow (as --log)
log_to = []

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
)
randomness = dict(seed=0)

load_from = None
resume = False
# safety valves of loading, see docs/train.md
allow_pickle = False
allow_missing = []
