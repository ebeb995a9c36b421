from .checkpoint_hook import CheckpointHook
from .guided_matching_hook import GuidedMatchingHook
from .progress_hook import ProgressHook

__all__ = ['CheckpointHook', 'GuidedMatchingHook', 'ProgressHook']
