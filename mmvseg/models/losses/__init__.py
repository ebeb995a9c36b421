from .clip_targets import ClipObjects, video_names
from .query_criterion import QueryCriterion
from .query_predictions import MaskTargets, QueryPredictions, require_finite_everywhere
from .upscaled_predictions import UpscaledPredictions
from .videomt_criterion import VidEoMTCriterion

__all__ = [
    'ClipObjects',
    'MaskTargets',
    'QueryCriterion',
    'QueryPredictions',
    'UpscaledPredictions',
    'VidEoMTCriterion',
    'require_finite_everywhere',
    'video_names',
]
