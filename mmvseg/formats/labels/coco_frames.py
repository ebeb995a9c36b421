"""The frames of a video whose labels name the files of its pictures."""

import re
from collections.abc import Sequence

from mmvseg.errors import UserError, counted
from mmvseg.media.names import natural_key

from .footage import Footage
from .records import Frame
from .report import ImportReport
from .sources import SourceFile


def find_frames(
    footage: Footage,
    video: str,
    names: Sequence[tuple[str, int | None]],
    file: SourceFile,
    report: ImportReport,
    is_only: bool,
) -> list[Frame]:
    """The frames of a video, with their pictures or the video file that has them, if there are any.

    Args:
        footage: where to look.
        video: name of the video.
        names: path of each picture as the labels have it, and which frame of a video file it is,
            from 0, None if they do not say.
        file: the labels.
        report: is told of what could be several pictures, and of frames in another order than their
            names.
        is_only: whether there is no other video: pictures are found whatever their folder.

    Raises:
        UserError: there is a video file, but not which of its frames are meant.
    """
    near = {*re.split(r'[_.-]', file.stem), *file.folder.split('/')} - {''}
    bases = [name.replace('\\', '/').rpartition('/')[2] for name, _ in names]
    pictures: list[SourceFile | None] = []
    for index, ((name, _), base) in enumerate(zip(names, bases, strict=True)):
        picture = None
        with report.guard(video=video, frame=index):
            picture = footage.picture(f'{video}/{name}') if name == base else None
            picture = picture or footage.picture(name, near)
            if picture is None and is_only:
                picture = footage.picture(base, near)
        pictures.append(picture)
    if sorted(bases, key=natural_key) != bases:
        report.note(
            f'{file}: video {video}: its frames are in another order than their names; they stay '
            'as the labels have them'
        )
    clip = None if any(pictures) else footage.video(video)
    if clip is None:
        return [Frame(base, picture) for base, picture in zip(bases, pictures, strict=True)]
    indices = [index for _, index in names]
    if None in indices:
        length = footage.length(clip)
        if length != len(names):
            raise UserError(
                f'{file}: video {video}: {clip} has {counted(length, "frames")}, the labels '
                f'{len(names)}, and do not say which of them these are; give a folder of the '
                'pictures with --frames'
            )
        indices = [*range(length)]
    return [
        Frame(base, video=clip, index=index) for base, index in zip(bases, indices, strict=True)
    ]
