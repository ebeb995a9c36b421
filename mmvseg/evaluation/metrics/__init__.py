from .youtube_vis_metric import OVISMetric, YouTubeVISMetric

__all__ = ['OVISMetric', 'YouTubeVISMetric']
