from .video_panoptic_metric import VideoPanopticMetric
from .video_semantic_metric import VideoSemanticMetric
from .youtube_vis_metric import OVISMetric, YouTubeVISMetric

__all__ = ['OVISMetric', 'VideoPanopticMetric', 'VideoSemanticMetric', 'YouTubeVISMetric']
