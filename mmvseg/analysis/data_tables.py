"""What a data set holds, as text for the terminal."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from terminaltables import AsciiTable

from mmvseg.errors import one_line

from .data_statistics import DatasetStatistics

#: Of the sizes of frames the first so many are shown.
_SIZES = 10
_QUANTILES = {'least': 0, '10 %': 0.1, 'median': 0.5, '90 %': 0.9, 'most': 1}


def statistics_tables(statistics: DatasetStatistics) -> str:
    """Totals, classes, what videos and objects are like, sizes of frames, levels of occlusion."""
    parts = [_totals(statistics), _classes(statistics), _spread(statistics)]
    parts += [_sizes(statistics), _occlusion(statistics)]
    return '\n'.join(part for part in parts if part)


def _totals(statistics: DatasetStatistics) -> str:
    objects, videos = statistics.objects, statistics.videos
    totals = {
        'videos': len(videos),
        'without objects': sum(not video.num_objects for video in videos),
        'frames': statistics.num_frames,
        'classes': len(statistics.classes),
        'objects': len(objects),
        'crowds among them': sum(entry.is_crowd for entry in objects),
        'never seen': sum(not entry.num_frames for entry in objects),
        'with gaps': sum(bool(entry.gaps) for entry in objects),
        'masks': statistics.num_masks,
    }
    return _table('totals', [], [[name, str(number)] for name, number in totals.items()])


def _classes(statistics: DatasetStatistics) -> str:
    """The most frequent first."""
    rows = [
        [one_line(c.name), *map(str, (c.num_objects, c.num_videos, c.num_frames, c.num_masks))]
        for c in sorted(statistics.classes, key=lambda entry: -entry.num_objects)
    ]
    return _table('classes', ['class', 'objects', 'videos', 'frames', 'masks'], rows)


def _spread(statistics: DatasetStatistics) -> str:
    videos = statistics.videos
    seen = [entry for entry in statistics.objects if entry.num_frames]
    values = {
        'frames of a video': [video.num_frames for video in videos],
        'objects of a video': [video.num_objects for video in videos],
        'most of them in one frame': [video.most_objects for video in videos],
        'frames with an object': [entry.num_frames for entry in seen],
        'area of an object (pixels)': [entry.mean_area for entry in seen],
        'area of an object (% of the frame)': [100 * entry.area_share for entry in seen],
        'frames of a gap': [last - first + 1 for entry in seen for first, last in entry.gaps],
    }
    rows = [[name, *_quantiles(numbers)] for name, numbers in values.items() if numbers]
    return _table('videos and objects', ['', *_QUANTILES, 'mean'], rows)


def _quantiles(numbers: Sequence[float]) -> list[str]:
    values = [*np.quantile(numbers, [*_QUANTILES.values()]), np.mean(numbers)]
    return [
        f'{value:.0f}' if value >= 100 or value % 1 == 0 else f'{value:.3g}' for value in values
    ]


def _sizes(statistics: DatasetStatistics) -> str:
    counts = Counter((video.height, video.width) for video in statistics.videos)
    rows = [
        [f'{height} x {width}', str(number)]
        for (height, width), number in counts.most_common(_SIZES)
    ]
    if len(counts) > _SIZES:
        rest = counts.total() - sum(number for _, number in counts.most_common(_SIZES))
        rows.append([f'{len(counts) - _SIZES} others', str(rest)])
    return _table('sizes of frames', ['height x width', 'videos'], rows)


def _occlusion(statistics: DatasetStatistics) -> str:
    levels: Counter[str] = Counter()
    for entry in statistics.objects:
        levels.update(entry.occlusion or {})
    total = levels.total()
    rows = [
        [one_line(level), str(number), f'{100 * number / total:.1f}']
        for level, number in sorted(levels.items())
    ]
    return _table('occlusion', ['level', 'masks', '%'], rows)


def _table(title: str, head: list[str], rows: list[list[str]]) -> str:
    if not rows:
        return ''
    table = AsciiTable([*([head] if head else []), *rows], title)
    table.inner_heading_row_border = bool(head)
    return table.table
