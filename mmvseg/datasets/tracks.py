"""Records of videos with instance tracks: what is trained on, and what a file has besides."""

import logging
import os
from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np
from mmengine.logging import print_log
from pycocotools import mask as coco_mask

from mmvseg.errors import UserError
from mmvseg.formats.pictures import ALLOW_OUTSIDE
from mmvseg.formats.problems import Flaws
from mmvseg.formats.tracks import Annotation
from mmvseg.formats.youtube_vis import YouTubeVIS, outside_problems

#: Why an object is not trained on in a frame that it is in.
CROWD = 'crowds (iscrowd = 1)'
NO_BOX = 'without a box (bboxes is null)'
EMPTY = 'without a pixel in the mask'
FRACTION = 'in boxes thinner than a pixel that look like fractions of the frame, not pixels'
THIN = 'in boxes thinner than a pixel'
SMALL = 'in videos with a side below {} pixels (min_size)'
#: Share of the frames that clips start from below which one should know why.
_FEW = 0.5


def to_records(
    file: YouTubeVIS, root: str, labels: Mapping[int, int], allow_outside_root: bool = False
) -> list[dict]:
    """Video records of an annotation file, see :class:`mmvseg.datasets.VideoDataset`.

    Args:
        file: as it was read.
        root: folder that the ``file_names`` are relative to.
        labels: class index by category id; objects of other categories are left out.
        allow_outside_root: whether the ``file_names`` may lead out of ``root``.

    Returns:
        The videos in the file's order. ``instances`` are numbered by the order of their ids.

    Raises:
        UserError: a name leads out of ``root``.
    """
    if not allow_outside_root and (problem := next(outside_problems(file), None)):
        raise UserError(f'{problem}{ALLOW_OUTSIDE}')
    annotations = defaultdict(list)
    for annotation in file.annotations:
        if annotation.category_id in labels:
            annotations[annotation.video_id].append(annotation)
    return [
        dict(
            video_id=video.id,
            name=video.name,
            height=video.height,
            width=video.width,
            length=len(video.file_names),
            frames=[os.path.join(root, name) for name in video.file_names],
            instances=_instances(annotations[video.id], labels),
        )
        for video in file.videos.values()
    ]


def _instances(annotations: list[Annotation], labels: Mapping[int, int]) -> list[dict]:
    numbers = {i: number for number, i in enumerate(sorted({a.id for a in annotations}))}
    instances = []
    for annotation in annotations:
        boxes, areas = _boxes(annotation), _areas(annotation)
        instances.append(
            dict(
                id=numbers[annotation.id],
                label=labels[annotation.category_id],
                iscrowd=annotation.is_crowd,
                segmentations=annotation.rles,
                bboxes=boxes,
                areas=areas,
                trained=_trained(annotation, boxes, areas),
            )
        )
    return instances


def _trained(
    annotation: Annotation, boxes: list[np.ndarray | None], areas: list[float]
) -> list[bool]:
    """Whether the object is trained on in each frame: no crowd, not thinner than a pixel."""
    nowhere = np.zeros(4, np.float32)
    corners = np.array([nowhere if box is None else box for box in boxes])  # (T, 4)
    is_thick = (corners[:, 2:] - corners[:, :2] >= 1).all(1)
    trained = is_thick & (np.array(areas) > 0) & (not annotation.is_crowd)
    present = [rle is not None for rle in annotation.rles]
    return (trained & present).tolist()


def _boxes(annotation: Annotation) -> list[np.ndarray | None]:
    """Box of each frame, xyxy in pixels; measured on the masks where the file has none at all."""
    boxes = annotation.bboxes
    if boxes is None:
        boxes = [None if rle is None else coco_mask.toBbox(rle) for rle in annotation.rles]
    return [
        None if box is None else np.array([*box[:2], box[0] + box[2], box[1] + box[3]], np.float32)
        for box in boxes
    ]


def _areas(annotation: Annotation) -> list[float]:
    """Area of each frame; measured on the mask where the file has none or none above 0."""
    measured = annotation.mask_areas.tolist()
    if annotation.areas is None:
        return measured
    return [
        given if given is not None and given > 0 else area
        for given, area in zip(annotation.areas, measured, strict=True)
    ]


def trained_objects(record: dict, frame: int) -> list[dict]:
    """The objects of a frame that are trained on, each a ``dict(id, label, bbox, rle)``."""
    return [
        dict(
            id=instance['id'],
            label=instance['label'],
            bbox=instance['bboxes'][frame],
            rle=instance['segmentations'][frame],
        )
        for instance in record['instances']
        if instance['trained'][frame]
    ]


def _why_not_trained(instance: dict, frame: int) -> str:
    box = instance['bboxes'][frame]
    if instance['iscrowd']:
        return CROWD
    if box is None:
        return NO_BOX
    if instance['areas'][frame] <= 0:
        return EMPTY
    return FRACTION if box.min() >= 0 and box.max() <= 1 else THIN


def report_training_set(records: list[dict], file: YouTubeVIS, flaws: Flaws, min_size: int) -> None:
    """Say what of an annotation file is not trained on, and why.

    Args:
        records: of its videos.
        file: as it was read.
        flaws: that were found while it was read.
        min_size: videos with a side below this many pixels are not trained on.

    Raises:
        UserError: it has objects, but none that can be trained on.
    """
    if flaws:
        print_log(str(flaws), logger='current', level=logging.WARNING)
    dropped: Counter[str] = Counter()
    masks = starts = full_starts = 0
    for record in records:
        instances = record['instances']
        is_small = min(record['height'], record['width']) < min_size
        for instance in instances:
            present = [t for t, rle in enumerate(instance['segmentations']) if rle is not None]
            masks += len(present)
            if is_small:
                dropped[SMALL.format(min_size)] += len(present)
            elif sum(instance['trained']) < len(present):
                left_out = (t for t in present if not instance['trained'][t])
                dropped.update(_why_not_trained(instance, t) for t in left_out)
        if not is_small:
            boxes = zip(*(instance['bboxes'] for instance in instances), strict=True)
            starts += sum(any(box is not None for box in frame) for frame in boxes)
            full_starts += sum(map(any, zip(*(i['trained'] for i in instances), strict=True)))
    if not masks and file.annotations:
        raise UserError(
            f'annotation file {file.file}: no object can be trained on; none of its '
            f'{len(file.annotations)} objects has a mask and a category that is used'
        )
    if not dropped:
        return
    causes = ', '.join(f'{count} {reason}' for reason, count in dropped.most_common())
    if not full_starts:
        raise UserError(
            f'annotation file {file.file}: no object can be trained on; of {masks} masks in '
            f'{len(records)} videos there are {causes}'
        )
    said = f'{file.file}: {dropped.total()} of {masks} masks are not trained on: {causes}'
    if full_starts < _FEW * starts:
        said += f'; only {full_starts} of the {starts} frames that clips start from hold an object'
    print_log(said, logger='current', level=logging.WARNING)
