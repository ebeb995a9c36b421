from .hooks import CheckpointHook, GuidedMatchingHook, ProgressHook
from .loops import VideoTestLoop, VideoTrainLoop, VideoValLoop
from .optim import BFloat16OptimWrapper
from .runner import VideoRunner

__all__ = [
    'BFloat16OptimWrapper',
    'CheckpointHook',
    'GuidedMatchingHook',
    'ProgressHook',
    'VideoRunner',
    'VideoTestLoop',
    'VideoTrainLoop',
    'VideoValLoop',
]
