"""The PNGs of MOTS, see :mod:`.mots`."""

from dataclasses import dataclass, field

from mmvseg.media.images import png_header, read_grey_map

from .footage import Footage
from .frame_numbers import placed_masks
from .mots_classes import ClassNumbers
from .outlines import value_masks
from .records import LabelledVideo
from .report import ImportReport
from .sources import Source, SourceFile
from .video_builder import VideoBuilder

_FOLDER, _TABLE = 'instances', 'labels.txt'
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
        masks: a PNG a frame, in natural order; frames without objects may have none.
    """

    path: str
    name: str
    pictures: list[str]
    table: SourceFile | None
    masks: list[SourceFile] = field(default_factory=list)


def mask_folders(source: Source) -> list[MaskFolder]:
    """The folders of PNGs in or below folders that are called instances."""
    found: dict[str, MaskFolder] = {}
    for path, pictures in source.picture_folders().items():
        masks = [file for file in pictures if file.suffix == '.png']
        before, at, below = f'/{path}/'.rpartition(f'/{_FOLDER}/')
        if not masks or not at:
            continue
        parent, below = before.strip('/'), below.strip('/')
        name = below or parent or source.path.resolve().stem
        of_images = '/'.join(filter(None, (parent, 'images', below)))
        table = source.get(parent, _FOLDER, _TABLE)
        found[path] = MaskFolder(path, name, [of_images, name], table, masks)
    return list(found.values())


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
