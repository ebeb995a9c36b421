"""Tracks of CVAT's "for video" files as masks over the frames of their tasks.

A shape is seen in its frame unless it is ``outside``. Between two of a track CVAT shows what lies
between them; after the last, the shape stays to the end of the task. Its server, though, writes
every frame in which something is seen, so that only files of others, which keep the key frames
alone, leave something to fill.

* There are no tracks of masks: each is a track of one frame, which says in an attribute, or by its
  group, which object it is of. Nothing is shown between masks.
* A shape that is no track is written in the same way, and closed by a copy that is ``outside`` in
  the next frame; but not near the end of a task, and not at all in later tasks of a project. Where
  a polygon could be either, it is taken for a shape, unless other tracks of the file show that it
  has key frames alone.
* Tracks of one label and one group are the parts of an object.
* datumaro writes the frames in which something is seen, nothing else, and parts as several shapes
  of one frame.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from xml.etree.ElementTree import Element

from .cvat_frames import drop_deleted
from .cvat_meta import Meta, Task
from .cvat_shapes import AREAS, Shape, between, draw, read_shape
from .records import Frame, LabelledVideo
from .report import ImportReport, LaterReport
from .sources import SourceFile, nfc
from .video_builder import VideoBuilder

#: Attributes that say which object a shape is of, in this order.
IDENTITIES = ('track_id', 'instance_id', 'object_id')
_NO_TRACKS = (
    'CVAT cannot track masks: those without an attribute track_id and without a group became '
    'objects of one frame each; give their labels an attribute track_id (type number) and number '
    'the objects'
)
_ALONE = (
    'shapes that are no tracks, and without an attribute track_id or a group, became objects of '
    'one frame each'
)


@dataclass(frozen=True)
class Key:
    """A shape of a track.

    Attributes:
        index: position of its frame in the task.
        outside: whether the object is gone from here on.
        is_set: whether a person set it; else it was computed.
        shape: None if it is broken.
        rle: its mask; None if it is broken or outside.
    """

    index: int
    outside: bool
    is_set: bool
    shape: Shape | None
    rle: dict | None

    @property
    def can_move(self) -> bool:
        """Whether something is shown after it, until the next one."""
        return not self.outside and self.shape is not None and self.shape.kind != 'mask'


@dataclass
class Track:
    """A track that is being read.

    Attributes:
        id: its number in the file.
        label: its class.
        group: None if it is in none.
        keys: its shapes with an area so far, in the order of the file.
        ignored: number of its other shapes, by kind.
        identity: what an attribute of its shapes says that it is, None if nothing does.
    """

    id: str
    label: str
    group: str | None
    keys: list[Key] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)
    identity: str | None = None


def identity_of(element: Element) -> str | None:
    """Which object a shape is of, by its attributes: ``track_id=3``."""
    given = {
        (attribute.get('name') or '').casefold(): (attribute.text or '').strip()
        for attribute in element.iter('attribute')
    }
    return next((f'{name}={given[name]}' for name in IDENTITIES if given.get(name)), None)


def group_of(element: Element) -> str | None:
    """The group of a track or shape."""
    group = (element.get('group_id') or '').strip()
    return group if group not in ('', '0') else None


class TaskTracks:
    """Takes the tracks of one task, one after another.

    Args:
        task: their task.
        meta: of the file.
        frames: of the task.
        size: their height and width.
        file: where the tracks stand.
        report: is told of what is broken.
    """

    def __init__(
        self,
        task: Task,
        meta: Meta,
        frames: Sequence[Frame],
        size: tuple[int, int],
        file: SourceFile,
        report: ImportReport,
    ) -> None:
        self.task, self.meta, self.file, self.size = task, meta, file, size
        self.report = LaterReport(report)
        self._builder = VideoBuilder(task.name, size, frames, self.report, file)
        self._labels = {label.name for label in meta.classes}
        self._track: Track | None = None
        self._listed: set[int] = set()
        # what other tracks say about whether the file has key frames alone
        self._is_thinned = self._is_whole = False
        self._unsure: list[tuple[str, str, Key]] = []
        self._seen: set[tuple[str, int]] = set()
        self._lasting = self._alone = 0

    def add(self, track: Element, element: Element | None) -> None:
        """Take a shape of a track, or None, which ends it."""
        if self._track is None:
            label = nfc(track.get('label') or '')
            self._track = Track(track.get('id') or '?', label, group_of(track))
        if element is not None:
            self._add_shape(self._track, element)
            return
        ended, self._track = self._track, None
        if ended.keys or not ended.ignored:
            self._end(ended)
        for kind in ended.ignored:
            self.report.ignore(f'{kind} track')

    def video(self) -> LabelledVideo:
        """The video, once all tracks are taken."""
        if self._is_thinned and not self._is_whole:
            for name, label, key in self._unsure:
                for index in range(key.index + 1, self.task.length):
                    self._builder.add(name, label, index, key.rle)
        if self._alone > 1 and not self._lasting:
            self.report.note(_ALONE)
        video = self._builder.video()
        drop_deleted(video, self._listed)
        return video

    def _bad(self, track: Track, rule: str, frame: int | str | None = None) -> None:
        self.report.bad(self.file, rule, video=self.task.name, track=track.id, frame=frame)

    def _add_shape(self, track: Track, element: Element) -> None:
        number, outside = element.get('frame') or '', element.get('outside') == '1'
        if element.tag not in AREAS:
            track.ignored.add(element.tag)
            return
        index = self.task.index(int(number)) if number.isdecimal() else None
        if index is None:
            if not outside:
                self._bad(track, self._no_such_frame(), number)
            return
        shape = rle = None
        try:
            shape = read_shape(element)
            rle = None if outside else draw(shape, *self.size)
        except ValueError as error:
            shape = None
            if not outside:
                self._bad(track, str(error), index)
        track.keys.append(Key(index, outside, element.get('keyframe') != '0', shape, rle))
        track.identity = track.identity or identity_of(element)

    def _no_such_frame(self) -> str:
        task = self.task
        step = f', every {task.step}th' if task.step > 1 else ''
        last = task.number(task.length - 1)
        return f'there is no such frame; those of the task are {task.number(0)} to {last}{step}'

    def _end(self, track: Track) -> None:
        if self._labels and track.label not in self._labels:
            self._bad(track, f'the label {track.label!r} is not among the labels of the file')
            return
        if not track.keys:
            self._bad(track, 'a track without a shape')
            return
        keys = track.keys if self.meta.is_datumaro else self._in_order(track)
        shown = {key.index for key in keys if not key.outside}
        if not shown:
            self.report.ignore('track that is outside in all frames')
            return
        self._listed |= shown
        # what datumaro writes are tracks, of masks, too
        is_single = len(shown) == 1 and not self.meta.is_datumaro
        name = self._object(track, keys, is_single)
        for index, rle in self._masks(track, name, keys):
            self._builder.add(name, track.label, index, rle)

    def _in_order(self, track: Track) -> list[Key]:
        """One key a frame, in the order of time."""
        keys: dict[int, Key] = {}
        for key in track.keys:
            other = keys.setdefault(key.index, key)
            if other is key:
                continue
            if not (other.outside or key.outside):
                self._bad(track, 'two shapes of one track', key.index)
            elif other.outside:
                keys[key.index] = key
        return [keys[index] for index in sorted(keys)]

    def _object(self, track: Track, keys: Sequence[Key], is_single: bool) -> str:
        """What the object of a track is called."""
        is_mask = any(key.shape is not None and key.shape.kind == 'mask' for key in keys)
        name = track.id
        if is_single and track.identity:
            name = track.identity
            self._tell_default(track, name, {key.index for key in keys if not key.outside})
        elif track.group:
            name = f'{track.label}, group {track.group}'
        elif is_single:
            self._alone += 1
            if is_mask and len(self._builder.frames) > 1:
                self.report.note(_NO_TRACKS)
            return name
        self._lasting += 1
        return name

    def _tell_default(self, track: Track, name: str, indices: set[int]) -> None:
        """Say where masks may have been left without a number."""
        places = {(name, index) for index in indices}
        attribute, _, value = name.partition('=')
        is_default = self.meta.defaults.get((track.label, attribute)) == value
        if is_default and places & self._seen:
            self.report.note(
                f'several shapes of one frame have {attribute} {value}, which an attribute has '
                'when nobody sets it: they are taken for parts of one object'
            )
        self._seen |= places

    def _masks(self, track: Track, name: str, keys: Sequence[Key]) -> Iterator[tuple[int, dict]]:
        """Masks of a track by position of their frame."""
        for key in keys:
            if key.rle is not None:
                yield key.index, key.rle
        if self.meta.is_datumaro:
            return
        for first, second in pairwise(keys):
            if first.can_move and second.index > first.index + 1:
                self._is_thinned = True
                yield from self._moving(first, second)
        self._is_whole |= not all(key.is_set for key in keys)
        last = keys[-1]
        if not last.can_move or not all(key.is_set for key in keys):
            return
        if last.index + 1 == self.task.length:
            return
        is_near_end = self.task.is_part or last.index + 2 >= self.task.length
        if is_near_end and sum(not key.outside for key in keys) == 1:
            self._unsure.append((name, track.label, last))
            return
        self._is_thinned = True
        yield from ((index, last.rle) for index in range(last.index + 1, self.task.length))

    def _moving(self, first: Key, second: Key) -> Iterator[tuple[int, dict]]:
        """Masks between two keys."""
        if second.shape is None:
            return
        gap = second.index - first.index
        for step in range(1, gap):
            shape = between(first.shape, second.shape, step / gap)
            yield first.index + step, draw(shape, *self.size)
