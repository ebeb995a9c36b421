"""The videos that ``mmvseg show`` makes pages of, with their frames and all results of them."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mmvseg.errors import UserError
from mmvseg.formats.predicted_tracks import PredictedTrack, read_predicted_tracks
from mmvseg.media import DEFAULT_FPS, FirstFrames, FrameSource, each_video, open_source
from mmvseg.structures import VideoInstances, VideoResult

from .predict_videos import unique_names
from .result_frames import read_frames
from .result_videos import load_videos
from .results_file import ResultVideo, TubeRecords


@dataclass
class VideoToShow:
    """One video.

    Attributes:
        name: as its data set or its file is called.
        size: (height, width).
        length: number of frames.
        fps: frames a second.
        images: reads the frames, RGB uint8 (H, W, 3), one at a time.
        metainfo: classes of its results.
        found: of each results file.
        truth: what is annotated; None where nothing is.
        records: what ``found`` are made of; None where it is no file of YouTube-VIS.
    """

    name: str
    size: tuple[int, int]
    length: int
    fps: Fraction
    images: Callable[[], Iterator[np.ndarray]]
    metainfo: Mapping[str, Any]
    found: list[VideoResult]
    truth: VideoResult | None
    records: list[TubeRecords] | None = None


def annotated_videos(args: argparse.Namespace, task: str) -> list[VideoToShow]:
    """The videos of an annotation file, with the results of one or two files.

    Args:
        args: of ``mmvseg show``.
        task: kind of the results.

    Raises:
        UserError: a file is missing or unusable, or the files do not belong together.
    """
    given = (path for path in (args.results, args.against) if path is not None)
    loaded = [load_videos(args, task, path) for path in given]
    metainfo = loaded[0][0]
    by_video = zip(*(videos for _, videos in loaded), strict=True)
    return [_annotated_video(list(videos), metainfo, args) for videos in by_video]


def _annotated_video(
    videos: list[ResultVideo], metainfo: Mapping[str, Any], args: argparse.Namespace
) -> VideoToShow:
    first, length = videos[0], len(videos[0].frames)
    records = [video.records for video in videos]
    return VideoToShow(
        name=first.name,
        size=first.size,
        length=length,
        fps=args.fps or DEFAULT_FPS,
        images=partial(read_frames, first, range(length), args.range),
        metainfo=metainfo,
        found=[video.found for video in videos],
        truth=first.truth,
        records=None if None in records else records,
    )


def predicted_videos(args: argparse.Namespace) -> Iterator[VideoToShow]:
    """The videos of files that ``mmvseg predict --json`` has written, each opened when its turn is.

    Args:
        args: of ``mmvseg show``; ``args.root`` is the video, or the folder of videos.

    Returns:
        A generator of the videos in the order of their names.

    Raises:
        UserError: a file is missing or unusable, or there is no video of its name.
    """
    sources = _sources(args.root)
    jobs = []
    for path in tracks_files(args):
        files = [path]
        if args.against is not None:
            files.append(_partner(path, args))
        is_alone = len(sources) == 1 and not args.results.is_dir()
        source = next(iter(sources.values())) if is_alone else sources.get(path.stem)
        if source is None:
            raise UserError(
                f'--root {args.root}: holds no video {path.stem}, to which {path} belongs; it has '
                f'{", ".join([*sources][:5])}'
            )
        jobs.append((path.stem, files, source))
    for name, files, source in jobs:
        yield _predicted_video(name, files, source, args)


def tracks_files(args: argparse.Namespace) -> list[Path]:
    """The files of tracks that ``args.results`` names, of the videos that are wanted.

    Raises:
        UserError: there is none.
    """
    files = [args.results]
    if args.results.is_dir():
        files = sorted(args.results.glob('*.json'))
    if not files:
        raise UserError(
            f'{args.results}: holds no .json of mmvseg predict --json; other folders of results '
            'need --ann'
        )
    if args.video:
        unknown = {*args.video} - {path.stem for path in files}
        if unknown:
            raise UserError(f'{args.results}: no video {", ".join(sorted(unknown))}')
        files = [path for path in files if path.stem in args.video]
    return files


def _sources(root: Path) -> dict[str, str]:
    """The videos that ``--root`` names, by the names that ``mmvseg predict`` gives their files."""
    inputs = [str(given) for given in each_video([str(root)])]
    return dict(zip(unique_names(inputs), inputs, strict=True))


def _partner(path: Path, args: argparse.Namespace) -> Path:
    """The file of ``--against`` that belongs to one of the results."""
    if not args.against.is_dir():
        return args.against
    other = args.against / path.name
    if not other.is_file():
        raise UserError(f'--against {args.against}: has no {path.name}')
    return other


def _predicted_video(
    name: str, files: list[Path], given: str, args: argparse.Namespace
) -> VideoToShow:
    tracks = [read_predicted_tracks(path) for path in files]
    source = open_source(given, args.fps, args.range)
    if source.is_live:
        raise UserError(f'--root {given}: never ends; give the file that was recorded')
    lengths = {len(of_file[0].result.rles) for of_file in tracks if of_file}
    if len(lengths) > 1:
        raise UserError(f'{files[1]}: covers other frames than {files[0]}: {sorted(lengths)}')
    length = lengths.pop() if lengths else source.length or sum(1 for _ in source)
    for path, of_file in zip(files, tracks, strict=True):
        _check_size(path, of_file, source, given)
    names = sorted({track.category for of_file in tracks for track in of_file})
    return VideoToShow(
        name=name,
        size=tuple(source.size),
        length=length,
        fps=source.fps,
        images=lambda: (frame.image for frame in FirstFrames(source, length)),
        metainfo=dict(classes=names),
        found=[_instances(of_file, names) for of_file in tracks],
        truth=None,
    )


def _check_size(path: Path, tracks: list[PredictedTrack], source: FrameSource, given: str) -> None:
    for track in tracks:
        for rle in track.result.rles:
            if rle is not None and tuple(rle['size']) != tuple(source.size):
                raise UserError(
                    f'{path}: masks of (height, width) {tuple(rle["size"])}, but {given} has '
                    f'{tuple(source.size)}; is --root the video that was segmented?'
                )


def _instances(tracks: list[PredictedTrack], names: list[str]) -> VideoInstances:
    return VideoInstances(
        scores=np.array([track.result.score for track in tracks], np.float64),
        labels=np.array([names.index(track.category) for track in tracks], np.int64),
        masks=[track.result.rles for track in tracks],
        track_ids=np.array([track.track_id for track in tracks], np.int64),
    )
