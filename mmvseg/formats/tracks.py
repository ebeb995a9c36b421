"""Annotated objects over the frames of a video, measured on their masks.

Boxes and areas of a file are compared with the masks here, for many objects at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from pycocotools import mask as coco_mask

from .problems import Level, Problem
from .rle import MalformedRLE, rle_areas

#: How far, in pixels, a box may reach over the frame's edge: files round coordinates.
_EDGE_TOLERANCE = 0.5
#: A box fits its mask if no edge is further off than this, in pixels ...
_FIT_TOLERANCE = 2
#: ... or if it has this much in common with the box of the mask (intersection over union).
_FIT_IOU = 0.5


@dataclass(slots=True)
class Annotation:
    """One object, its masks brought to one form and measured.

    Attributes:
        id: in the file; any integer.
        video_id: of its video.
        category_id: of its class, which the file need not list.
        is_crowd: whether it stands for several objects.
        rles: compressed run-length code of each frame, None where it is absent, T of them.
        bboxes: boxes of the file, ``[x, y, width, height]`` a frame; None if it has none.
        areas: areas of the file; None if it has none.
        occlusion: OVIS's name for each frame; None if the file has none.
        mask_areas: pixels of each mask, 0 where it is absent, (T,) int64; measured later.
    """

    id: int
    video_id: int
    category_id: int
    is_crowd: bool
    rles: list[dict | None]
    bboxes: list[list[float] | None] | None
    areas: list[float | None] | None
    occlusion: list[str | None] | None
    mask_areas: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


def end_with_first_frame(annotations: Sequence[Annotation]) -> bool:
    """Whether objects are annotated in the first frame of their videos alone.

    So are the released validation sets of tasks that give the first frame, as of MOSE. Nothing can
    be scored against them, and to train on them is to take what is not annotated for background.
    """
    longer = any(len(annotation.rles) > 1 for annotation in annotations)
    return longer and not any(any(annotation.rles[1:]) for annotation in annotations)


def measure_tracks(
    annotations: Sequence[Annotation], file: str, compare_boxes: bool = True
) -> list[list[Problem]]:
    """Measure the areas of all masks, and compare masks, boxes and areas.

    Args:
        annotations: get their ``mask_areas``.
        file: name of the file, for messages.
        compare_boxes: whether to compare boxes with masks, too.

    Returns:
        What is wrong with each object.
    """
    problems: list[list[Problem]] = [[] for _ in annotations]
    sound = _measure_areas(annotations, problems, file)
    if not sound:
        return problems
    # A slot is a frame of an object; N objects have S slots in all.
    owners = np.repeat(sound, [len(annotations[n].rles) for n in sound])  # (S,)
    frames = np.concatenate([np.arange(len(annotations[n].rles)) for n in sound])

    def tell(slot: int, field_: str, rule: str, level: Level = Level.FLAW) -> None:
        owner, frame = owners[slot], int(frames[slot])
        where = dict(video=annotations[owner].video_id, annotation=annotations[owner].id)
        problems[owner].append(Problem(file, field_, rule, frame=frame, level=level, **where))

    def flat(field_: str) -> tuple[list, np.ndarray]:
        """Values of all slots, and which are given; a list that is missing counts as right."""
        values = []
        for n in sound:
            values += getattr(annotations[n], field_) or annotations[n].rles
        return values, np.array([value is not None for value in values])

    rles, present = flat('rles')
    absent = ~np.logical_or.reduceat(present, np.flatnonzero(frames == 0))
    for n in np.array(sound)[absent]:
        where = dict(video=annotations[n].video_id, annotation=annotations[n].id)
        rule = 'the object is absent in every frame'
        problems[n].append(Problem(file, 'segmentations', rule, level=Level.FLAW, **where))
    areas, with_area = flat('areas')
    boxes, with_box = flat('bboxes')
    for slot in np.flatnonzero(present & ~with_box):
        tell(slot, 'bboxes', 'null although segmentations is given')
    for slot in np.flatnonzero(~present & with_box):
        rule = f'{_words(boxes[slot])} is a box without a segmentation'
        tell(slot, 'bboxes', rule, Level.FAULT)
    for slot in np.flatnonzero(present & ~with_area):
        tell(slot, 'areas', 'null although segmentations is given')
    for slot in np.flatnonzero(~present & with_area):
        tell(slot, 'segmentations', 'null although areas is given')
    for slot, area in enumerate(areas):
        if isinstance(area, float) and area <= 0:
            pixels = annotations[owners[slot]].mask_areas[frames[slot]]
            rule = f'{area:g} is not above 0; training goes by the mask, which has {pixels}'
            tell(slot, 'areas', rule)
    compared = [slot for slot in np.flatnonzero(present) if isinstance(boxes[slot], list)]
    if compare_boxes and compared:
        rules = box_rules(
            np.array([boxes[slot] for slot in compared]),
            coco_mask.toBbox([rles[slot] for slot in compared]),
            np.array([rles[slot]['size'] for slot in compared]),
        )
        for i, rule in rules.items():
            tell(compared[i], 'bboxes', rule)
    return problems


def _measure_areas(
    annotations: Sequence[Annotation], problems: list[list[Problem]], file: str
) -> list[int]:
    """Set the ``mask_areas``; returns the positions of the objects whose codes are all sound."""
    codes = [[rle for rle in a.rles if rle is not None] for a in annotations]
    try:
        areas = iter(rle_areas([rle for track in codes for rle in track]).tolist())
    except MalformedRLE:
        if len(annotations) == 1:
            problems[0] += _broken_codes(annotations[0], file)
            return []
        alone = [
            _measure_areas([a], [found], file)
            for a, found in zip(annotations, problems, strict=True)
        ]
        return [n for n, sound in enumerate(alone) if sound]
    for annotation in annotations:
        measured = [0 if rle is None else next(areas) for rle in annotation.rles]
        annotation.mask_areas = np.array(measured, np.int64)
    return list(range(len(annotations)))


def _broken_codes(annotation: Annotation, file: str) -> Iterable[Problem]:
    where = dict(video=annotation.video_id, annotation=annotation.id)
    for frame, rle in enumerate(annotation.rles):
        try:
            rle_areas([] if rle is None else [rle])
        except MalformedRLE as error:
            yield Problem(file, 'segmentations', str(error), frame=frame, **where)


def box_rules(boxes: np.ndarray, tight: np.ndarray, sizes: np.ndarray) -> dict[int, str]:
    """Compare boxes with the boxes of their masks.

    Args:
        boxes: ``[x, y, width, height]`` in pixels, (n, 4).
        tight: those of the masks, (n, 4).
        sizes: height and width of the frames, (n, 2).

    Returns:
        The rule that is broken, by position of the box.
    """
    ends, tight_ends = boxes[:, :2] + boxes[:, 2:], tight[:, :2] + tight[:, 2:]
    empty = (boxes[:, 2:] <= 0).any(1)
    outside = np.maximum(-boxes[:, :2], ends - sizes[:, ::-1]).max(1) > _EDGE_TOLERANCE
    off = np.maximum(np.abs(boxes[:, :2] - tight[:, :2]), np.abs(ends - tight_ends)).max(1)
    common = np.minimum(ends, tight_ends) - np.maximum(boxes[:, :2], tight[:, :2])
    common = common.clip(0).prod(1)
    union = boxes[:, 2:].clip(0).prod(1) + tight[:, 2:].prod(1) - common
    misses = (off > _FIT_TOLERANCE) & (common < _FIT_IOU * union) & (tight[:, 2:] > 0).all(1)
    rules = {}
    for i in np.flatnonzero(empty | outside | misses).tolist():
        box = _words(boxes[i])
        if empty[i]:
            rules[i] = f'{box} has no extent'
        elif outside[i]:
            height, width = sizes[i]
            rules[i] = f'box {box} reaches outside of the {height} x {width} frame'
        else:
            rules[i] = f'box {box} does not fit the mask, which lies in {_words(tight[i])}'
    return rules


def _words(box: Iterable[float]) -> str:
    return f'[{", ".join(f"{value:g}" for value in box)}]'
