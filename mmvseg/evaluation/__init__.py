"""Metrics and writers of results, imported when asked for: scoring files needs no torch."""

from importlib import import_module
from typing import Any

_MODULES = dict(
    CityscapesVPSMetric='mmvseg.evaluation.metrics',
    DAVISMetric='mmvseg.evaluation.metrics',
    InstanceWriter='mmvseg.formats.writers',
    LVVISMetric='mmvseg.evaluation.metrics',
    OVISMetric='mmvseg.evaluation.metrics',
    PanopticWriter='mmvseg.formats.writers',
    ResultsWriter='mmvseg.formats.writers',
    STEPMetric='mmvseg.evaluation.metrics',
    SemanticWriter='mmvseg.formats.writers',
    VideoPanopticMetric='mmvseg.evaluation.metrics',
    VideoSemanticMetric='mmvseg.evaluation.metrics',
    YouTubeVIS2022Metric='mmvseg.evaluation.metrics',
    YouTubeVISMetric='mmvseg.evaluation.metrics',
)

__all__ = [*_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(_MODULES[name]), name)
