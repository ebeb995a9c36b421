"""COCO with tracks: CocoVID, TAO, BDD100K's COCO files, BURST, CVAT's COCO export, LV-VIS, SA-Co.

One name for several forms, which are told apart by the lists that a file has: ``sequences`` is
BURST's; ``videos`` with ``file_names`` is the form of YouTube-VIS; ``images`` are frames of
``videos``, or of the folder that their names have where there is no such list. ``iscrowd = 1`` is
no crowd unless it is said to be one: labelling tools set it on every run-length code.
"""

from collections.abc import Iterator

from msgspec import DecodeError, Raw, Struct
from msgspec.json import decode

from mmvseg.errors import UserError

from .burst import read_sequences
from .coco_file import (
    CocoFile,
    looks_like_coco,
    merged_classes,
    open_coco,
    open_list,
    read_categories,
)
from .coco_identity import Identity
from .coco_images import FilePart, ImageVideoReader
from .coco_tubes import read_tubes
from .coco_videos import by_folder, by_table
from .options import ImportOptions
from .records import LabelClass, Labels, PendingVideo, class_ids
from .report import ImportReport
from .sources import Source, SourceFile

OPTIONS = frozenset({'keep_crowd'})

ROBOFLOW = '_annotations.coco.json'
#: Files of BURST that have a part of what all_classes.json has beside them.
_PARTS_OF_BURST = ('common_classes.json', 'uncommon_classes.json', 'first_frame_annotations.json')


class _HasFiles(Struct):
    """A video that lists its frames."""

    file_names: Raw


def recognises(source: Source) -> bool:
    """Whether a json begins as files of COCO do; Roboflow's have a format of their own."""
    found = [file for file in source.of('.json') if looks_like_coco(file)]
    return bool(found) and not any(file.base == ROBOFLOW for file in found)


def read(source: Source, options: ImportOptions, report: ImportReport) -> Labels:
    """See the package."""
    files = _annotated(source, report)
    tables = [read_categories(_with_categories(coco, source), report) for coco in files]
    classes = merged_classes(tables)
    ids = dict(zip([one.name for one in classes], class_ids(classes), strict=True))
    videos: list[PendingVideo] = []
    owners: dict[str, CocoFile] = {}
    for coco, table in zip(files, tables, strict=True):
        alone = source.path.resolve().stem if len(files) == 1 else coco.file.stem
        found = _videos(coco, table, ids, alone, options, report)
        for video in found:
            other = owners.get(video.name)
            if other is not None and other is not coco:
                raise UserError(
                    f'{other.file} and {coco.file}: both have the video {video.name}; import one '
                    'of the files, with --frames for the folder of the frames'
                )
        owners |= {video.name: coco for video in found}
        videos += found
    return Labels(classes, iter(videos))


def _annotated(source: Source, report: ImportReport) -> list[CocoFile]:
    """The files that have annotations.

    Raises:
        UserError: there are none.
    """
    files = [file for file in source.of('.json') if looks_like_coco(file)]
    opened: list[CocoFile] = []
    for file in _whole(files, report):
        if file.base == ROBOFLOW:
            raise UserError(f'{file}: is an export of Roboflow; name the format roboflow')
        with report.guard():
            opened.append(open_coco(file))
    forms = [coco for coco in opened if {'sequences', 'videos', 'images'} & coco.lists.keys()]
    found = [coco for coco in forms if coco['annotations'] or coco['sequences']]
    if not found:
        names = ', '.join(str(coco.file) for coco in forms) or source.path
        raise UserError(
            f'{names}: no json of COCO with annotations; it has the lists images and annotations, '
            'videos and annotations, or sequences'
        )
    kept = [coco for coco in forms if coco in found or _is_empty_subset(coco)]
    for coco in forms:
        if coco not in kept:
            report.note(f'{coco.file}: has no annotations, and is left out')
    return kept


def _is_empty_subset(coco: CocoFile) -> bool:
    """Whether a file is CVAT's of a subset without objects: its frames were looked at."""
    return 'images' in coco and 'annotations' in coco and 'videos' not in coco


def _with_categories(coco: CocoFile, source: Source) -> CocoFile:
    """A file, with the classes that BURST has in a file of their own if it has none itself.

    Raises:
        UserError: there are none.
    """
    if coco['categories']:
        return coco
    beside = source.called('categories.json')
    if len(beside) != 1:
        raise UserError(f'{coco.file}: has no categories, the list of the classes')
    table = open_list(beside[0], 'categories')
    return CocoFile(beside[0], dict(categories=table))


def _whole(files: list[SourceFile], report: ImportReport) -> Iterator[SourceFile]:
    """The files without those of BURST that are a part of another."""
    folders = {file.folder for file in files if file.base == 'all_classes.json'}
    for file in files:
        if file.folder in folders and file.base in _PARTS_OF_BURST:
            report.note(f'{file}: left out, all_classes.json has all of it')
        else:
            yield file


def _videos(
    coco: CocoFile,
    classes: dict[int, LabelClass],
    ids: dict[str, int],
    alone: str,
    options: ImportOptions,
    report: ImportReport,
) -> list[PendingVideo]:
    """The videos of a file; ``alone`` names one whose frames are in no folder."""
    if 'sequences' in coco:
        return read_sequences(coco, classes, ids, options, report)
    if 'images' not in coco or _lists_frames(coco):
        return read_tubes(coco, classes, ids, options, report)
    part = FilePart(coco, classes, Identity(coco, report))
    images = part.images(report)
    part.attach(images, options.keep_crowd, report)
    if coco['videos']:
        videos = by_table(part, images, ids, report)
    else:
        videos = by_folder(part, images, alone, report)
    return ImageVideoReader(options, report, is_only=len(videos) == 1).pending(videos)


def _lists_frames(coco: CocoFile) -> bool:
    """Whether the videos of a file list their frames themselves."""
    try:
        decode(coco['videos'][0], type=_HasFiles)
    except (IndexError, DecodeError):
        return False
    return True
