"""Tracks of CVAT's "for video" files as the objects of their tasks.

* A track that is seen in several frames is an object. Those of one label and one group are its
  parts.
* CVAT cannot track masks: each is a track of one frame, and so is any shape that was drawn without
  "track". An attribute of it says which object it is of, or else its group. A value that the label
  declares as what is there when nobody sets it says nothing, but of masks, whose numbers may begin
  with 0.
* Where a single shape near the end of a task could also be the last key frame of a track, other
  tracks show whether the file has key frames alone: see ``cvat_keys``.
* datumaro writes the frames in which something is seen, nothing else; parts as several shapes of
  one frame; masks in tracks.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from .cvat_frames import drop_deleted
from .cvat_keys import Key, Tail, filled, has_gaps, in_order, tail
from .cvat_meta import Meta, Task
from .cvat_shapes import AREAS, draw, read_shape
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

#: What is said of shapes without a number of their own.
UNSET = (
    'several shapes of one frame have an attribute that says the same, and what it says when '
    'nobody sets it: they are taken for parts of one object'
)


@dataclass
class Track:
    """A track that is being read.

    Attributes:
        id: its number in the file.
        label: its class.
        group: None if it is in none.
        keys: its shapes with an area, in the order of the file.
        ignored: kinds of its other shapes.
        identity: what an attribute of its shapes says that it is, None if nothing does.
        is_empty: whether it has no shape at all.
    """

    id: str
    label: str
    group: str | None
    keys: list[Key] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)
    identity: str | None = None
    is_empty: bool = True


@dataclass
class Seen:
    """A track that has been read.

    Attributes:
        track: it, with nothing of its shapes.
        is_single: whether it is a shape of one frame.
        is_mask: whether that is a mask.
        listed: positions of frames in which the file shows it.
        masks: positions of frames and run-length codes.
        end: its last key where that may stay to the end of the task.
    """

    track: Track
    is_single: bool
    is_mask: bool
    listed: set[int]
    masks: list[tuple[int, dict]]
    end: Key | None


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
        self._frames = frames
        self._labels = {label.name for label in meta.classes}
        self._track: Track | None = None
        self._seen: list[Seen] = []
        # what the tracks say about whether the file has key frames alone
        self._is_thinned = self._is_whole = False

    def add(self, track: Element, element: Element | None) -> None:
        """Take a shape of a track, or None, which ends it."""
        if self._track is None:
            label = nfc(track.get('label') or '')
            self._track = Track(track.get('id') or '?', label, group_of(track))
        if element is not None:
            self._add_shape(self._track, element)
            return
        ended, self._track = self._track, None
        if ended.is_empty:
            self._bad(ended, 'a track without a shape')
        elif ended.keys:
            self._end(ended)
        for kind in ended.ignored:
            self.report.ignore(f'{kind} track')

    def video(self) -> LabelledVideo:
        """The video, once all tracks are taken."""
        self.report.on_mask = lambda: None  # they were counted while they were read
        builder = VideoBuilder(self.task.name, self.size, self._frames, self.report, self.file)
        for seen in self._seen if self._is_thinned and not self._is_whole else ():
            self._stay(seen)
        several = [seen.track for seen in self._seen if not seen.is_single]
        lasting = {(track.label, track.group) for track in several if track.group}
        names = [self._object(s, (s.track.label, s.track.group) in lasting) for s in self._seen]
        for seen, name in zip(self._seen, names, strict=True):
            for index, rle in seen.masks:
                builder.add(name, seen.track.label, index, rle)
        self._tell(names)
        video = builder.video()
        drop_deleted(video, set().union(*(seen.listed for seen in self._seen)))
        return video

    def _bad(self, track: Track, rule: str, frame: int | str | None = None) -> None:
        self.report.bad(self.file, rule, video=self.task.name, track=track.id, frame=frame)

    def _add_shape(self, track: Track, element: Element) -> None:
        number, outside = element.get('frame') or '', element.get('outside') == '1'
        track.is_empty = False
        if element.tag not in AREAS:
            track.ignored.add(element.tag)
            return
        self.report.on_mask()
        index = self.task.index(int(number)) if number.isdecimal() else None
        if index is None:
            if not outside:
                self._bad(track, self._no_such_frame(), number)
            return
        shape = rle = None
        try:
            shape = read_shape(element)
            if not outside or shape.kind != 'mask':  # something may move to where it is gone
                rle = draw(shape, *self.size)
        except ValueError as error:
            shape = None
            if not outside:
                self._bad(track, str(error), index)
        rle = None if outside else rle
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
        keys, track.keys = track.keys, []
        if not self.meta.is_datumaro:
            keys, twice = in_order(keys)
            for index in twice:
                self._bad(track, 'two shapes of one track', index)
        listed = {key.index for key in keys if not key.outside}
        if not listed:
            self.report.ignore('track that is outside in all frames')
            return
        is_mask = any(key.shape is not None and key.shape.kind == 'mask' for key in keys)
        masks = [(key.index, key.rle) for key in keys if key.rle is not None]
        # what datumaro writes are tracks, even if they are short
        is_single = len(listed) == 1 and not self.meta.is_datumaro
        seen = Seen(track, is_single, is_mask, listed, masks, None)
        if not self.meta.is_datumaro:
            self._fill(seen, keys)
        self._seen.append(seen)

    def _fill(self, seen: Seen, keys: Sequence[Key]) -> None:
        """Add the masks that the file does not list."""
        seen.masks += filled(keys, *self.size)
        end = tail(keys, self.task.length, self.task.is_part)
        self._is_whole |= not all(key.is_set for key in keys)
        self._is_thinned |= has_gaps(keys) or end == Tail.STAYS
        seen.end = None if end == Tail.NOTHING else keys[-1]
        if end == Tail.STAYS:
            self._stay(seen)

    def _stay(self, seen: Seen) -> None:
        """Add the masks after the last key."""
        if seen.end is not None and seen.end.rle is not None:
            rest = range(seen.end.index + 1, self.task.length)
            seen.masks += [(index, seen.end.rle) for index in rest]
            seen.is_single, seen.end = False, None

    def _object(self, seen: Seen, is_part: bool) -> str:
        """What the object of a track is called.

        Args:
            seen: the track.
            is_part: whether its group has a track of several frames.
        """
        track = seen.track
        group = f'{track.label}, group {track.group}'
        if not seen.is_single or is_part:
            return group if track.group else track.id
        if track.identity and (seen.is_mask or not self._is_default(track)):
            return track.identity
        return group if track.group else track.id

    def _is_default(self, track: Track) -> bool:
        """Whether the label declares its identity as what is there when nobody sets it."""
        return self.meta.is_default(track.label, track.identity)

    def _tell(self, names: Sequence[str]) -> None:
        """Say which objects could not be told from others."""
        pairs = list(zip(self._seen, names, strict=True))
        alone = [s for s, name in pairs if s.is_single and name == s.track.id]
        if len(self._frames) > 1 and any(seen.is_mask for seen in alone):
            self.report.note(_NO_TRACKS)
        elif len(alone) > 1 and all(seen.is_single for seen in self._seen):
            self.report.note(_ALONE)
        unset = [
            (s.track.identity, *s.listed)
            for s, name in pairs
            if s.is_single and name == s.track.identity and self._is_default(s.track)
        ]
        if len(set(unset)) < len(unset):
            self.report.note(UNSET)
