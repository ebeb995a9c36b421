"""The videos of one file of CVAT, all of which are read when the first is wanted."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import partial
from typing import Protocol, TypeVar

from mmvseg.errors import UserError

from .records import LabelledVideo, PendingVideo
from .report import ImportReport, LaterReport

Key = TypeVar('Key', bound=Hashable)


class ReadVideo(Protocol):
    """A video that has been read, and what is to be said of it when it is its turn."""

    report: LaterReport

    def video(self) -> LabelledVideo:
        """The video."""


def pending_videos(
    names: Mapping[Key, str],
    read_all: Callable[[], Mapping[Key, ReadVideo | UserError]],
    report: ImportReport,
) -> Iterator[PendingVideo]:
    """The videos of a file, one by one.

    Args:
        names: of the videos.
        read_all: reads them; an error stands for a video that cannot be read.
        report: is told of what is broken.
    """
    found: dict[Key, ReadVideo | UserError] = {}

    def read(key: Key) -> LabelledVideo | None:
        with report.guard(video=names[key]):
            if not found:
                found.update(read_all())
            video = found.pop(key)
            if isinstance(video, UserError):
                raise video
            done = video.video()
            video.report.tell()
            return done
        return None

    for key, name in names.items():
        yield PendingVideo(name, partial(read, key))
