"""What is exported, and how."""

from collections.abc import Iterator
from dataclasses import dataclass

from mmvseg.formats.labels.records import LabelClass, LabelledVideo


@dataclass
class Export:
    """What is written.

    Attributes:
        classes: with the ids of the annotation file, in its order.
        videos: one by one; objects in the order of their tracks, of results those with the highest
            score first. Frames have their picture where the folder of the frames is known.
        count: number of videos.
    """

    classes: list[LabelClass]
    videos: Iterator[LabelledVideo]
    count: int


@dataclass
class ExportOptions:
    """Options of all formats; each names those that it understands in ``OPTIONS``.

    Attributes:
        masks: write masks where the format also has polygons.
        min_iou: how much a simplified polygon has in common with its mask at least, as intersection
            over union; 1 simplifies nothing.
        with_frames: copy the frames, too, where the format has a place for them.
    """

    masks: bool = False
    min_iou: float = 0.98
    with_frames: bool = False
