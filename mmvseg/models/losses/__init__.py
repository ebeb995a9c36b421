from .clip_targets import ClipObjects, video_names
from .query_criterion import QueryCriterion
from .query_predictions import MaskTargets, QueryPredictions

__all__ = ['ClipObjects', 'MaskTargets', 'QueryCriterion', 'QueryPredictions', 'video_names']
