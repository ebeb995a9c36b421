from .checkpoint_hook import CheckpointHook
from .early_stopping_hook import EarlyStoppingHook
from .guided_matching_hook import GuidedMatchingHook
from .iter_timer_hook import IterTimerHook
from .mask_annealing_hook import MaskAnnealingHook
from .progress_hook import ProgressHook
from .stop_hook import StopHook

__all__ = [
    'CheckpointHook',
    'EarlyStoppingHook',
    'GuidedMatchingHook',
    'IterTimerHook',
    'MaskAnnealingHook',
    'ProgressHook',
    'StopHook',
]
