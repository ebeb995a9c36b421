from .clip_sampler import ClipBatchSampler, ClipSampler
from .window_sampler import WindowSampler

__all__ = ['ClipBatchSampler', 'ClipSampler', 'WindowSampler']
