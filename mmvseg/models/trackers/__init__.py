from .query_matching import align_queries
from .referring_tracker import ReferringTracker, TrackerOutput, TrackerState
from .temporal_refiner import TemporalRefiner

__all__ = ['ReferringTracker', 'TemporalRefiner', 'TrackerOutput', 'TrackerState', 'align_queries']
