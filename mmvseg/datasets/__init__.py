from mmvseg.formats.categories import Category, load_coco_names, load_table
from mmvseg.formats.youtube_vis import has_annotations, read_categories

from .cityscapes_vps import CityscapesVPSDataset
from .clip_sampling import ClipSampling, ConsecutiveSampling
from .coco_clip import CocoClipDataset
from .coco_stuff import CocoStuffDataset
from .joint_clip import JointClipDataset
from .metainfo import dataset_metainfo
from .samplers import ClipBatchSampler, ClipSampler, JointClipSampler, WindowSampler
from .step import STEPDataset
from .transforms import (
    CropClip,
    FlipClip,
    LoadClip,
    LoadPanopticClip,
    LoadSemanticClip,
    LoadSTEPClip,
    PackClip,
    ResizeClip,
    RotateClip,
)
from .video_dataset import ClipIndex, VideoDataset
from .vipseg import VIPSegDataset
from .vspw import VSPWDataset
from .youtube_vis import YouTubeVISDataset

__all__ = [
    'Category',
    'CityscapesVPSDataset',
    'ClipBatchSampler',
    'ClipIndex',
    'ClipSampler',
    'ClipSampling',
    'CocoClipDataset',
    'CocoStuffDataset',
    'ConsecutiveSampling',
    'CropClip',
    'FlipClip',
    'JointClipDataset',
    'JointClipSampler',
    'LoadClip',
    'LoadPanopticClip',
    'LoadSTEPClip',
    'LoadSemanticClip',
    'PackClip',
    'ResizeClip',
    'RotateClip',
    'STEPDataset',
    'VIPSegDataset',
    'VSPWDataset',
    'VideoDataset',
    'WindowSampler',
    'YouTubeVISDataset',
    'dataset_metainfo',
    'has_annotations',
    'load_coco_names',
    'load_table',
    'read_categories',
]
