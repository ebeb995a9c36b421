"""An official results file beside its annotation file, as tubes to draw or export."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from mmvseg.datasets import load_annotation_file
from mmvseg.datasets.metainfo import to_metainfo
from mmvseg.errors import UserError
from mmvseg.formats.rle import check_rle, to_rle
from mmvseg.formats.youtube_vis import parse_categories, parse_videos
from mmvseg.structures import VideoInstances, VideoResult


@dataclass
class ResultVideo:
    """One video of a results file or folder.

    Attributes:
        video_id: its id in the annotation file.
        name: folder of its frames, made unique; always a relative path that stays below the folder
            it is joined to.
        size: (height, width).
        frames: paths of its frames.
        found: the predictions; tracks and segments are numbered from 1.
        truth: what is annotated, or None; scores are 1.
    """

    video_id: int | str
    name: str
    size: tuple[int, int]
    frames: list[str]
    found: VideoResult
    truth: VideoResult | None


def load_results(
    results_path: str | Path,
    gt_path: str | Path,
    root: str | Path,
    wanted: Sequence[str] | None = None,
) -> tuple[dict[str, Any], list[ResultVideo]]:
    """Read a ``results.json`` and the annotation file that it belongs to.

    Args:
        results_path: list of ``dict(video_id, score, category_id, segmentations)``.
        gt_path: file of the YouTube-VIS form; its annotations may be missing.
        root: folder that its ``file_names`` are relative to.
        wanted: read the tubes of these videos only, by id or name.

    Returns:
        The metainfo of the classes, and the videos in the order of the annotation file.

    Raises:
        UserError: if either file is not what it should be, or they do not belong together; the
            message names the file and the entry.
    """
    gt = load_annotation_file(gt_path)
    categories = parse_categories(gt, gt_path)
    labels = {category.id: label for label, category in enumerate(categories)}
    records = parse_videos(gt, gt_path, root, labels)
    entries = _by_video(_read_entries(results_path), records, results_path, gt_path)
    names = output_names(records)
    videos = []
    for record in choose_videos(records, wanted, gt_path):
        video_id = record['video_id']
        videos.append(
            ResultVideo(
                video_id=video_id,
                name=names[video_id],
                size=(record['height'], record['width']),
                frames=record['frames'],
                found=_predicted(entries[video_id], labels, record),
                truth=_annotated(record['instances']) if gt.get('annotations') else None,
            )
        )
    return to_metainfo(categories), videos


def output_names(records: list[dict]) -> dict[int | str, str]:
    """The name of each video by id: unique, and harmless as a path below a folder."""
    names = {
        record['video_id']: _below(record['name']) or _below(str(record['video_id'])) or 'video'
        for record in records
    }
    counts = Counter(names.values())
    taken = {name for name, count in counts.items() if count == 1}
    for video_id, name in names.items():
        if counts[name] == 1:
            continue
        unique = _below(f'{name}_{video_id}')
        while unique in taken:
            unique += '_'
        taken.add(unique)
        names[video_id] = unique
    return names


def _below(path: str) -> str:
    """The path without what leads out of a folder: a root, and steps up."""
    pure = PurePath(path)
    return '/'.join(part for part in pure.parts if part not in ('..', pure.anchor))


def _read_entries(path: str | Path) -> list[dict]:
    try:
        entries = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise UserError(f'{path}: cannot be read ({error.strerror})') from error
    except ValueError as error:
        raise UserError(f'{path}: not valid json ({error})') from error
    if not isinstance(entries, list):
        raise UserError(f'{path}: not a results file (a list of entries is expected)')
    return entries


def _by_video(
    entries: list[Any], records: list[dict], path: str | Path, gt_path: str | Path
) -> dict[int, list[tuple[str, dict]]]:
    """Entries by video id, each with the words that name it in messages."""
    known = {record['video_id'] for record in records}
    by_video = defaultdict(list)
    for position, entry in enumerate(entries):
        where = f'{path}: entry {position}'
        keys = {'video_id', 'category_id', 'score', 'segmentations'}
        if not isinstance(entry, dict) or not keys <= set(entry):
            missing = sorted(keys - set(entry)) if isinstance(entry, dict) else sorted(keys)
            raise UserError(f'{where} has no {", ".join(missing)}')
        if not isinstance(entry['video_id'], int | str) or entry['video_id'] not in known:
            raise UserError(f'{where}: {gt_path} has no video {entry["video_id"]}')
        by_video[entry['video_id']].append((where, entry))
    return by_video


def choose_videos(
    records: list[dict], wanted: Sequence[str] | None, gt_path: str | Path
) -> list[dict]:
    """The records that are wanted, by id or name; None for all.

    Raises:
        UserError: if there is none of such a name.
    """
    if not wanted:
        return records
    names = {key for r in records for key in (r['name'], str(r['video_id']))}
    unknown = [name for name in wanted if name not in names]
    if unknown:
        examples = ', '.join(f'{r["video_id"]} ({r["name"]})' for r in records[:3])
        raise UserError(
            f'{gt_path}: no video {", ".join(unknown)} among its {len(records)}, e.g. {examples}'
        )
    return [r for r in records if r['name'] in wanted or str(r['video_id']) in wanted]


def _predicted(
    entries: list[tuple[str, dict]], labels: dict[int, int], record: dict
) -> VideoInstances:
    masks = []
    for where, entry in entries:
        segmentations = entry['segmentations']
        if not isinstance(entry['score'], int | float) or not isinstance(segmentations, list):
            raise UserError(f'{where}: score must be a number and segmentations a list')
        category_id = entry['category_id']
        if not isinstance(category_id, int | str) or category_id not in labels:
            raise UserError(f'{where}: unknown category_id {category_id}')
        if len(segmentations) != record['length']:
            raise UserError(
                f'{where}: {len(segmentations)} segmentations, but video {record["video_id"]} has '
                f'{record["length"]} frames'
            )
        masks.append(
            [
                _checked_rle(segmentation, record, f'{where}, frame {frame}')
                for frame, segmentation in enumerate(segmentations)
            ]
        )
    return VideoInstances(
        scores=np.array([entry['score'] for _, entry in entries], np.float64),
        labels=np.array([labels[entry['category_id']] for _, entry in entries], np.int64),
        masks=masks,
        track_ids=np.arange(1, len(entries) + 1),
    )


def _checked_rle(segmentation: dict | list | None, record: dict, where: str) -> dict | None:
    if not segmentation:
        return None
    try:
        rle = to_rle(segmentation, record['height'], record['width'])
        check_rle(rle)
    except ValueError as error:
        raise UserError(f'{where}: {error}') from error
    return rle


def _annotated(instances: list[dict]) -> VideoInstances:
    return VideoInstances(
        scores=np.ones(len(instances)),
        labels=np.array([instance['label'] for instance in instances], np.int64),
        masks=[instance['segmentations'] for instance in instances],
        track_ids=np.arange(1, len(instances) + 1),
    )
