"""Roboflow's COCO export: a file for each split, and its pictures beside it.

Names of pictures are all that tells of videos, ``<video>_mp4-<frame>_jpg.rf.<hash>.jpg``. Splits
are made of frames, so those of a video may be in all of them: they are put together again. Category
0 is the name of the project. Augmentation makes several pictures of a frame; one is a frame.
"""

import re
from pathlib import PurePosixPath

from mmvseg.errors import UserError
from mmvseg.media.names import is_video_name

from .coco import ROBOFLOW
from .coco_file import CocoFile, merged_classes, open_coco, read_categories
from .coco_identity import Identity
from .coco_images import FilePart, Image, ImageVideo, ImageVideoReader
from .options import ImportOptions
from .records import Labels
from .report import ImportReport
from .sources import Source, SourceFile, nfc

OPTIONS = frozenset({'keep_crowd'})

_VERSION = re.compile(r'(?P<frame>.+)_[A-Za-z]+\.rf\.[^.]+\.\w+')
_OF_VIDEO = re.compile(r'(?P<video>.+)_(?P<suffix>[A-Za-z0-9]+)-(?P<number>\d+)')
_NUMBERED = re.compile(r'(?P<video>.*?)[-_. ]*(?P<number>\d+)')


def recognises(source: Source) -> bool:
    """Whether there is a file of the name that Roboflow gives."""
    return bool(source.called(ROBOFLOW))


def read(source: Source, options: ImportOptions, report: ImportReport) -> Labels:
    """See the package."""
    files: list[CocoFile] = []
    for file in source.called(ROBOFLOW):
        with report.guard():
            files.append(open_coco(file))
    if not files:
        raise UserError(f'{source.path}: there is no {ROBOFLOW}; give the folder of the export')
    parts, images = [], []
    for coco in files:
        identity = Identity(coco, report, prefix=f'{coco.file.folder}/')
        part = FilePart(coco, read_categories(coco, report), identity)
        found = part.images(report)
        part.attach(found, options.keep_crowd, report)
        if 0 not in part.identity.categories:  # the project
            part.classes.pop(0, None)
        parts.append(part)
        images += found.values()
    videos = _videos(images, source.path.resolve().stem, report)
    classes = merged_classes([part.classes for part in parts])
    reader = ImageVideoReader(options, report, is_only=len(videos) == 1)
    return Labels(classes, iter(reader.pending(videos)))


def frame_of(name: str) -> tuple[str, int] | None:
    """The video and the number of the frame that the name of a picture tells.

    Args:
        name: as Roboflow gives it.

    Returns:
        None if it has no number; the video is empty if there is nothing before it.

    Example:
        >>> frame_of('street_mp4-0012_jpg.rf.d8311c2a46d5.jpg')
        ('street', 12)
        >>> frame_of('street-12_jpg.rf.d8311c2a46d5.jpg')
        ('street', 12)
    """
    base = PurePosixPath(name.replace('\\', '/')).name
    version = _VERSION.fullmatch(base)
    frame = version['frame'] if version else PurePosixPath(base).stem
    found = _OF_VIDEO.fullmatch(frame)
    if found is None or not is_video_name(f'video.{found["suffix"]}'):
        found = _NUMBERED.fullmatch(frame)
    return None if found is None else (nfc(found['video']), int(found['number']))


def _videos(images: list[Image], unnamed: str, report: ImportReport) -> list[ImageVideo]:
    """The videos of the images of all splits."""
    videos: dict[str, ImageVideo] = {}
    taken: dict[tuple[str, int], Image] = {}
    files: dict[str, set[SourceFile]] = {}
    for image in images:
        file, name = image.part.coco.file, image.entry.file_name
        place = frame_of(name)
        if place is None:
            report.bad(file, f'image {name}: its name has no number of a frame')
            continue
        video, image.number = place[0] or unnamed, place[1]
        other = taken.setdefault((video, image.number), image)
        if other is not image:
            rule = (
                f'{other.entry.file_name} and {name} are versions of one frame; export without '
                'augmentation'
            )
            report.bad(file, rule, video=video, frame=image.number)
            continue
        videos.setdefault(video, ImageVideo(video, file)).images.append(image)
        files.setdefault(video, set()).add(file)
    for video, those in files.items():
        if len(those) > 1:
            report.note(
                f'video {video}: its frames are in {len(those)} splits; they are put together, '
                'mmvseg data split splits by video'
            )
    return list(videos.values())
