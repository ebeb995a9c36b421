"""Finds every problem of a data set in VSPW's form: lists of videos, frames and class maps."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmvseg.errors import UserError
from mmvseg.media.images import read_class_map

from .categories import load_table
from .checker_parts import bare_rule, check_categories, check_png, no_annotations, picture_size
from .json_files import load_json
from .problems import Level, Problem
from .vspw import find_categories

_SPLITS = ('train.txt', 'val.txt', 'test.txt')
_UNLABELLED = 255
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
) -> Iterator[Problem]:
    """Read a whole data set.

    Args:
        path: list of videos, one a line; or a folder with such lists and ``data``; or ``data``.
        root: folder of the videos; ``data`` beside the list if None.
        open_pictures: whether to look into frames and masks, not at their names alone.
        on_start: called with the number of videos.
        on_step: called after each video.

    Raises:
        UserError: if there is no such data set, or the ``categories.json`` of own data is no list.
    """
    lists, root = _locate(path, root)
    values = yield from _read_values(find_categories(path, root))
    videos: dict[Path, list[str]] = {}
    for listing in lists:
        videos[listing] = yield from _read_list(listing)
    if not lists:
        videos[path] = sorted(entry.name for entry in root.iterdir() if entry.is_dir())
    on_start(sum(map(len, videos.values())))
    with ThreadPoolExecutor() as pool:
        for listing, names in videos.items():
            checker = _ListChecker(str(listing), root, values, pool if open_pictures else None)
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
                'of the other forms, name the json file'
            )
    if not root.is_dir():
        raise UserError(f'{root}: no such folder; give the folder of the videos as ROOT')
    return lists, root


def _read_values(path: Path | None) -> Iterator[Problem]:
    """Yields problems of the ``categories.json``; returns the mask values of the classes."""
    if path is None:
        return [category.id + 1 for category in load_table('vipseg')]
    content = load_json(path)
    if not isinstance(content, list):
        raise UserError(f'{path}: not a list of categories')
    categories = yield from check_categories(content, str(path))
    for category_id in categories:
        if not 0 <= category_id < _UNLABELLED - 1:
            yield Problem(str(path), 'id', f'{category_id} is not from 0 to {_UNLABELLED - 2}')
    return [i + 1 for i in categories if 0 <= i < _UNLABELLED - 1]


def _read_list(path: Path) -> Iterator[Problem]:
    """Yields problems of a list of videos; returns the names."""
    file, names = str(path), []
    try:
        lines = path.read_bytes().decode().split('\n')
    except OSError as error:
        raise UserError(f'{path}: cannot be read ({error.strerror})') from error
    except UnicodeDecodeError as error:
        raise UserError(f'{path}: not a list of videos ({error})') from error
    if not lines[-1]:
        lines.pop()
    else:
        rule = 'no newline behind the last name: official readers cut its last character'
        yield Problem(file, f'line {len(lines)}', rule)
    for number, line in enumerate(lines, 1):
        name = line.strip()
        if not name:
            yield Problem(file, f'line {number}', 'is blank')
        elif name in names:
            yield Problem(file, f'line {number}', 'names the video again', video=name)
        else:
            names.append(name)
            if line != name:
                rule = f'{line!r}: official readers take blanks and "\\r" for a part of the name'
                yield Problem(file, f'line {number}', rule, video=name)
    if not names:
        yield Problem(file, 'videos', 'names no video')
    return names


@dataclass(frozen=True)
class _Job:
    """A frame, a mask, or both, to be looked into."""

    video: str
    frame_path: Path | None
    mask_path: Path | None
    frame: int | None = None

    def problem(self, path: Path, field: str, rule: str) -> Problem:
        return Problem(str(path), field, rule, video=self.video, frame=self.frame)


class _ListChecker:
    """The videos of one list under examination; without a ``pool`` no picture is opened."""

    def __init__(
        self, file: str, root: Path, values: list[int], pool: ThreadPoolExecutor | None
    ) -> None:
        self.file = file
        self.root = root
        self.values = values
        self.pool = pool
        self.allowed = np.isin(np.arange(256), [0, *values, _UNLABELLED])
        self.counts = np.zeros(256, np.int64)
        self.void_masks: list[Path] = []

    def check(self, names: list[str], on_step: Callable[[], None]) -> Iterator[Problem]:
        annotated = any(os.path.isdir(self.root / name / 'mask') for name in names)
        if names and not annotated:
            yield no_annotations(self.file)
        for name in names:
            yield from self._check_video(name, annotated)
            on_step()
        yield from self._notes()

    def _check_video(self, name: str, annotated: bool) -> Iterator[Problem]:
        folder = self.root / name
        if not os.path.isdir(folder):
            yield Problem(self.file, 'video', f'there is no folder {folder}', video=name)
            return
        frames = sorted((folder / 'origin').glob('*.jpg'))
        masks = {path.stem: path for path in sorted((folder / 'mask').glob('*.png'))}
        if not frames:
            yield Problem(str(folder / 'origin'), 'frame', 'no *.jpg here', video=name)
        if annotated:
            for number, path in enumerate(frames):
                if path.stem not in masks:
                    rule = f'no mask/{path.stem}.png'
                    yield Problem(str(path), 'mask', rule, video=name, frame=number)
            stems = {path.stem for path in frames}
            for stem, path in masks.items():
                if stem not in stems:
                    yield Problem(str(path), 'frame', f'no origin/{stem}.jpg', video=name)
        if self.pool:
            yield from self._check_pictures(name, frames, masks)

    def _check_pictures(
        self, name: str, frames: list[Path], masks: dict[str, Path]
    ) -> Iterator[Problem]:
        first = None
        jobs = [_Job(name, path, masks.get(path.stem), i) for i, path in enumerate(frames)]
        stems = {path.stem for path in frames}
        jobs += [_Job(name, None, path) for stem, path in masks.items() if stem not in stems]
        for job, (problems, size, counts) in zip(
            jobs, self.pool.map(self._look_into, jobs), strict=True
        ):
            yield from problems
            first = first or size
            if size is not None and size != first:
                rule = f'{size[0]} x {size[1]} pixels, the frames before {first[0]} x {first[1]}'
                yield job.problem(job.frame_path, 'frame', rule)
            if counts is not None:
                self.counts += counts
                if not counts[self.values].any():
                    self.void_masks.append(job.mask_path)

    def _look_into(
        self, job: _Job
    ) -> tuple[list[Problem], tuple[int, int] | None, np.ndarray | None]:
        """Problems, size of the frame and pixels of each mask value, as far as readable."""
        problems, size = [], None
        if job.frame_path is not None:
            try:
                size = picture_size(job.frame_path)
            except UserError as error:
                problems.append(job.problem(job.frame_path, 'frame', str(error)))
        path = job.mask_path
        if path is None:
            return problems, size, None
        try:
            check_png(path, ['grey 8 bit', 'palette 8 bit'], size, 'the frame has')
            counts = np.bincount(read_class_map(path).ravel(), minlength=256)
        except UserError as error:
            problems.append(job.problem(path, 'mask', bare_rule(error, path)))
            return problems, size, None
        wrong = np.flatnonzero(counts * ~self.allowed)
        if len(wrong):
            found = ', '.join(f'{value} ({counts[value]} pixels)' for value in wrong)
            problems.append(job.problem(path, 'mask', f'values of no class: {found}'))
        return problems, size, counts

    def _notes(self) -> Iterator[Problem]:
        if self.void_masks:
            number, first = len(self.void_masks), self.void_masks[0]
            rule = f'{number} masks without a labelled pixel, the first is {first}'
            yield Problem(self.file, 'mask', rule, level=Level.NOTE)
        if not self.values or not self.counts.any():
            return
        share, last = self.counts[0] / self.counts.sum(), max(self.values)
        if share > _MUCH_VOID and not self.counts[last]:
            rule = (
                f'{share:.0%} of the pixels are 0, none is {last}: are the classes coded from 0? '
                '0 means void, a class has its id + 1'
            )
            yield Problem(self.file, 'mask', rule, level=Level.NOTE)
