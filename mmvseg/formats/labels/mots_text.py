"""The texts of MOTS, see :mod:`.mots`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from mmvseg.errors import short
from mmvseg.formats.rle import MalformedRLE, rle_areas

from .footage import Footage
from .frame_numbers import MANY, NumberedFrames
from .mots_classes import ClassNumbers
from .records import LabelledVideo
from .report import ImportReport
from .sources import Source, SourceFile
from .video_builder import VideoBuilder

_LINE = re.compile(rb'\d+ +\d+ +\d+ +\d+ +\d+ +[0-o]+[ \t]*(?:\r?\n|\Z)')
#: In the layout of MOTChallenge.
_TRUTH, _PICTURES = 'gt/gt.txt', 'img1'
#: Of a line, so much is looked at to tell what it is.
_LOOKED_AT = 2**16
#: Of the texts of a source, so many are looked into.
_LOOKED_INTO = 10


@dataclass
class Text:
    """The labels of a video.

    Attributes:
        name: of the video.
        pictures: what the folder of its pictures may be called.
        file: the text.
    """

    name: str
    pictures: list[str]
    file: SourceFile


class _Mask(NamedTuple):
    """A line: number of the frame, what tells the object from others, class, code."""

    frame: int
    track: str
    number: int
    rle: dict


def recognises(source: Source) -> bool:
    """Whether one of the first texts has lines of MOTS."""
    return any(map(_has_lines, source.of('.txt')[:_LOOKED_INTO]))


def texts(source: Source) -> list[Text]:
    """The texts of a source, and all that lie beside one, which may be empty or broken."""
    files = [file for file in source.of('.txt') if file.base != 'labels.txt']
    folders = {_group(file) for file in files if _has_lines(file)}
    return [_text(file) for file in files if _group(file) in folders]


def _group(file: SourceFile) -> str:
    return _TRUTH if f'/{file.name}'.endswith(f'/{_TRUTH}') else file.folder


def _has_lines(file: SourceFile) -> bool:
    with file.open() as stream:
        return _LINE.match(stream.read(_LOOKED_AT).lstrip()) is not None


def _text(file: SourceFile) -> Text:
    if _group(file) == _TRUTH and (folder := file.name.removesuffix(_TRUTH).strip('/')):
        return Text(PurePosixPath(folder).name, [f'{folder}/{_PICTURES}', folder], file)
    parent = PurePosixPath(file.folder).parent
    return Text(file.stem, [(parent / 'images' / file.stem).as_posix(), file.stem], file)


def read_video(
    text: Text, classes: ClassNumbers, footage: Footage, report: ImportReport
) -> LabelledVideo | None:
    """Read the lines of a video.

    Args:
        text: them.
        classes: names of the numbers.
        footage: pictures.
        report: is told what is broken.

    Raises:
        UserError: something is broken and is not left out.
    """
    masks = list(_lines(text, report))
    frames = footage.frames(*text.pictures)
    if not frames and not masks:
        report.bad(text.file, 'there is no line and there are no pictures', video=text.name)
        return None
    numbered = NumberedFrames(frames, {mask.frame for mask in masks})
    if numbered.note:
        report.note(numbered.note)
    size = None
    with report.guard(video=text.name):
        size = footage.size(numbered.frames) or tuple(masks[0].rle['size'])
    if size is None:
        return None
    builder = VideoBuilder(text.name, size, numbered.frames, report, text.file)
    for mask in masks:
        place = numbered.place(mask.frame)
        where = dict(video=text.name, track=mask.track, frame=mask.frame)
        if place is None:
            report.bad(text.file, 'there is no picture of this frame', **where)
        elif classes.is_ignored(mask.number):
            report.ignore('region to be ignored (class 10)')
        elif (name := classes.name(mask.number)) is None:
            report.bad(text.file, classes.rule(mask.number), **where)
        else:
            builder.add(mask.track, name, place, mask.rle)
    return builder.video()


def _lines(text: Text, report: ImportReport) -> Iterator[_Mask]:
    """The sound lines of a text."""
    with text.file.open() as stream:
        for number, line in enumerate(stream, start=1):
            fields = line.split()
            if not fields:
                continue
            try:
                frame, track, kind, height, width = map(int, fields[:5])
                (counts,) = fields[5:]
                rle = dict(size=[height, width], counts=counts)
                sides = min(height, width), max(height, width)
                if not (0 <= frame < MANY and sides[0] > 0 and sides[1] < 2**16):
                    raise ValueError
                rle_areas([rle])
            except MalformedRLE as error:
                where = dict(video=text.name, track=track, frame=frame)
                report.bad(text.file, f'line {number}: {error}', **where)
            except ValueError:
                shown = short(line.decode('utf-8', 'replace').strip())
                rule = f'line {number}: must be "frame id class height width code": {shown}'
                report.bad(text.file, rule, video=text.name)
            else:
                yield _Mask(frame, str(track), kind, rle)
