from .categories import Category, load_table
from .clip_sampling import ClipSampling
from .samplers import ClipBatchSampler, ClipSampler, WindowSampler
from .transforms import FlipClip, LoadClip, PackClip, ResizeClip
from .video_dataset import ClipIndex, VideoDataset
from .youtube_vis import YouTubeVISDataset, dataset_metainfo
from .youtube_vis_json import has_annotations, load_annotation_file, read_categories

__all__ = [
    'Category',
    'ClipBatchSampler',
    'ClipIndex',
    'ClipSampler',
    'ClipSampling',
    'FlipClip',
    'LoadClip',
    'PackClip',
    'ResizeClip',
    'VideoDataset',
    'WindowSampler',
    'YouTubeVISDataset',
    'dataset_metainfo',
    'has_annotations',
    'load_annotation_file',
    'load_table',
    'read_categories',
]
