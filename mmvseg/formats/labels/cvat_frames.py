"""The frames of CVAT's tasks: pictures called by their number, or a video file."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePosixPath

from mmvseg.errors import UserError, counted

from .cvat_meta import Task
from .footage import Footage
from .options import ImportOptions
from .records import Frame, LabelledVideo
from .sources import Source, SourceFile

_NUMBERED = re.compile(r'frame_(\d+)')


def numbered_name(name: str) -> int | None:
    """Number of a frame, by the name without suffix that CVAT gives frames of videos."""
    match = _NUMBERED.fullmatch(name)
    return match and int(match[1])


def task_frames(
    task: Task, file: SourceFile, source: Source, options: ImportOptions
) -> tuple[list[Frame], tuple[int, int]]:
    """The frames of a task, and their height and width.

    Frames that the task says to have and that are not among its pictures have none.

    Raises:
        UserError: there are others than the task speaks of, or nothing says how large they are.
    """
    if task.length == 0:
        raise UserError(f'{file}: meta: no frame (size, stop_frame); export it again')
    frames = _frames(task, file, source, options)
    size = task.size or options.footage.size(frames)
    if size is None:
        raise options.footage.missing(task.name)
    return frames, size


def _frames(task: Task, file: SourceFile, source: Source, options: ImportOptions) -> list[Frame]:
    footage = options.footage
    names = [name for name in (task.name, task.source) if name]
    pictures = [] if footage.is_given else _own_pictures(task, file, source)
    if pictures := pictures or footage.pictures(*names):
        return _pictured(task, pictures)
    numbers = [task.number(index) - task.offset for index in range(task.length)]
    video = footage.video(*names)
    if video is None and footage.is_given:
        raise footage.missing(task.name)
    return [Frame(f'frame_{n:06d}.jpg', video=video, index=n) for n in numbers]


def _own_pictures(task: Task, file: SourceFile, source: Source) -> list[SourceFile]:
    """The pictures that were exported with a task; those of a project lie together."""
    top = f'{file.folder}/images'.lstrip('/')
    folders = [f'{top}/{name}' for name in (task.subset, file.stem, 'default') if name]
    folders += [] if task.is_part else [top]
    for folder in folders:
        pictures = [picture for picture in source.within(folder) if picture.is_picture]
        if task.is_part:
            pictures = [
                picture
                for picture in pictures
                if (number := numbered_name(picture.stem)) is not None
                and task.index(number) is not None
            ]
        if pictures:
            return pictures
    return []


def counted_by_pictures(task: Task, file: SourceFile, source: Source) -> Task:
    """A task of datumaro, which keeps the numbers of frames, but not where they begin."""
    numbers = [numbered_name(picture.stem) for picture in _own_pictures(task, file, source)]
    if len(numbers) != task.length or not numbers or None in numbers:
        return task
    steps = {second - first for first, second in pairwise(numbers)} or {1}
    return replace(task, start=numbers[0], step=steps.pop()) if len(steps) == 1 else task


def _pictured(task: Task, pictures: list[SourceFile]) -> list[Frame]:
    """Frames with their pictures: all of them, those that were not deleted, or those of the video.

    Raises:
        UserError: they are others.
    """
    numbers = {numbered_name(picture.stem): picture for picture in pictures}
    indices = {number: None if number is None else task.index(number) for number in numbers}
    chosen: list[SourceFile | None]
    if len(pictures) == task.length:
        chosen = list(pictures)
    elif len(numbers) == len(pictures) and None not in indices.values():
        chosen = [numbers.get(task.number(index)) for index in range(task.length)]
    elif len(pictures) > task.number(task.length - 1) - task.offset:
        chosen = [pictures[task.number(i) - task.offset] for i in range(task.length)]
    else:
        raise UserError(
            f'{pictures[0].folder or pictures[0]}: {counted(len(pictures), "pictures")}, but '
            f'{task.name} has {counted(task.length, "frames")}; give those of the task, or all '
            'of the video'
        )
    return [
        Frame(f'frame_{task.number(index):06d}.jpg' if p is None else p.base, p, index=index)
        for index, p in enumerate(chosen)
    ]


def order_note(task: Task, frames: list[Frame]) -> str | None:
    """What is not sure of a task of pictures, whose xml does not name them.

    CVAT takes pictures in the order in which the task was made: as text, unless it was told to sort
    them naturally.
    """
    names = [frame.picture.name for frame in frames if frame.picture is not None]
    if task.size is not None or names == sorted(names):  # tasks of videos say a size
        return None
    return (
        f'video {task.name}: its labels say only where in the order of pictures they belong, taken '
        'to be natural (2 before 10); if the task was sorted as text (10 before 2), they are on '
        'the wrong pictures: look at the result, or export as CVAT for images 1.1'
    )


class PictureFinder:
    """Finds pictures by the names that a "for images" file gives them.

    Args:
        file: the xml.
        source: where it and, beside it, the pictures lie.
        footage: what was given in their place.
    """

    def __init__(self, file: SourceFile, source: Source, footage: Footage) -> None:
        self._footage, self._folder = footage, file.folder
        where = source if footage.given_frames is None else footage.given_frames
        pictures = [f for f in where.files.values() if f.is_picture]
        if footage.given_videos is not None and footage.given_frames is None:
            pictures = []
        self._by_name = {picture.name: picture for picture in pictures}
        self._by_stem = {_without_suffix(picture.name): picture for picture in pictures}

    def find(self, name: str, subset: str, video: str) -> SourceFile | None:
        """A picture, None if it is not there.

        Args:
            name: with its folders; may be without a suffix.
            subset: of the project, may be empty.
            video: name of its video.
        """
        places = [f'{self._folder}/images/{subset}', f'{self._folder}/images', self._folder, '']
        for place in places:
            path = '/'.join(filter(None, f'{place}/{name}'.split('/')))
            for key in (path, _without_suffix(path)):
                if picture := self._by_name.get(key) or self._by_stem.get(key):
                    return picture
        stem = PurePosixPath(_without_suffix(name)).name
        beside = self._footage.pictures(video, shared=True) if self._by_name else []
        return next((picture for picture in beside if picture.stem == stem), None)


def _without_suffix(name: str) -> str:
    return PurePosixPath(name).with_suffix('').as_posix()


def drop_deleted(video: LabelledVideo, listed: set[int]) -> None:
    """Take out frames without a picture where others have one, and nothing is annotated.

    They were deleted in CVAT, which exports neither their picture nor their shapes.

    Args:
        video: loses them.
        listed: positions of frames that the file has shapes of.
    """
    if not any(frame.picture for frame in video.frames):
        return
    kept = [i for i, frame in enumerate(video.frames) if frame.picture or i in listed]
    video.frames = [video.frames[i] for i in kept]
    for labelled in video.objects:
        labelled.rles = [labelled.rles[i] for i in kept]
    video.objects = [labelled for labelled in video.objects if any(labelled.rles)]
