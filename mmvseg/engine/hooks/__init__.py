from .checkpoint_hook import CheckpointHook
from .progress_hook import ProgressHook

__all__ = ['CheckpointHook', 'ProgressHook']
