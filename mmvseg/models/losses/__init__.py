from .clip_targets import ClipObjects, video_names
from .query_criterion import QueryCriterion
from .query_predictions import MaskTargets, QueryPredictions, require_finite_everywhere

__all__ = [
    'ClipObjects',
    'MaskTargets',
    'QueryCriterion',
    'QueryPredictions',
    'require_finite_everywhere',
    'video_names',
]
