"""Tables of panoptic and semantic segmentation for the terminal, in percent."""

from collections.abc import Mapping, Sequence

import numpy as np

from mmvseg.errors import counted
from mmvseg.formats.categories import Category

from .semantic import SemanticQuality, class_iou
from .stq import TubeSums
from .table import percent_table
from .vpq import GROUPS, VPQ


def vpq_tables(result: VPQ) -> str:
    """VPQ of the classes that occur and of the groups, by window length."""
    columns = [_column(result, k) for k in result.sums]
    qualities = np.stack([result.per_class(k) for k in result.sums], axis=1)
    classes = {
        f'{category.name} ({category.id})': dict(zip(columns, values, strict=True))
        for category, values in zip(result.categories, qualities, strict=True)
        if not np.isnan(values).all()
    }
    windows = result.rules.mean_windows
    mean = f'mean of {", ".join(map(result.rules.name, windows))}'
    groups = {
        group: {
            **{c: result.quality(k, group) for c, k in zip(columns, result.sums, strict=True)},
            mean: result.mean(windows, group),
        }
        for group in GROUPS
    }
    return '\n'.join(
        (
            percent_table('VPQ of classes (%)', classes, columns),
            percent_table('VPQ (%)', groups, [*columns, mean]),
        )
    )


def _column(result: VPQ, k: int) -> str:
    name = result.rules.names.get(k)
    return f'{name} ({counted(k, "frames")})' if name else counted(k, 'frames')


def stq_tables(result: TubeSums, categories: Sequence[Category]) -> str:
    """IoU of the classes that occur, and STQ with its two parts."""
    classes = {
        'predicted void' if c < 0 else f'{categories[c].name} ({categories[c].id})': dict(IoU=iou)
        for c, iou in result.class_iou().items()
    }
    return '\n'.join(
        (
            percent_table('classes (%)', classes, ['IoU']),
            percent_table('STQ (%)', {'': result.stats()}, ['STQ', 'AQ', 'SQ']),
        )
    )


def semantic_tables(result: SemanticQuality, names: Mapping[int, str]) -> str:
    """IoU of the classes that occur, and the summary.

    Args:
        result: what to show.
        names: of the classes by id.
    """
    iou = class_iou(result.confusion())
    classes = {
        f'{names[c]} ({c})' if c in names else str(c): dict(IoU=iou[c])
        for c in np.flatnonzero(~np.isnan(iou)).tolist()
    }
    summary = {name: dict(all=value) for name, value in result.stats().items()}
    return '\n'.join(
        (
            percent_table('classes (%)', classes, ['IoU']),
            percent_table('mean (%)', summary, ['all']),
        )
    )
