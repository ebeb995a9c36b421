"""Ground truth of tubes as the official evaluators of YouTube-VIS and OVIS take it.

Files are read by one reader for all purposes; what only the evaluators do is here:

- of several annotations with one id, the last stands for each of them;
- a match with the annotation 0 counts as none (see :mod:`.youtube_vis_ap`);
- the area ranges go by the file's ``areas``, whatever the masks measure; a file without them is
  measured;
- OVIS needs ``occlusion``.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from mmvseg.errors import UserError
from mmvseg.formats.tracks import Annotation as Record
from mmvseg.formats.youtube_vis import Video, YouTubeVIS

from .tube_iou import Tube, make_tube

#: What a frame's occlusion counts in OVIS.
OCCLUSION_LEVELS = dict(no_occlusion=0.0, slight_occlusion=0.25, severe_occlusion=0.75)


@dataclass
class Annotation:
    """One annotated object.

    Attributes:
        id: the annotation's id in the file.
        average_area: mean of the file's ``areas`` that are neither null nor 0; 0 if there are none.
        is_crowd: whether detections on it are left out of the count.
        occlusion: OVIS's occlusion score in [0, 1], None if it was not asked for.
        tube: its masks.
    """

    id: int
    average_area: float
    is_crowd: bool
    occlusion: float | None
    tube: Tube


@dataclass
class GroundTruth:
    """What results are compared with.

    Attributes:
        source: name of the file, for messages.
        videos: by id, in the file's order.
        categories: name of each category by id, in ascending order of the ids.
        annotations: the objects of each (video id, category id).
        has_annotations: whether the file annotates anything at all.
        notes: what the official evaluator counts in a way that few expect, one sentence each.
    """

    source: str
    videos: dict[int, Video]
    categories: dict[int, str]
    annotations: dict[tuple[int, int], list[Annotation]]
    has_annotations: bool
    notes: list[str] = field(default_factory=list)


def to_ground_truth(
    records: YouTubeVIS, occlusion: bool = False, whole_areas: bool = False
) -> GroundTruth:
    """Ground truth of the records of a file.

    Args:
        records: of the file.
        occlusion: whether to read OVIS's field ``occlusion``, which is then mandatory.
        whole_areas: whether to cut the file's ``areas`` to integers, as LV-VIS does.

    Raises:
        UserError: an object has no, or no known, occlusion.
    """
    categories = dict(sorted((category.id, category.name) for category in records.categories))
    last = {record.id: record for record in records.annotations}
    known = [record for record in records.annotations if record.category_id in categories]
    standing = [last[record.id] for record in sorted(known, key=lambda r: r.video_id)]
    counted = [record for record in standing if record.category_id in categories]
    converted = {
        record.id: _to_annotation(record, records.file, occlusion, whole_areas)
        for record in {record.id: record for record in counted}.values()
    }
    annotations = defaultdict(list)
    for record in counted:
        annotations[record.video_id, record.category_id].append(converted[record.id])
    return GroundTruth(
        source=records.file,
        videos=records.videos,
        categories=categories,
        annotations=annotations,
        has_annotations=records.has_annotations,
        notes=_notes(records, counted),
    )


def _notes(records: YouTubeVIS, counted: Iterable[Record]) -> list[str]:
    notes = []
    repeated = [i for i, n in Counter(record.id for record in records.annotations).items() if n > 1]
    if repeated:
        notes.append(
            f'{records.file}: annotation id {repeated[0]} occurs more than once; as in the '
            'official evaluator the last annotation of an id counts in place of each'
        )
    if any(record.id == 0 for record in counted):
        notes.append(
            f'{records.file}: an annotation has id 0; as in the official evaluator its detection '
            'counts as a false positive. Number the annotations from 1'
        )
    return notes


def _to_annotation(record: Record, source: str, occlusion: bool, whole_areas: bool) -> Annotation:
    areas = record.mask_areas.tolist() if record.areas is None else record.areas
    if whole_areas:
        areas = [None if area is None else int(area) for area in areas]
    where = f'{source}: video {record.video_id}, annotation {record.id}'
    return Annotation(
        id=record.id,
        average_area=average_area(areas),
        is_crowd=record.is_crowd,
        occlusion=occlusion_score(record.occlusion, where) if occlusion else None,
        tube=make_tube(record.rles, record.mask_areas),
    )


def average_area(areas: Iterable[float | None]) -> float:
    """Mean of the areas that are neither None nor 0; 0 if there are none."""
    visible = [area for area in areas if area]
    return float(np.add.reduce(visible) / len(visible)) if visible else 0.0


def occlusion_score(levels: list[str | None] | None, where: str) -> float:
    """OVIS: mean of the more occluded half of the frames that an object is seen in, in [0, 1].

    Args:
        levels: a name of :data:`OCCLUSION_LEVELS` or None for each frame.
        where: place of the annotation, for messages.

    Raises:
        UserError: if the levels are missing, all None or unknown.
    """
    seen = [level for level in levels or () if level is not None]
    if not seen or any(level not in OCCLUSION_LEVELS for level in seen):
        raise UserError(
            f"{where}: 'occlusion' must hold one of {', '.join(OCCLUSION_LEVELS)} or null for each "
            'frame, and not only nulls; the OVIS evaluator needs it (without it use ytvis)'
        )
    values = sorted((OCCLUSION_LEVELS[level] for level in seen), reverse=True)
    return float(np.mean(values[: (len(values) + 1) // 2]))
