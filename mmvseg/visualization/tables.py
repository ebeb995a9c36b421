"""Tables of results for other programs, one row for what a frame shows of a track, segment, class.

Boxes are xyxy in pixels.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pycocotools import mask as mask_api
from scipy import ndimage

from mmvseg.errors import printable
from mmvseg.files import write_bytes
from mmvseg.structures import VideoInstances, VideoPanoptic, VideoSemantic

from .overlay_semantic import by_area, class_areas

#: What formulas begin with; the last four are their wide forms.
_FORMULA_STARTS = (*'=+-@\t\r\n', '\uff1d', '\uff0b', '\uff0d', '\uff20')
_VIDEO = ('video_id', 'video')
_BOX = ('x1', 'y1', 'x2', 'y2', 'area')
#: Of tables of instances.
TRACK_COLUMNS = (*_VIDEO, 'track', 'category_id', 'category', 'score', 'frame', 'file', *_BOX)
#: Of tables of panoptic segments.
SEGMENT_COLUMNS = (
    *(*_VIDEO, 'segment', 'png_id', 'category_id', 'category', 'isthing', 'frame', 'file'),
    *_BOX,
)
#: Of tables of semantic classes.
CLASS_COLUMNS = (*_VIDEO, 'category_id', 'category', 'frame', 'file', 'area')


def track_rows(
    instances: VideoInstances, files: Sequence[str], metainfo: Mapping[str, Any]
) -> Iterator[dict]:
    """One row a track and frame in which it is visible, see :data:`TRACK_COLUMNS`.

    Args:
        instances: the tubes of a video.
        files: its frames.
        metainfo: ``classes`` and ``category_ids``.
    """
    for n in range(len(instances)):
        for frame, rle in enumerate(instances.masks[n]):
            area = 0 if rle is None else int(mask_api.area(rle))
            if not area:
                continue
            x, y, width, height = (int(value) for value in mask_api.toBbox(rle))
            yield dict(
                **_category(instances.labels[n], metainfo),
                track=int(instances.track_ids[n]),
                score=f'{instances.scores[n]:.6f}',
                frame=frame,
                file=files[frame],
                x1=x,
                y1=y,
                x2=x + width,
                y2=y + height,
                area=area,
            )


def segment_rows(
    result: VideoPanoptic,
    png_ids: Sequence[int],
    files: Sequence[str],
    metainfo: Mapping[str, Any],
) -> Iterator[dict]:
    """One row a frame and segment in it, see :data:`SEGMENT_COLUMNS`.

    Args:
        result: of a video; its segments are numbered from 1.
        png_ids: id of each segment in the PNGs that it was read from.
        files: the frames of the video.
        metainfo: ``classes`` and ``category_ids``.
    """
    for frame, segment_map in enumerate(result.maps):
        boxes = ndimage.find_objects(segment_map)
        for segment, area in result.segments_in(segment_map):
            rows, columns = boxes[segment.id - 1]
            yield dict(
                **_category(segment.label, metainfo),
                segment=segment.id,
                png_id=png_ids[segment.id - 1],
                isthing=int(segment.is_thing),
                frame=frame,
                file=files[frame],
                x1=columns.start,
                y1=rows.start,
                x2=columns.stop,
                y2=rows.stop,
                area=area,
            )


def class_rows(
    result: VideoSemantic, files: Sequence[str], metainfo: Mapping[str, Any]
) -> Iterator[dict]:
    """One row a frame and class in it, the largest first, see :data:`CLASS_COLUMNS`.

    Args:
        result: of a video.
        files: its frames.
        metainfo: ``classes`` and ``category_ids``.
    """
    for frame, class_map in enumerate(result.maps):
        areas = class_areas(class_map, len(metainfo['classes']))
        for label in by_area(areas):
            category = _category(label, metainfo)
            yield dict(**category, frame=frame, file=files[frame], area=int(areas[label]))


def write_table(path: str | Path, columns: Sequence[str], rows: Iterable[dict]) -> None:
    """Write rows as a file of comma-separated values.

    Texts that a spreadsheet would run as a formula get an apostrophe before them; control
    characters are escaped.

    Raises:
        UserError: if the file cannot be written.
    """
    text = io.StringIO(newline='')
    writer = csv.DictWriter(text, columns, lineterminator='\n')
    writer.writeheader()
    for row in rows:
        writer.writerow({column: _harmless(value) for column, value in row.items()})
    write_bytes(Path(path), text.getvalue().encode())


def _harmless(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if value.startswith(_FORMULA_STARTS) and not _is_number(value):
        value = f"'{value}"
    return printable(value)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _category(label: int, metainfo: Mapping[str, Any]) -> dict:
    return dict(category_id=metainfo['category_ids'][label], category=metainfo['classes'][label])
