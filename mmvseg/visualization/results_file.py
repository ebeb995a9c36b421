"""Official results and annotation files as tubes to draw, without a model or a dataset."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools import mask as mask_api

from mmvseg.errors import UserError
from mmvseg.structures import VideoInstances


@dataclass
class ResultVideo:
    """One video of a results file.

    Attributes:
        video_id: its id in the annotation file.
        name: folder of its frames.
        size: (height, width).
        file_names: its frames, relative to the frame root.
        tracks: the predictions in the order of the file; ``track_ids`` count from 1.
        truth: the annotated objects, or None where the file has no annotations; ``track_ids``
            count from 1, scores are 1.
    """

    video_id: int
    name: str
    size: tuple[int, int]
    file_names: list[str]
    tracks: VideoInstances
    truth: VideoInstances | None


@dataclass
class ResultsFile:
    """A results file beside its annotation file.

    Attributes:
        categories: ``dict(id, name)`` by label.
        videos: in the order of the annotation file.
    """

    categories: list[dict]
    videos: list[ResultVideo]

    @property
    def classes(self) -> list[str]:
        """Class names by label."""
        return [category['name'] for category in self.categories]


def load_results(results_path: str | Path, gt_path: str | Path) -> ResultsFile:
    """Read an official ``results.json`` and the annotation file that it belongs to.

    Raises:
        UserError: if either file is not what it should be, or they do not belong together; the
            message names the file and the entry.
    """
    gt = _read_json(gt_path)
    if not isinstance(gt, dict) or not {'videos', 'categories'} <= gt.keys():
        raise UserError(f"{gt_path}: not a YouTube-VIS file (no 'videos' and 'categories')")
    results = _read_json(results_path)
    if not isinstance(results, list):
        raise UserError(f'{results_path}: not a results file (expected a list of entries)')
    categories = sorted(gt['categories'], key=lambda category: category['id'])
    labels = {category['id']: label for label, category in enumerate(categories)}
    by_video: dict[int, list[tuple[str, dict]]] = {video['id']: [] for video in gt['videos']}
    truth_by_video: dict[int, list[tuple[str, dict]]] = {video: [] for video in by_video}
    _group(results, by_video, f'{results_path}: entry', gt_path)
    _group(gt.get('annotations') or [], truth_by_video, f'{gt_path}: annotation', gt_path)
    videos = []
    for record in gt['videos']:
        size = (record['height'], record['width'])
        length = len(record['file_names'])
        truth = truth_by_video[record['id']]
        videos.append(
            ResultVideo(
                video_id=record['id'],
                name=str(Path(record['file_names'][0]).parent) if length else str(record['id']),
                size=size,
                file_names=record['file_names'],
                tracks=_tubes(by_video[record['id']], labels, size, length, default_score=None),
                truth=_tubes(truth, labels, size, length, default_score=1.0)
                if gt.get('annotations')
                else None,
            )
        )
    return ResultsFile(categories, videos)


def to_rle(segmentation: Any, size: tuple[int, int], where: str) -> dict | None:
    """A frame's segmentation (polygons, plain or compressed run lengths, None) as COCO RLE.

    Args:
        segmentation: as the file has it.
        size: (height, width) of the frame.
        where: file and entry, for the message.

    Raises:
        UserError: if it is none of these or its size is not the video's.
    """
    if not segmentation:
        return None
    try:
        if isinstance(segmentation, list):
            return mask_api.merge(mask_api.frPyObjects(segmentation, *size))
        if tuple(segmentation['size']) != tuple(size):
            raise UserError(
                f'{where}: mask of {segmentation["size"]} (height, width), the video has '
                f'{list(size)}'
            )
        if isinstance(segmentation['counts'], list):
            return mask_api.frPyObjects(segmentation, *size)
        counts = segmentation['counts']
        return dict(
            size=list(size), counts=counts.encode('ascii') if isinstance(counts, str) else counts
        )
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise UserError(f'{where}: not a mask ({type(error).__name__}: {error})') from error


def _read_json(path: str | Path) -> Any:
    try:
        with open(path, encoding='utf-8') as file:
            return json.load(file)
    except OSError as error:
        raise UserError(f'{path}: cannot be read ({error.strerror})') from error
    except ValueError as error:
        raise UserError(f'{path}: not a JSON file ({error})') from error


def _group(
    entries: list[dict],
    by_video: dict[int, list[tuple[str, dict]]],
    where: str,
    gt_path: str | Path,
) -> None:
    """Sort entries into their videos, each with the words that name it in messages."""
    for position, entry in enumerate(entries):
        name = f'{where} {position}'
        missing = {'video_id', 'category_id', 'segmentations'} - set(entry)
        if missing:
            raise UserError(f'{name} has no {", ".join(sorted(missing))}')
        if entry['video_id'] not in by_video:
            raise UserError(f'{name}: video_id {entry["video_id"]} is not in {gt_path}')
        by_video[entry['video_id']].append((name, entry))


def _tubes(
    entries: list[tuple[str, dict]],
    labels: dict[int, int],
    size: tuple[int, int],
    length: int,
    default_score: float | None,
) -> VideoInstances:
    for name, entry in entries:
        if entry['category_id'] not in labels:
            raise UserError(f'{name}: category_id {entry["category_id"]} is not in the categories')
        if len(entry['segmentations']) != length:
            raise UserError(
                f'{name}: {len(entry["segmentations"])} segmentations, video {entry["video_id"]} '
                f'has {length} frames'
            )
        if default_score is None and 'score' not in entry:
            raise UserError(f'{name} has no score')
    return VideoInstances(
        scores=np.array([entry.get('score', default_score) for _, entry in entries], np.float64),
        labels=np.array([labels[entry['category_id']] for _, entry in entries], np.int64),
        masks=[
            [
                to_rle(item, size, f'{name}, frame {frame}')
                for frame, item in enumerate(entry['segmentations'])
            ]
            for name, entry in entries
        ],
        track_ids=np.arange(1, len(entries) + 1),
    )
