from .query_matcher import ConsistentQueryMatcher, ExclusiveQueryMatcher, QueryMatcher
from .tevit_hungarian_assigner import ClipAssignment, ClipInstances, TeViTHungarianAssigner

__all__ = [
    'ClipAssignment',
    'ClipInstances',
    'ConsistentQueryMatcher',
    'ExclusiveQueryMatcher',
    'QueryMatcher',
    'TeViTHungarianAssigner',
]
