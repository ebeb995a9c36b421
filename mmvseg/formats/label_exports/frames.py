"""The frames of videos that are exported: as they are, or out of their video file."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from mmvseg.errors import UserError
from mmvseg.files import write_bytes
from mmvseg.formats.labels.footage import opened
from mmvseg.formats.labels.records import Frame, LabelledVideo
from mmvseg.formats.labels.sources import SourceFile
from mmvseg.media.images import encode_image, read_image_size


def frame_contents(video: LabelledVideo) -> Iterator[tuple[Frame, bytes]]:
    """The frames of a video one by one, with the bytes of their picture.

    Raises:
        UserError: a frame has neither picture nor video file, or its file cannot be read or is of
            another size than the annotations say.
    """
    for file, frames in groupby(video.frames, key=lambda frame: frame.video):
        if file is not None:
            yield from _decoded(file, list(frames), video.name)
            continue
        for frame in frames:
            if frame.picture is None:
                raise UserError(
                    f'video {video.name}: frame {frame.name}: its picture is needed; --root gives '
                    'the folder of the frames'
                )
            size = read_image_size(frame.picture)
            if size != (video.height, video.width):
                raise UserError(
                    f'{frame.picture}: video {video.name}: {size[1]}x{size[0]} pixels, the '
                    f'annotations have {video.width}x{video.height}'
                )
            yield frame, frame.picture.read_bytes()


def copy_frames(video: LabelledVideo, folder: Path) -> None:
    """Write the frames of a video into a folder, under their names.

    Raises:
        UserError: as :func:`frame_contents`.
        OSError: the folder cannot be written.
    """
    for frame, content in frame_contents(video):
        write_bytes(folder / frame.name, content)


def _decoded(file: SourceFile, frames: list[Frame], name: str) -> Iterator[tuple[Frame, bytes]]:
    wanted = {frame.index: frame for frame in frames}
    for index, decoded in enumerate(opened(file)):
        if index in wanted:
            frame = wanted.pop(index)
            yield frame, encode_image(frame.name, decoded.image)
        if not wanted:
            return
    raise UserError(
        f'{file}: video {name}: has {index + 1} frames, frame {min(wanted)} (from 0) is wanted; '
        'give the video that was segmented'
    )
