from .metrics import OVISMetric, YouTubeVISMetric
from .results_writer import ResultsWriter

__all__ = ['OVISMetric', 'ResultsWriter', 'YouTubeVISMetric']
