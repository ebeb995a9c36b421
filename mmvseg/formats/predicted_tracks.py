"""What ``mmvseg predict --json`` writes of a video's tracks: results with the names of classes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec import Raw, Struct, ValidationError

from mmvseg.errors import UserError

from .json_files import Number, Text, decode_entry, decode_json, read_json_bytes
from .problems import strictly
from .youtube_vis_results import Result, parse_results


class _Names(Struct):
    """The fields of an entry that official results do not have."""

    category: Text
    track_id: int
    seconds: list[Number]


@dataclass
class PredictedTrack:
    """One track.

    Attributes:
        result: the track itself.
        category: name of its class.
        track_id: its number.
    """

    result: Result
    category: str
    track_id: int


def read_predicted_tracks(path: str | Path) -> list[PredictedTrack]:
    """Read the json of one video.

    Raises:
        UserError: it is not what ``mmvseg predict`` writes of tracks; naming entry and field.
    """
    data, file = read_json_bytes(path), str(path)
    try:
        entries = decode_json(data, file, list[Raw])
    except ValidationError:
        raise UserError(f'{file}: must be a list of tracks, as mmvseg predict writes it') from None
    for index, raw in enumerate(entries):
        _check_kind(decode_json(bytes(raw), file), f'{file}: entry {index}')
    results = strictly(parse_results(entries, file), advice='')
    names = [
        strictly(decode_entry(raw, _Names, file, '', dict(entry=index)), advice='')
        for index, raw in enumerate(entries)
    ]
    for result in results:
        _check_fit(result, results[0], f'{file}: entry {result.index}')
    pairs = zip(results, names, strict=True)
    return [PredictedTrack(result, name.category, name.track_id) for result, name in pairs]


def _check_kind(entry: Any, where: str) -> None:
    keys = entry if isinstance(entry, dict) else {}
    if 'areas' in keys and 'segmentations' not in keys:
        raise UserError(
            f'{where}: lists areas, no masks, as mmvseg predict writes it of panoptic and semantic '
            'models; masks are needed: take those of mmvseg test, with --ann'
        )
    if not {'category', 'seconds'} <= {*keys}:
        raise UserError(
            f'{where}: names no class (category) and no times (seconds), so it is not of mmvseg '
            'predict; official results need the annotation file that lists their videos: --ann'
        )


def _check_fit(result: Result, first: Result, where: str) -> None:
    if len(result.rles) != len(first.rles):
        count = len(first.rles)
        raise UserError(f'{where}: {len(result.rles)} frames, but the first entry has {count}')
    sizes = {tuple(rle['size']) for track in (first, result) for rle in track.rles if rle}
    if len(sizes) > 1:
        raise UserError(f'{where}: masks of different sizes: {sorted(sizes)}')
