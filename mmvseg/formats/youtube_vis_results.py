"""Results of YouTube-VIS and OVIS: a list with one entry for each predicted object."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta, Raw, Struct, ValidationError

from mmvseg.errors import UserError, counted

from .json_files import Id, Number, decode_entry, decode_json, read_json_bytes
from .problems import Findings, Problem, strictly
from .rle import CompressedCode, MalformedRLE, compressed, rle_areas
from .youtube_vis import Video, YouTubeVIS

Nothing = Annotated[list[None], Meta(max_length=0, description='an empty list')]


class ResultEntry(Struct):
    """An entry of the list; a frame where the object is absent is null or an empty list."""

    video_id: Id
    category_id: Id
    score: Number
    segmentations: list[CompressedCode | Nothing | None]


@dataclass(slots=True)
class Result:
    """One predicted object.

    Attributes:
        index: 0-based position in the results.
        video_id: of its video.
        category_id: of its class.
        score: confidence, finite.
        rles: compressed run-length code of each frame, None where it is absent, T of them.
        mask_areas: pixels of each mask, 0 where it is absent, (T,) int64.
    """

    index: int
    video_id: int
    category_id: int
    score: float
    rles: list[dict | None]
    mask_areas: np.ndarray


def read_results(path: str | Path) -> list[Result]:
    """Read a ``results.json``.

    Raises:
        UserError: naming file, entry, frame and field of the first fault.

    Example:
        >>> results = read_results('results.json')
        >>> len(results), results[0].category_id, results[0].score
        (4, 1, 0.9)
    """
    data, file = read_json_bytes(path), str(path)
    try:
        entries = decode_json(data, file, list[Raw])
    except ValidationError:
        kind = type(decode_json(data, file)).__name__
        raise UserError(f'{file}: must be a list of results, it is a {kind}') from None
    return strictly(parse_results(entries, file), advice='')


def to_results(entries: Iterable[dict[str, Any]], source: str) -> list[Result]:
    """Results that were never in a file.

    Args:
        entries: as :meth:`mmvseg.structures.VideoInstances.to_youtube_vis` makes them.
        source: what they are called in messages.

    Raises:
        UserError: a score is not finite.
    """
    converted = (msgspec.convert(entry, ResultEntry) for entry in entries)
    return [
        strictly(_to_result(index, entry, source), advice='')
        for index, entry in enumerate(converted)
    ]


def video_of(result: Result, videos: Mapping[int, Video], truth: str, source: str) -> Video:
    """The video of a result.

    Args:
        result: the result.
        videos: those of the annotations, by id.
        truth: name of the annotations, for messages.
        source: name of the results, for messages.

    Raises:
        UserError: there is no such video.
    """
    if result.video_id not in videos:
        raise UserError(
            f'{source}: entry {result.index}: video_id {result.video_id} is not in {truth}; are '
            'the results those of this data set?'
        )
    return videos[result.video_id]


def check_fit(result: Result, file: YouTubeVIS, source: str) -> None:
    """Refuse what can be scored but not drawn or exported.

    Args:
        result: the result.
        file: the annotation file that it should belong to.
        source: name of the results, for messages.

    Raises:
        UserError: video, class, length or size is another.
    """
    where = f'{source}: entry {result.index}'
    video = file.videos.get(result.video_id)
    if video is None:
        raise UserError(f'{where}: video_id {result.video_id} is not in {file.file}')
    if result.category_id not in {category.id for category in file.categories}:
        raise UserError(f'{where}: unknown category_id {result.category_id}')
    length, size = len(video.file_names), [video.height, video.width]
    if len(result.rles) != length:
        raise UserError(
            f'{where}: {counted(len(result.rles), "segmentations")}, but video {video.id} has '
            f'{counted(length, "frames")}'
        )
    for frame, rle in enumerate(result.rles):
        if rle is not None and rle['size'] != size:
            raise UserError(
                f'{where}, frame {frame}: the size {rle["size"]} is not the video size {size}'
            )


def parse_results(entries: list[Raw], file: str) -> Findings[list[Result]]:
    """Read the entries of results.

    Args:
        entries: not yet decoded.
        file: name of the file, for messages.

    Yields:
        What is wrong.

    Returns:
        The sound entries.
    """
    results = []
    for index, raw in enumerate(entries):
        entry = yield from decode_entry(raw, ResultEntry, file, '', dict(entry=index))
        if entry is not None:
            results.append((yield from _to_result(index, entry, file)))
    return results


def _to_result(index: int, entry: ResultEntry, file: str) -> Findings[Result]:
    if not isfinite(entry.score):
        yield Problem(file, 'score', f'{entry.score} is not a finite number', index)
    rles: list[dict | None] = [None] * len(entry.segmentations)
    for frame, code in enumerate(entry.segmentations):
        try:
            rles[frame] = compressed(code.counts, code.size) if code else None
        except ValueError as error:
            yield Problem(file, 'segmentations', str(error), index, frame=frame)
    present = [frame for frame, rle in enumerate(rles) if rle is not None]
    areas = np.zeros(len(rles), np.int64)
    try:
        areas[present] = rle_areas([rles[frame] for frame in present])
    except MalformedRLE as error:
        yield Problem(file, 'segmentations', str(error), index, frame=present[error.index])
    return Result(index, entry.video_id, entry.category_id, entry.score, rles, areas)
