from .video_panoptic_metric import CityscapesVPSMetric, STEPMetric, VideoPanopticMetric
from .video_semantic_metric import VideoSemanticMetric
from .youtube_vis_metric import OVISMetric, YouTubeVISMetric

__all__ = [
    'CityscapesVPSMetric',
    'OVISMetric',
    'STEPMetric',
    'VideoPanopticMetric',
    'VideoSemanticMetric',
    'YouTubeVISMetric',
]
