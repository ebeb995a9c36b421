"""Bit masks of BDD100K: RGBA PNGs whose bytes are numbers.

R is the class; G has the bits truncated 8, occluded 4, crowd 2 and ignored 1; B * 256 + A is the
object. Alpha is data: a reader that blends or drops it loses objects.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np

from mmvseg.errors import UserError, counted
from mmvseg.media.images import png_header, read_rgba_map

from .footage import Footage
from .options import ImportOptions
from .outlines import encode
from .records import Frame, LabelledVideo, Labels, PendingVideo
from .report import ImportReport
from .sources import Source, SourceFile
from .video_builder import VideoBuilder

FOLDER = 'bitmasks'
_CROWD, _IGNORED = 2, 1


def mask_folders(source: Source) -> dict[str, list[SourceFile]]:
    """The masks of each video by its name, of what lies below ``bitmasks``; empty if none do."""
    folders: dict[str, list[SourceFile]] = {}
    for file in source.of('.png'):
        parts = file.folder.split('/')
        if FOLDER in parts:
            folders.setdefault(file.folder, []).append(file)
    if not folders or not _is_rgba(next(iter(folders.values()))[0]):
        return {}
    return folders


def _is_rgba(file: SourceFile) -> bool:
    with file.open() as stream:
        header = png_header(stream.read(64))
    return header is not None and header.kind == 'RGB with alpha 8 bit'


def read_masks(
    folders: dict[str, list[SourceFile]],
    source: Source,
    options: ImportOptions,
    report: ImportReport,
) -> Labels:
    """The videos of bit masks.

    Args:
        folders: the masks of each folder.
        source: of the masks.
        options: of the import; the names of the classes are needed.
        report: is told what is broken.

    Raises:
        UserError: there are no names of classes.
    """
    if options.classes is None:
        raise UserError(
            f'{source.path}: bit masks have numbers of classes alone; give their names with '
            '--classes (json {"1": name, ...}, or a text with a name a line, from 1)'
        )
    options.footage.leave_out(folders)
    names = {one.id: one.name for one in options.classes if one.id is not None}
    return Labels(options.classes, _videos(folders, names, options.footage, report))


def _videos(
    folders: dict[str, list[SourceFile]],
    names: dict[int, str],
    footage: Footage,
    report: ImportReport,
) -> Iterator[PendingVideo]:
    for folder, masks in folders.items():
        name = folder.rpartition('/')[2]
        yield PendingVideo(name, partial(_read_video, name, masks, names, footage, report))


def _read_video(
    name: str,
    masks: list[SourceFile],
    names: dict[int, str],
    footage: Footage,
    report: ImportReport,
) -> LabelledVideo | None:
    frames = []
    for index, mask in enumerate(masks):
        picture = None
        with report.guard(video=name, frame=index):
            picture = _picture(footage, f'{name}/{mask.stem}')
        frames.append(Frame(mask.base if picture is None else picture.base, picture))
    stems = {mask.stem for mask in masks}
    if rest := sum(picture.stem not in stems for picture in footage.pictures(name)):
        report.note(f'video {name}: {counted(rest, "pictures")} without a bit mask: left out')
    size = builder = None
    with report.guard(video=name):
        size = footage.size(frames)
    for index, mask in enumerate(masks):
        with report.guard(video=name, frame=index):
            values = read_rgba_map(mask, size)
            size = values.shape[:2]
            if builder is None:
                builder = VideoBuilder(name, size, frames, report, mask)
            _take(values, mask, index, names, builder)
    return None if builder is None else builder.video()


def _take(
    values: np.ndarray,
    mask: SourceFile,
    frame: int,
    names: dict[int, str],
    builder: VideoBuilder,
) -> None:
    """Take the objects of a mask, (H, W, 4) uint8."""
    codes = np.ascontiguousarray(values).view('>u4')[..., 0]
    report = builder.report
    for code in np.unique(codes[codes > 0]).tolist():
        label, flags, track = code >> 24, code >> 16 & 255, code & 0xFFFF
        where = dict(video=builder.name, track=track, frame=frame)
        if label not in names:
            report.bad(mask, f'the class {label} has no name in --classes', **where)
            continue
        if not track:
            report.bad(mask, f'an object of the class {names[label]!r} has the id 0', **where)
            continue
        is_crowd = bool(flags & (_CROWD | _IGNORED))
        if is_crowd:
            tell_crowd(report)
        rle = encode(codes == code)
        builder.add(str(track), names[label], frame, rle, file=mask, is_crowd=is_crowd)


def tell_crowd(report: ImportReport) -> None:
    """Say once what becomes of objects that BDD100K flags."""
    report.note(
        'objects that are crowd or ignored became crowds (iscrowd 1), which are neither trained '
        'on nor counted'
    )


def _picture(footage: Footage, path: str) -> SourceFile | None:
    """The frame of a mask; a png beside the labels is none, as masks and their colours are such."""
    suffixes = ('.jpg', '.jpeg', '.png') if footage.given_frames is not None else ('.jpg', '.jpeg')
    return next(filter(None, (footage.picture(path + suffix) for suffix in suffixes)), None)
