"""Metrics and writers of results, imported when asked for: scoring files needs no torch."""

from importlib import import_module
from typing import Any

_MODULES = dict(
    CityscapesVPSMetric='metrics',
    DAVISMetric='metrics',
    InstanceWriter='writers',
    LVVISMetric='metrics',
    OVISMetric='metrics',
    PanopticWriter='writers',
    ResultsWriter='results_writer',
    STEPMetric='metrics',
    SemanticWriter='writers',
    VideoPanopticMetric='metrics',
    VideoSemanticMetric='metrics',
    YouTubeVIS2022Metric='metrics',
    YouTubeVISMetric='metrics',
)

__all__ = [*_MODULES]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'{__name__}.{_MODULES[name]}'), name)
