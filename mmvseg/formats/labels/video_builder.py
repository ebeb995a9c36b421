"""A video that is put together mask by mask, as most formats list them."""

from collections.abc import Sequence
from typing import Any

from .outlines import is_empty, union
from .records import Frame, LabelledObject, LabelledVideo
from .report import ImportReport
from .sources import SourceFile


class VideoBuilder:
    """Collects the masks of a video's objects and makes sure that they go together.

    Several masks of one object in one frame are its parts. What is broken is told to the report.

    Args:
        name: of the video.
        size: height and width of its frames.
        frames: in the order of time.
        report: is told what is broken.
        file: where the labels stand, for messages.

    Example:
        >>> from mmvseg.formats.labels.outlines import encode
        >>> builder = VideoBuilder('street', (2, 2), [Frame('0.jpg')], ImportReport(), 'a.json')
        >>> builder.add('7', 'car', 0, encode([[1, 0], [0, 1]]))
        >>> builder.video().objects[0].label
        'car'
    """

    def __init__(
        self,
        name: str,
        size: tuple[int, int],
        frames: Sequence[Frame],
        report: ImportReport,
        file: SourceFile | str,
    ) -> None:
        self.name, self.frames, self.report, self.file = name, list(frames), report, file
        self.height, self.width = size
        self._labels: dict[str, str] = {}
        self._files: dict[str, SourceFile | str | None] = {}
        self._crowds: set[str] = set()
        self._masks: dict[str, dict[int, list[dict]]] = {}
        self._extra: dict[str, dict[str, Any]] = {}

    def declare(
        self,
        track: str,
        label: str,
        *,
        file: SourceFile | str | None = None,
        frame: int | str | None = None,
        is_crowd: bool = False,
        **extra: Any,
    ) -> bool:
        """Say that there is an object, which must get a mask.

        Args:
            track: what it is told from others by.
            label: its class.
            file: where it stands, if not in the video's.
            frame: where it is said, for messages.
            is_crowd: whether it stands for several objects.
            **extra: further keys for its entry in the result.

        Returns:
            Whether this fits to what was said of it before.
        """
        known = self._labels.setdefault(track, label)
        self._files.setdefault(track, file)
        if known != label:
            rule = f'has the class {label!r}, and {known!r} before; an object has one class'
            self._bad(rule, file, track=track, frame=frame)
            return False
        if is_crowd:
            self._crowds.add(track)
        self._extra.setdefault(track, {}).update(extra)
        return True

    def add(
        self,
        track: str,
        label: str,
        frame: int,
        rle: dict,
        *,
        file: SourceFile | str | None = None,
        is_crowd: bool = False,
        **extra: Any,
    ) -> None:
        """Add a mask of an object, or a part of it; a mask without a pixel says that it is absent.

        Args:
            track: what the object is told from others by.
            label: its class.
            frame: 0-based position in ``frames``.
            rle: sound compressed code of the mask.
            file: where it stands, if not in the video's.
            is_crowd: whether the object stands for several.
            **extra: further keys for the object's entry in the result.
        """
        self.report.on_mask()
        if not 0 <= frame < len(self.frames):
            rule = f'there is no such frame; the video has {len(self.frames)}, from 0'
            self._bad(rule, file, track=track, frame=frame)
        elif list(rle['size']) != [self.height, self.width]:
            height, width = rle['size']
            rule = f'a mask of {height} x {width}, the frames have {self.height} x {self.width}'
            self._bad(rule, file, track=track, frame=frame)
        elif self.declare(track, label, file=file, frame=frame, is_crowd=is_crowd, **extra):
            masks = self._masks.setdefault(track, {})
            if not is_empty(rle):
                masks.setdefault(frame, []).append(rle)

    def video(self, **extra: Any) -> LabelledVideo:
        """The video, its objects in the order in which they were named first.

        Args:
            **extra: further keys for its entry in the result.
        """
        objects = []
        for track, label in self._labels.items():
            masks = self._masks.get(track)
            if not masks:
                self._bad('has no mask in any frame', self._files[track], track=track)
                continue
            rles: list[dict | None] = [None] * len(self.frames)
            for frame, parts in masks.items():
                rles[frame] = union(parts)
            is_crowd = track in self._crowds
            objects.append(LabelledObject(track, label, rles, is_crowd, self._extra[track]))
        return LabelledVideo(self.name, self.height, self.width, self.frames, objects, extra)

    def _bad(self, rule: str, file: SourceFile | str | None, **where: Any) -> None:
        self.report.bad(file or self.file, rule, video=self.name, **where)
