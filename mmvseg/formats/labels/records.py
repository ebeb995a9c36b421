"""What all labels are read as: classes, and videos with frames and objects."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .sources import SourceFile


@dataclass(frozen=True)
class LabelClass:
    """A class that the labels declare.

    Attributes:
        name: in Unicode NFC, otherwise as the labels have it.
        id: its number there, None if there is none.
        extra: further keys for its entry in the result.
    """

    name: str
    id: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)


def class_ids(classes: Sequence[LabelClass]) -> list[int]:
    """Ids of classes in the result: the labels' own if all have one from 1 on, else 1, 2, ..."""
    own = {c.id for c in classes}
    keeps = len(own) == len(classes) and all(id_ is not None and id_ >= 1 for id_ in own)
    return [c.id if keeps else number for number, c in enumerate(classes, start=1)]


@dataclass(frozen=True)
class Frame:
    """A frame of a video.

    Attributes:
        name: of the picture in the result, without a folder.
        picture: it, None where there is none.
        video: the video file that has it as its frame ``index``, None if there is none.
        index: see ``video``.
    """

    name: str
    picture: SourceFile | None = None
    video: SourceFile | None = None
    index: int = 0


@dataclass
class LabelledObject:
    """An object over the frames of a video.

    Attributes:
        track: what the labels tell it from others by.
        label: name of its class.
        rles: compressed run-length code of each frame, ``dict(size=[H, W], counts=bytes)``, None
            where it is absent, T of them.
        is_crowd: whether it stands for several objects.
        extra: further keys for its entry in the result.
    """

    track: str
    label: str
    rles: list[dict | None]
    is_crowd: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class LabelledVideo:
    """A video with its objects.

    Attributes:
        name: as the labels have it; need not be unique.
        height: of the frames, in pixels.
        width: of the frames, in pixels.
        frames: in the order of time, T of them.
        objects: none without a mask.
        extra: further keys for its entry in the result.
    """

    name: str
    height: int
    width: int
    frames: list[Frame]
    objects: list[LabelledObject]
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class PendingVideo:
    """A video that has not been read yet, so that one that is finished can be passed over.

    Attributes:
        name: of the video.
        read: reads it. None is a video that is left out, which the report has been told.
    """

    name: str
    read: Callable[[], LabelledVideo | None]


@dataclass
class Labels:
    """All that a source has.

    Attributes:
        classes: in the order of the labels; None where they declare none: then they are those of
            the objects, in alphabetical order. Or what makes them of the names that objects have.
        videos: one by one, in the order of the result.
    """

    classes: list[LabelClass] | Callable[[Iterable[str]], list[LabelClass]] | None
    videos: Iterator[PendingVideo]
