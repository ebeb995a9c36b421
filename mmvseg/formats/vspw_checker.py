"""Finds every problem of a data set in VSPW's form: lists of videos, frames and class maps."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from mmvseg.errors import UserError, counted
from mmvseg.media.images import read_class_map, read_image_size

from .pictures import DeepFrames, bare_rule, frame_rule, outside_rule
from .problems import Level, Problem, no_annotations
from .vspw import (
    UNLABELLED,
    VOID,
    VSPWVideo,
    check_masks,
    find_video,
    read_categories,
    read_video_names,
)

_SPLITS = ('train.txt', 'val.txt', 'test.txt')
#: Share of the pixels with value 0, together with a last class that never occurs, from which on
#: one may suspect that 0 is a class.
_MUCH_VOID = 0.05


def is_vspw(path: Path) -> bool:
    """Whether a path is meant to name a data set in VSPW's form: a folder, or a list of videos."""
    return path.suffix == '.txt' or path.is_dir()


def check_vspw(
    path: Path,
    root: Path | None = None,
    open_pictures: bool = True,
    on_start: Callable[[int], None] = lambda steps: None,
    on_step: Callable[[], None] = lambda: None,
    allow_outside_root: bool = False,
) -> Iterator[Problem]:
    """Read a whole data set.

    Args:
        path: list of videos, one a line; or a folder with such lists and ``data``; or ``data``.
        root: folder of the videos; ``data`` beside the list if None.
        open_pictures: whether to look into frames and masks, not at their names alone.
        on_start: called with the number of videos.
        on_step: called after each video.
        allow_outside_root: whether links may lead out of the folder of the videos.

    Raises:
        UserError: if there is no such data set, or a list or ``categories.json`` is none at all.
    """
    lists, root = _locate(path, root)
    categories = yield from read_categories(path, root)
    values = [category.id + 1 for category in categories]
    videos: dict[Path, list[str]] = {}
    for listing in lists:
        videos[listing] = yield from read_video_names(listing)
    if not lists:
        videos[path] = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
    on_start(sum(map(len, videos.values())))
    with ThreadPoolExecutor() as pool:
        for listing, names in videos.items():
            checker = _ListChecker(str(listing), root, values, pool if open_pictures else None)
            checker.inside = None if allow_outside_root else root
            yield from checker.check(names, on_step)


def _locate(path: Path, root: Path | None) -> tuple[list[Path], Path]:
    """Lists of videos, and the folder of the videos."""
    if not path.is_dir():
        lists, root = [path], root or path.parent / 'data'
    elif (path / 'data').is_dir():
        root = root or path / 'data'
        lists = [path / name for name in _SPLITS if (path / name).is_file()]
    else:
        lists, root = [], root or path
        if not any(root.glob('*/origin')):
            raise UserError(
                f'{path}: no data set: a folder in the form of VSPW has data/<video>/origin/*.jpg; '
                'in that of STEP <sequence>/<frame>.png; of the other forms, name the json file'
            )
    if not root.is_dir():
        raise UserError(f'{root}: no such folder; give the folder of the videos as ROOT')
    return lists, root


class _ListChecker:
    """The videos of one list under examination; without a ``pool`` no picture is opened."""

    def __init__(
        self, file: str, root: Path, values: list[int], pool: ThreadPoolExecutor | None
    ) -> None:
        self.file = file
        self.root = root
        #: the folder that no link may leave
        self.inside: Path | None = root
        self.values = values
        self.pool = pool
        self.allowed = np.isin(np.arange(256), [VOID, *values, UNLABELLED])
        self.counts = np.zeros(256, np.int64)
        self.void_masks: list[Path] = []
        self.deep = DeepFrames()

    def check(self, names: list[str], on_step: Callable[[], None]) -> Iterator[Problem]:
        annotated = any(os.path.isdir(self.root / name / 'mask') for name in names)
        if names and not annotated:
            yield no_annotations(self.file)
        for name in names:
            video = yield from find_video(self.file, self.root, name)
            if video is not None:
                if annotated:
                    yield from check_masks(video)
                if self.pool:
                    yield from self._check_pictures(video)
            on_step()
        yield from self._notes()

    def _check_pictures(self, video: VSPWVideo) -> Iterator[Problem]:
        look_into = partial(self._look_into, video, _first_size(video.frames))
        numbers = range(len(video.frames))
        for mask, (problems, counts) in zip(
            video.masks, self.pool.map(look_into, numbers), strict=True
        ):
            yield from problems
            if counts is not None:
                self.counts += counts
                if not counts[self.values].any():
                    self.void_masks.append(mask)

    def _look_into(
        self, video: VSPWVideo, size: tuple[int, int] | None, number: int
    ) -> tuple[list[Problem], np.ndarray | None]:
        """Problems of a frame and its mask, and the pixels of each value if it is readable."""
        frame, mask = video.frames[number], video.masks[number]
        where = dict(video=video.name, frame=number)
        problems = []
        if rule := frame_rule(frame, size, 'the first frame has', self.inside, self.deep):
            problems.append(Problem(str(frame), 'frame', rule, **where))
        if mask is None:
            return problems, None
        if rule := outside_rule(mask, self.inside):
            problems.append(Problem(str(mask), 'mask', rule, **where))
            return problems, None
        try:
            counts = np.bincount(read_class_map(mask, size).ravel(), minlength=256)
        except UserError as error:
            problems.append(Problem(str(mask), 'mask', bare_rule(error, mask), **where))
            return problems, None
        wrong = np.flatnonzero(counts * ~self.allowed)
        if len(wrong):
            found = ', '.join(f'{value} ({counted(counts[value], "pixels")})' for value in wrong)
            rule = f'values of no class: {found}'
            problems.append(Problem(str(mask), 'mask', rule, level=Level.FLAW, **where))
        return problems, counts

    def _notes(self) -> Iterator[Problem]:
        yield from self.deep.note(self.file)
        if self.void_masks:
            number, first = len(self.void_masks), self.void_masks[0]
            rule = f'{counted(number, "masks")} without a labelled pixel, the first is {first}'
            yield Problem(self.file, 'mask', rule, level=Level.NOTE)
        if not self.values or not self.counts.any():
            return
        share, last = self.counts[VOID] / self.counts.sum(), max(self.values)
        if share > _MUCH_VOID and not self.counts[last]:
            rule = (
                f'{share:.0%} of the pixels are 0, none is {last}: are the classes coded from 0? '
                '0 means void, a class has its id + 1'
            )
            yield Problem(self.file, 'mask', rule, level=Level.NOTE)


def _first_size(frames: list[Path]) -> tuple[int, int] | None:
    """Height and width of the first frame that can be read."""
    for frame in frames:
        with suppress(UserError):
            return read_image_size(frame)
    return None
