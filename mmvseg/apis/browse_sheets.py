"""Pictures of the videos of a data set with their objects, made once and kept."""

import hashlib
import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from mmvseg.files import write_bytes
from mmvseg.formats.dataset_checker import checked_video_frame, frame_problem
from mmvseg.formats.pictures import DeepFrames
from mmvseg.formats.problems import Problem
from mmvseg.formats.tracks import Annotation
from mmvseg.formats.youtube_vis import Video
from mmvseg.media.images import write_image
from mmvseg.media.names import leads_out
from mmvseg.media.pixel_values import to_uint8
from mmvseg.visualization.contact_sheet import evenly_spaced
from mmvseg.visualization.overlay import track_color
from mmvseg.visualization.thumbnails import Tile, draw_tile, thumbnail_sheet

#: Counted up where sheets of the same videos look different from then on.
_VERSION = 1
_QUALITY = 75
#: Videos that wait for a thread, so that all have work.
_AHEAD = 64


@dataclass(frozen=True)
class SheetOptions:
    """How sheets are made.

    Attributes:
        root: folder of the frames; None to draw on grey.
        num_frames: on a sheet, at most.
        checks: whether to open all frames, not only those on the sheet.
        allow_outside_root: whether frames may lie outside of their folder.
        value_range: of frames of 16 bits, the values that become black and white.
    """

    root: Path | None
    num_frames: int
    checks: bool
    allow_outside_root: bool = False
    value_range: tuple[float, float] | None = None


@dataclass(frozen=True)
class VideoToDraw:
    """A video, its objects in the order of their colours, and the name of its files."""

    page: str
    video: Video
    objects: Sequence[Annotation]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.video.height, self.video.width

    @property
    def length(self) -> int:
        """Number of frames."""
        return len(self.video.file_names)


@dataclass(frozen=True)
class MadeSheet:
    """A sheet that is there.

    Attributes:
        name: of its file.
        problems: of the frames that were opened.
        peaks: highest values of those of 16 bits.
        is_new: whether this run has made it.
    """

    name: str
    problems: list[Problem] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)
    is_new: bool = True


class _Notes(msgspec.Struct):
    """What is kept beside a sheet: the rule of each faulty frame, and the peaks."""

    rules: dict[int, str]
    peaks: list[int]


def make_sheets(
    videos: Iterable[VideoToDraw], folder: Path, options: SheetOptions
) -> Iterator[MadeSheet]:
    """Make the sheets that are not there yet, several at once.

    Args:
        videos: in order.
        folder: where to.
        options: of all of them.

    Yields:
        The sheet of each video, in the same order.

    Raises:
        UserError: a file cannot be written.
    """
    waiting: deque[Future[MadeSheet]] = deque()
    pool = ThreadPoolExecutor()  # decoding lets other threads run
    try:
        for video in videos:
            waiting.append(pool.submit(_make_sheet, video, folder, options))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _make_sheet(video: VideoToDraw, folder: Path, options: SheetOptions) -> MadeSheet:
    """Look whether the sheet of a video is there, else make it; its notes come first."""
    path = folder / f'{video.page}-{_digest(video, options)}.webp'
    beside = path.with_suffix('.json')
    if path.is_file():
        return _kept_sheet(video, path, beside, options)
    chosen = evenly_spaced(video.length, options.num_frames)
    deep, rules, tiles = DeepFrames(), {}, []
    for frame in range(video.length):
        if frame in chosen or options.checks:
            values, rule = _read(video.video, frame, options, deep)
            if rule:
                rules[frame] = rule
            if frame in chosen:
                tiles.append(_tile(video, frame, values, rule, options))
    if rules or deep.peaks:
        write_bytes(beside, msgspec.json.encode(_Notes(rules, deep.peaks)))
    write_image(path, thumbnail_sheet(tiles, video.size), _QUALITY)
    return MadeSheet(path.name, _problems(video, rules, options), deep.peaks)


def _kept_sheet(video: VideoToDraw, path: Path, beside: Path, options: SheetOptions) -> MadeSheet:
    notes = _Notes({}, [])
    with suppress(FileNotFoundError):
        notes = msgspec.json.decode(beside.read_bytes(), type=_Notes)
    return MadeSheet(path.name, _problems(video, notes.rules, options), notes.peaks, is_new=False)


def _problems(video: VideoToDraw, rules: dict[int, str], options: SheetOptions) -> list[Problem]:
    return [frame_problem(video.video, at, options.root, rule) for at, rule in rules.items()]


def _read(
    video: Video, frame: int, options: SheetOptions, deep: DeepFrames
) -> tuple[np.ndarray | None, str | None]:
    if options.root is None:
        return None, None
    return checked_video_frame(video, frame, options.root, options.allow_outside_root, deep)


def _tile(
    video: VideoToDraw,
    frame: int,
    values: np.ndarray | None,
    rule: str | None,
    options: SheetOptions,
) -> np.ndarray:
    """A frame with its objects, grey with the rule where it breaks one."""
    image, words = None, rule or ''
    if values is not None and not rule:
        image = to_uint8(values, options.value_range, video.video.file_names[frame])
    elif options.root is not None and not rule:
        words = 'its name leaves the folder of the frames'
    masks = [
        (item.rles[frame], track_color(number))
        for number, item in enumerate(video.objects)
        if item.rles[frame] is not None
    ]
    return draw_tile(Tile(str(frame), image, masks, words), video.size)


def _digest(video: VideoToDraw, options: SheetOptions) -> str:
    """Short name of all that the sheet of a video shows: where it is equal, the sheet is."""
    stated = dict(
        version=_VERSION,
        size=video.size,
        num_frames=options.num_frames,
        checks=options.checks,
        range=options.value_range,
        outside=options.allow_outside_root,
        frames=[[name, _state(name, options)] for name in video.video.file_names],
    )
    digest = hashlib.sha256(json.dumps(stated).encode())
    for item in video.objects:
        for code in item.rles:
            digest.update(b' ' if code is None else code['counts'] + b'\n')
        digest.update(b'\r')
    return digest.hexdigest()[:16]


def _state(name: str, options: SheetOptions) -> Any:
    """What tells whether a frame has changed."""
    if options.root is None:
        return 'grey'
    if leads_out(name) and not options.allow_outside_root:
        return 'outside'
    try:
        stat = os.stat(options.root / name)
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None
    return [stat.st_size, stat.st_mtime_ns]
