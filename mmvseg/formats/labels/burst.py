"""The form of BURST: sequences with the masks of each annotated frame.

Masks are texts of compressed run-length codes; the sequence has their size. Frames of the result
are those that are annotated; ``all_image_paths`` has more. Tracks are counted anew in each video.
"""

from functools import partial
from typing import Annotated

from msgspec import Meta, Raw, Struct

from mmvseg.formats.json_files import Id, Side, Text
from mmvseg.formats.rle import RunLengthCode

from .coco_file import CocoFile, Exhaustiveness, decoded, exhaustiveness
from .coco_frames import find_frames
from .coco_masks import MaskCollector
from .options import ImportOptions
from .records import LabelClass, LabelledVideo, PendingVideo
from .report import ImportReport
from .sources import nfc
from .video_builder import VideoBuilder


class BurstMask(Struct):
    """A mask of a track in a frame; in the training set some are made by a program."""

    rle: Text
    is_gt: bool | None = None


FrameMasks = Annotated[dict[str, BurstMask], Meta(description='an object of masks with rle')]


class SequenceHead(Struct):
    """What tells a sequence from others."""

    seq_name: Text
    dataset: Text | None = None

    @property
    def name(self) -> str:
        """Of the video."""
        return nfc(f'{self.dataset}/{self.seq_name}' if self.dataset else self.seq_name)


class Sequence(Exhaustiveness, kw_only=True):
    """An entry of ``sequences``."""

    width: Side
    height: Side
    annotated_image_paths: list[Text]
    segmentations: list[FrameMasks | None]
    track_category_ids: Annotated[dict[str, Id], Meta(description='an object of ids of classes')]


def read_sequences(
    coco: CocoFile,
    classes: dict[int, LabelClass],
    ids: dict[str, int],
    options: ImportOptions,
    report: ImportReport,
) -> list[PendingVideo]:
    """The videos of a file.

    Args:
        coco: the file.
        classes: by its ids.
        ids: of the classes in the result, by name.
        options: of the import.
        report: is told what is broken.
    """
    pending = []
    for position, raw in enumerate(coco['sequences']):
        head = decoded(raw, SequenceHead, coco.file, f'sequences[{position}]', report)
        if head is not None:
            reader = partial(_read, coco, position, head.name, classes, ids, options, report)
            pending.append(PendingVideo(head.name, reader))
    return pending


def _read(
    coco: CocoFile,
    position: int,
    name: str,
    classes: dict[int, LabelClass],
    ids: dict[str, int],
    options: ImportOptions,
    report: ImportReport,
) -> LabelledVideo | None:
    raw: Raw = coco['sequences'][position]
    sequence = decoded(raw, Sequence, coco.file, f'sequences[{position}]', report, name)
    if sequence is None:
        return None
    paths, masks = sequence.annotated_image_paths, sequence.segmentations
    if len(masks) != len(paths) or not paths:
        rule = f'{len(paths)} annotated_image_paths and {len(masks)} segmentations'
        report.bad(coco.file, rule, video=name)
        return None
    is_only = len(coco['sequences']) == 1
    names = [(f'{name}/{path}', None) for path in paths]
    frames = find_frames(options.footage, name, names, coco.file, report, is_only)
    size = sequence.height, sequence.width
    collector = MaskCollector(VideoBuilder(name, size, frames, report, coco.file))
    _take_masks(sequence, _labels(sequence, name, coco, classes, report), collector)
    more = exhaustiveness(sequence, name, coco.file, classes, ids, report)
    return collector.end().video(**more)


def _take_masks(sequence: Sequence, labels: dict[str, str], collector: MaskCollector) -> None:
    builder, size = collector.builder, [sequence.height, sequence.width]
    file, report = builder.file, builder.report
    for track, label in labels.items():
        builder.declare(track, label)
    for frame, found in enumerate(sequence.segmentations):
        for track, mask in (found or {}).items():
            if track in labels:
                collector.add(track, labels[track], frame, RunLengthCode(size, mask.rle))
            elif track not in sequence.track_category_ids:
                rule = 'track_category_ids has no class for it; import all_classes.json'
                report.bad(file, rule, video=builder.name, track=track, frame=frame)
            if mask.is_gt is False:
                report.note(
                    f'{file}: some masks were made by a program (is_gt false); they are imported '
                    'as the others'
                )


def _labels(
    sequence: Sequence,
    name: str,
    coco: CocoFile,
    classes: dict[int, LabelClass],
    report: ImportReport,
) -> dict[str, str]:
    """The classes of the tracks."""
    labels = {}
    for track, id_ in sequence.track_category_ids.items():
        if id_ in classes:
            labels[track] = classes[id_].name
        else:
            report.bad(coco.file, f'there is no category {id_}', video=name, track=track)
    return labels
