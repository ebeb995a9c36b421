"""What CVAT's xml says of itself: labels, and the tasks with their frames.

``meta`` has a task, a job, or a project of tasks. A job has no name, and its ``original_size`` and
``source`` stand beside it.

Frames are called by the numbers of the video, not of the task: ``start_frame + step * k``. In a
project, tasks of one subset go on counting where the one before ended, so that an offset comes to
it, for pictures, too. ``size`` is the number of frames; ``stop_frame`` is a number of the video,
and one too high as datumaro writes it.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

from mmvseg.errors import UserError
from mmvseg.media.images import MAX_SIDE

from .records import LabelClass
from .sources import SourceFile, nfc

_STEP = re.compile(r'step\s*=\s*(\d+)')
#: Names of files that say nothing of a video.
NO_NAMES = ('annotations', 'default')
_MAX_FRAMES = 10**7


@dataclass(frozen=True)
class Task:
    """The frames of a task or job.

    Attributes:
        id: its number, as text; empty if there is none.
        name: of its video.
        length: number of frames.
        start: number of its first frame in the video.
        step: from frame to frame, in those of the video.
        offset: what comes to a frame's number in the file of a project.
        subset: of the project, may be empty.
        size: height and width, None where the file does not say it.
        source: name of the video file, empty if it is not said.
        is_part: whether it is one of a project.
    """

    id: str
    name: str
    length: int
    start: int = 0
    step: int = 1
    offset: int = 0
    subset: str = ''
    size: tuple[int, int] | None = None
    source: str = ''
    is_part: bool = False

    def number(self, index: int) -> int:
        """Number of a frame in the file, by its 0-based position in the task."""
        return self.start + self.step * index + self.offset

    def index(self, number: int) -> int | None:
        """Position of a frame, None if the task has none of this number."""
        index, rest = divmod(number - self.offset - self.start, self.step)
        return index if rest == 0 and 0 <= index < self.length else None


@dataclass
class Meta:
    """What a file says of itself.

    Attributes:
        classes: labels in its order, without those of the points of skeletons.
        defaults: value of attributes by label and name, where nobody set one.
        tasks: in the order of the file.
        is_datumaro: whether datumaro wrote it.
    """

    classes: list[LabelClass] = field(default_factory=list)
    defaults: dict[tuple[str, str], str] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)
    is_datumaro: bool = False

    def is_default(self, label: str, attribute: str) -> bool:
        """Whether ``name=value`` is what a label's attribute says when nobody sets it."""
        name, _, value = attribute.partition('=')
        return self.defaults.get((label, name)) == value


def read_meta(meta: Element, file: SourceFile, fallback: str) -> Meta:
    """Read the element.

    Args:
        meta: complete.
        file: where it stands.
        fallback: what a video is called if nothing else says it.

    Raises:
        UserError: a number is missing or wrong, or there is no task.
    """
    result = Meta()
    for label in meta.iter('label'):
        name = nfc(_text(label, 'name'))
        if label.find('parent') is None and name not in {c.name for c in result.classes}:
            result.classes.append(LabelClass(name))
        for attribute in label.iter('attribute'):
            key = name, _text(attribute, 'name')
            result.defaults[key] = _text(attribute, 'default_value')
    project = meta.find('project')
    entries = meta.findall('task') + meta.findall('job')
    if project is not None:
        entries = project.findall('tasks/task')
    if not entries:
        raise UserError(f'{file}: meta has no task, job or project; export it again')
    # datumaro leaves the number empty, and calls the file and the task by the subset
    first = entries[0]
    result.is_datumaro = first.find('id') is not None and not _text(first, 'id')
    offsets: defaultdict[str, int] = defaultdict(int)
    for entry in entries:
        name = _name(entry, meta, file, fallback, result.is_datumaro)
        task = _task(entry, meta, file, name, offsets, project is not None)
        result.tasks.append(task)
        offsets[task.subset] += task.start + task.step * task.length
    return result


def _task(
    entry: Element,
    meta: Element,
    file: SourceFile,
    name: str,
    offsets: dict[str, int],
    is_part: bool,
) -> Task:
    step = _STEP.search(_text(entry, 'frame_filter'))
    step = max(int(step[1]), 1) if step else 1
    start, subset = _number(entry, 'start_frame', file, 0), _text(entry, 'subset')
    if entry.find('size') is None and entry.find('stop_frame') is None:
        length = 0  # files of images list them
    elif entry.find('size') is None:
        length = (_number(entry, 'stop_frame', file) - start) // step + 1
    else:
        length = _number(entry, 'size', file)
    if length > _MAX_FRAMES:
        raise UserError(f'{file}: meta: a task of {length} frames; that cannot be')
    return Task(
        id=_text(entry, 'id'),
        name=name,
        length=length,
        start=start,
        step=step,
        offset=offsets[subset] if is_part else 0,
        subset=subset,
        size=_size(entry, file) or _size(meta, file),
        source=_text(entry, 'source') or _text(meta, 'source'),
        is_part=is_part,
    )


def _size(parent: Element, file: SourceFile) -> tuple[int, int] | None:
    """Height and width of the frames, None if they are not said."""
    size = parent.find('original_size')
    if size is None:
        return None
    height, width = (_number(size, side, file) for side in ('height', 'width'))
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise UserError(f'{file}: meta: original_size {width}x{height} is none that frames have')
    return height, width


def _name(entry: Element, meta: Element, file: SourceFile, fallback: str, is_datumaro: bool) -> str:
    """What a task's video is called."""
    name = nfc(_text(entry, 'name'))
    if name and not (is_datumaro and name == file.stem):
        return name
    source = PurePosixPath(_text(entry, 'source') or _text(meta, 'source')).stem
    own = '' if file.stem in NO_NAMES else file.stem
    names = [file.folder, own, name] if is_datumaro else [source, file.folder, own]
    return nfc(next(filter(None, names), '') or fallback)


def _text(parent: Element, tag: str) -> str:
    return parent.findtext(tag) or ''


def _number(parent: Element, tag: str, file: SourceFile, default: int | None = None) -> int:
    text = _text(parent, tag).strip()
    if not text and default is not None:
        return default
    if not text.isdecimal():
        raise UserError(f'{file}: meta: {tag} must be a number, it is {text!r}; export it again')
    return int(text)
