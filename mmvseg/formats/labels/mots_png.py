"""The PNGs of MOTS, see :mod:`.mots`."""

import os
from dataclasses import dataclass
from pathlib import PurePosixPath

from mmvseg.media.images import png_header, read_grey_map
from mmvseg.media.names import natural_key

from .footage import Footage
from .frame_numbers import placed_masks
from .mask_layout import joined
from .mots_classes import ClassNumbers
from .outlines import value_masks
from .records import LabelledVideo
from .report import ImportReport
from .sources import Source, SourceFile
from .video_builder import VideoBuilder

_FOLDER, _IMAGES, _TABLE = 'instances', 'images', 'labels.txt'
#: Objects a class.
OBJECTS = 1000


@dataclass
class MaskFolder:
    """The masks of a video.

    Attributes:
        path: of the folder within the source.
        name: of the video.
        pictures: what the folder of its pictures may be called.
        table: its labels.txt, None if there is none.
        masks: a PNG a frame, in natural order; frames without objects may have none. There is none
            at all of a video without objects.
    """

    path: str
    name: str
    pictures: list[str]
    table: SourceFile | None
    masks: list[SourceFile]


def mask_folders(source: Source) -> list[MaskFolder]:
    """The folders of PNGs in or below folders that are called instances.

    A video is called as the folder below, else as the one above.
    """
    masks: dict[tuple[str, str], list[SourceFile]] = {}
    for path, pictures in source.picture_folders().items():
        before, at, below = f'/{path}/'.rpartition(f'/{_FOLDER}/')
        pngs = [file for file in pictures if file.suffix == '.png']
        if pngs and at:
            masks[before.strip('/'), below.strip('/')] = pngs
    for table in source.called(_TABLE):  # a video without an object has no PNG
        parent, _, last = f'/{table.folder}'.rpartition('/')
        parent = parent.strip('/')
        inside = any(above == parent for above, _ in masks)
        if last == _FOLDER and not inside and source.pictures(joined(parent, _IMAGES)):
            masks[parent, ''] = []
    # an archive of a folder has that one around all
    common = os.path.commonpath([PurePosixPath(parent).parent for parent, _ in masks] or [''])
    folders = []
    for (parent, below), pngs in sorted(masks.items(), key=_in_order):
        above = os.path.relpath(parent, common) if parent else source.path.resolve().stem
        name = below or above
        images, path = (joined(parent, kind, below) for kind in (_IMAGES, _FOLDER))
        table = source.get(parent, _FOLDER, _TABLE)
        folders.append(MaskFolder(path, name, [images, name], table, pngs))
    return folders


def _in_order(item: tuple[tuple[str, str], list[SourceFile]]) -> list[list]:
    return [natural_key(part) for name in item[0] for part in name.split('/')]


def is_deep(mask: SourceFile) -> bool:
    """Whether a PNG is of 16 bits a pixel, as no mask of other formats in such a folder is."""
    with mask.open() as stream:
        header = png_header(stream.read(64))
    return header is not None and header.kind == 'grey 16 bit'


def read_video(
    folder: MaskFolder, classes: ClassNumbers, footage: Footage, report: ImportReport
) -> LabelledVideo | None:
    """Read the masks of a video.

    Args:
        folder: them.
        classes: names of the numbers.
        footage: pictures.
        report: is told what is broken.

    Raises:
        UserError: something is broken and is not left out.
    """
    frames = footage.frames(*folder.pictures)
    size = None
    with report.guard(video=folder.name):
        frames, places = frames or [], []
        if folder.masks:
            frames, places = placed_masks(folder.masks, frames, folder.name, report, fill_gaps=True)
        size = footage.size(frames) or read_grey_map(folder.masks[0]).shape
    if size is None:
        return None
    builder = VideoBuilder(folder.name, size, frames, report, folder.path)
    for mask, place in zip(folder.masks, places, strict=True):
        if place is None:
            report.bad(mask, 'there is no picture of this frame', video=folder.name)
            continue
        with report.guard(video=folder.name, frame=place):
            for value, rle in value_masks(read_grey_map(mask, size)):
                number = value // OBJECTS
                if classes.is_ignored(number):
                    report.ignore('region to be ignored (class 10)')
                elif (name := classes.name(number)) is None:
                    where = dict(video=folder.name, track=value, frame=place)
                    report.bad(mask, classes.rule(number), **where)
                else:
                    builder.add(str(value), name, place, rle, file=mask)
    return builder.video()
