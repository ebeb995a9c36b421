"""An official results file beside its annotation file, as tubes to draw or export."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from mmvseg.datasets.metainfo import to_metainfo
from mmvseg.datasets.tracks import to_records
from mmvseg.formats.pictures import refuse_outside
from mmvseg.formats.tracks import Annotation
from mmvseg.formats.youtube_vis import Video, read_youtube_vis
from mmvseg.formats.youtube_vis_results import Result, check_fit, read_results
from mmvseg.structures import VideoInstances, VideoResult

from .wanted_videos import wanted_videos


@dataclass
class TubeRecords:
    """What ``found`` and ``truth`` of a :class:`ResultVideo` are made of, position by position.

    Attributes:
        video: entry of the annotation file.
        objects: what is annotated; none where nothing is.
        results: what is predicted.
    """

    video: Video
    objects: list[Annotation]
    results: list[Result]


@dataclass
class ResultVideo:
    """One video of a results file or folder.

    Attributes:
        video_id: its id in the annotation file.
        name: folder of its frames, made unique; always a relative path that stays below the folder
            it is joined to.
        size: (height, width).
        frames: paths of its frames.
        found: the predictions; tracks are numbered from 0 and segments from 1.
        truth: what is annotated, or None; scores are 1.
        records: of results in the form of YouTube-VIS; None of maps.
    """

    video_id: int | str
    name: str
    size: tuple[int, int]
    frames: list[str]
    found: VideoResult
    truth: VideoResult | None
    records: TubeRecords | None = None


def load_results(
    results_path: str | Path,
    gt_path: str | Path,
    root: str | Path,
    wanted: Sequence[str] | None = None,
    allow_outside_root: bool = False,
) -> tuple[dict[str, Any], list[ResultVideo]]:
    """Read a ``results.json`` and the annotation file that it belongs to.

    Args:
        results_path: list of ``dict(video_id, score, category_id, segmentations)``.
        gt_path: file of the YouTube-VIS form; its annotations may be missing.
        root: folder that its ``file_names`` are relative to.
        wanted: read the tubes of these videos only, by id or name.
        allow_outside_root: whether the frames may lie outside of ``root``.

    Returns:
        The metainfo of the classes, and the videos in the order of the annotation file.

    Raises:
        UserError: if either file is not what it should be, or they do not belong together; the
            message names the file and the entry.
    """
    file = read_youtube_vis(gt_path)
    labels = {category.id: label for label, category in enumerate(file.categories)}
    records = to_records(file, str(root), labels, allow_outside_root)
    by_video = defaultdict(list)
    for result in read_results(results_path):
        check_fit(result, file, str(results_path))
        by_video[result.video_id].append(result)
    objects = defaultdict(list)
    for annotation in file.annotations:
        if annotation.category_id in labels:
            objects[annotation.video_id].append(annotation)
    names = output_names(records)
    videos = []
    for record in choose_videos(records, wanted, gt_path):
        video_id = record['video_id']
        if not allow_outside_root:
            refuse_outside(record['frames'], root, record['name'])
        videos.append(
            ResultVideo(
                video_id=video_id,
                name=names[video_id],
                size=(record['height'], record['width']),
                frames=record['frames'],
                found=_predicted(by_video[video_id], labels),
                truth=_annotated(record['instances']) if file.has_annotations else None,
                records=TubeRecords(file.videos[video_id], objects[video_id], by_video[video_id]),
            )
        )
    return to_metainfo(file.categories), videos


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


def choose_videos(
    records: list[dict], wanted: Sequence[str] | None, gt_path: str | Path
) -> list[dict]:
    """The records that are wanted, by id or name; None for all.

    Raises:
        UserError: if there is none of such a name.
    """
    videos = [(record['video_id'], record['name']) for record in records]
    return [records[n] for n in wanted_videos(videos, wanted, gt_path)]


def _predicted(results: list[Result], labels: dict[int, int]) -> VideoInstances:
    return VideoInstances(
        scores=np.array([result.score for result in results], np.float64),
        labels=np.array([labels[result.category_id] for result in results], np.int64),
        masks=[result.rles for result in results],
        track_ids=np.arange(len(results)),
    )


def _annotated(instances: list[dict]) -> VideoInstances:
    return VideoInstances(
        scores=np.ones(len(instances)),
        labels=np.array([instance['label'] for instance in instances], np.int64),
        masks=[instance['segmentations'] for instance in instances],
        track_ids=np.arange(len(instances)),
    )
