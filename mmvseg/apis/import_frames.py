"""The frames of imported videos: checked, and put where the annotations look for them."""

import os
import shutil
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from mmvseg.errors import UserError
from mmvseg.files import whole_file
from mmvseg.formats.labels.footage import opened
from mmvseg.formats.labels.records import Frame, LabelledVideo
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.labels.sources import SourceFile
from mmvseg.media.images import read_image_size, write_image

_NO_PICTURE = 'there is no such picture; if it lies elsewhere, give its folder with --frames'


def drop_bad_frames(video: LabelledVideo, report: ImportReport) -> None:
    """Take the frames out of a video that are missing, broken, of another size or there twice.

    Args:
        video: loses the frames and what its objects have there.
        report: is told of each, and stops unless what is broken is left out.
    """
    has_pictures = any(frame.picture or frame.video for frame in video.frames)
    names: set[str] = set()
    kept = []
    for index, frame in enumerate(video.frames):
        where = dict(video=video.name, frame=index)
        before = len(report.left_out)
        if frame.name in names:
            report.bad(frame.name, 'two frames of this name', **where)
        elif frame.picture is not None:
            with report.guard(**where):
                size = read_image_size(frame.picture)
                if size != (video.height, video.width):
                    rule = (
                        f'{size[1]}x{size[0]} pixels, the other frames or the labels have '
                        f'{video.width}x{video.height}'
                    )
                    report.bad(frame.picture, rule, **where)
        elif frame.video is None and has_pictures:
            report.bad(frame.name, _NO_PICTURE, **where)
        names.add(frame.name)
        if len(report.left_out) == before:
            kept.append(index)
    if len(kept) < len(video.frames):
        video.frames = [video.frames[index] for index in kept]
        for labelled in video.objects:
            labelled.rles = [labelled.rles[index] for index in kept]
        video.objects = [labelled for labelled in video.objects if any(labelled.rles)]


def place_frames(
    video: LabelledVideo, folder: Path, copy: bool, on_frame: Callable[[], None]
) -> None:
    """Link, copy or extract the frames of a video into a folder, in place of what is there.

    Args:
        video: its frames.
        folder: where they are put.
        copy: copy pictures where they could be linked.
        on_frame: called after each.

    Raises:
        UserError: a video file has other frames than the labels say.
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file, frames in groupby(video.frames, key=lambda frame: frame.video):
        if file is not None:
            _extract(video, file, list(frames), folder, on_frame)
            continue
        for frame in frames:
            if frame.picture is not None:
                _place(frame.picture, folder / frame.name, copy)
            on_frame()


def _place(picture: SourceFile, path: Path, copy: bool) -> None:
    if picture.member is None and not copy:
        if path.exists() and os.path.samefile(picture.path, path):
            return
        path.unlink(missing_ok=True)
        try:
            # a hard link: no second copy, and readers need not follow links out of the data set
            os.link(os.path.realpath(picture.path), path)
            return
        except OSError:  # another disk, or one without links
            pass
    with whole_file(path) as part:
        if picture.member is None:
            shutil.copyfile(picture.path, part)
        else:
            picture.copy_to(part)


def _extract(
    video: LabelledVideo,
    file: SourceFile,
    frames: list[Frame],
    folder: Path,
    on_frame: Callable[[], None],
) -> None:
    """Decode the frames of a video file."""
    wanted = {frame.index: frame for frame in frames}
    decoder = opened(file)
    if tuple(decoder.size) != (video.height, video.width):
        raise UserError(
            f'{file}: video {video.name}: {decoder.size[1]}x{decoder.size[0]} pixels, the labels '
            f'have {video.width}x{video.height}; give the video that was labelled'
        )
    for index, decoded in enumerate(decoder):
        if (frame := wanted.pop(index, None)) is not None:
            write_image(folder / frame.name, decoded.image)
            on_frame()
        if not wanted:
            return
    raise UserError(
        f'{file}: video {video.name}: has {index + 1} frames, the labels speak of frame '
        f'{min(wanted)} (from 0); give the video that was labelled'
    )
