from .davis_metric import DAVISMetric
from .video_panoptic_metric import CityscapesVPSMetric, STEPMetric, VideoPanopticMetric
from .video_semantic_metric import VideoSemanticMetric
from .youtube_vis_metric import LVVISMetric, OVISMetric, YouTubeVIS2022Metric, YouTubeVISMetric

__all__ = [
    'CityscapesVPSMetric',
    'DAVISMetric',
    'LVVISMetric',
    'OVISMetric',
    'STEPMetric',
    'VideoPanopticMetric',
    'VideoSemanticMetric',
    'YouTubeVIS2022Metric',
    'YouTubeVISMetric',
]
