from .clip_sampler import ClipBatchSampler, ClipSampler, JointClipSampler
from .window_sampler import WindowSampler

__all__ = ['ClipBatchSampler', 'ClipSampler', 'JointClipSampler', 'WindowSampler']
