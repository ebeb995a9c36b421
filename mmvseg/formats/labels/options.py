"""What an importer can be told beside where the labels are."""

from dataclasses import dataclass

from .footage import Footage
from .records import LabelClass


@dataclass
class ImportOptions:
    """Options of all importers; each names those that it understands in ``OPTIONS``.

    Attributes:
        footage: pictures and video files.
        classes: names of classes, where the labels have numbers alone; None if not given.
        with_confidence: a line of YOLO ends with confidence and track, not with the track alone.
        keep_crowd: take ``iscrowd`` at its word, although tools set it on every run-length code.
        annotated_only: frames without an annotation picture are no frames of the result.
        rgb_ids: colours of id masks are numbers, R + 256 G + 65536 B.
    """

    footage: Footage
    classes: list[LabelClass] | None = None
    with_confidence: bool = False
    keep_crowd: bool = False
    annotated_only: bool = False
    rgb_ids: bool = False
