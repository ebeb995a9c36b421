from .hooks import CheckpointHook, GuidedMatchingHook, MaskAnnealingHook, ProgressHook
from .layer_decay import LayerDecayOptimWrapperConstructor
from .log_backends import MLflowLog, TensorboardLog, WandbLog
from .loops import VideoTestLoop, VideoTrainLoop, VideoValLoop
from .optim import BFloat16OptimWrapper
from .runner import VideoRunner
from .warm_up import WarmUpPolyLR

__all__ = [
    'BFloat16OptimWrapper',
    'CheckpointHook',
    'GuidedMatchingHook',
    'LayerDecayOptimWrapperConstructor',
    'MLflowLog',
    'MaskAnnealingHook',
    'ProgressHook',
    'TensorboardLog',
    'VideoRunner',
    'VideoTestLoop',
    'VideoTrainLoop',
    'VideoValLoop',
    'WandbLog',
    'WarmUpPolyLR',
]
