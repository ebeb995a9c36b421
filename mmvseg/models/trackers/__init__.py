from .query_matching import chain_queries, match_frames
from .referring_tracker import ReferringTracker, TrackerOutput, TrackerState
from .temporal_refiner import TemporalRefiner

__all__ = [
    'ReferringTracker',
    'TemporalRefiner',
    'TrackerOutput',
    'TrackerState',
    'chain_queries',
    'match_frames',
]
