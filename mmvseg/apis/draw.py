"""Drawing the results in files: an overlay, id images and a table for every video."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmvseg.errors import UserError, counted, say
from mmvseg.formats.results_kind import results_task
from mmvseg.locks import folder_lock
from mmvseg.media import DEFAULT_FPS, VideoWriter
from mmvseg.media.images import write_image
from mmvseg.media.pixel_values import check_range
from mmvseg.progress import ProgressReport
from mmvseg.results.segmented_video import NOUNS
from mmvseg.structures import VideoInstances, VideoPanoptic, VideoResult, VideoSemantic
from mmvseg.visualization.contact_sheet import (
    CAPTION_SIZE,
    SheetVideo,
    contact_sheet,
    evenly_spaced,
    label_size,
    row_width,
)
from mmvseg.visualization.exports import write_id_map
from mmvseg.visualization.legend import Legend
from mmvseg.visualization.overlay_semantic import by_area, class_areas
from mmvseg.visualization.tables import (
    CLASS_COLUMNS,
    SEGMENT_COLUMNS,
    TRACK_COLUMNS,
    class_rows,
    segment_rows,
    track_rows,
    write_table,
)
from mmvseg.visualization.text import DrawingStyle, upscaling

from .output_paths import check_output_files, check_output_folder
from .reports import Report, build_report, refuse_all_tracks, score_threshold
from .result_frames import read_frames
from .result_videos import frames_root, load_videos
from .results_file import ResultVideo
from .stopping import StopWish

SHEET_FRAMES = 5
COLUMNS = dict(vis=TRACK_COLUMNS, vps=SEGMENT_COLUMNS, vss=CLASS_COLUMNS)


def draw(args: argparse.Namespace, stop: StopWish) -> int:
    """Draw results as the arguments of ``mmvseg draw`` say.

    Returns:
        The exit status.

    Raises:
        UserError: a file is missing or unusable, or the options do not fit the results.
    """
    if args.range:
        check_range(args.range)
    task = results_task(args.results)
    if args.score_thr is not None and task != 'vis':
        raise UserError(f'--score-thr: {args.results} holds no scores; leave it out')
    root = frames_root(args, task)
    if args.all_tracks:
        refuse_all_tracks(task)
    if task == 'vis':
        args.score_thr = score_threshold(task, args.score_thr)
    table = args.out / f'{NOUNS[task]}.csv'
    check_output_folder('--out', args.out, inputs=())
    check_output_files({'--out': table}, [args.results, args.ann])
    metainfo, videos = load_videos(args, task, args.results)
    videos = videos[: args.first]
    with folder_lock(args.out, 'give another --out'):
        return _draw_results(task, root, metainfo, videos, table, args, stop)


def _draw_results(
    task: str,
    root: Path,
    metainfo: Mapping[str, Any],
    videos: list[ResultVideo],
    table: Path,
    args: argparse.Namespace,
    stop: StopWish,
) -> int:
    """Draw all videos and write their table; returns the exit status."""
    rows, count, whole = [], 0, 0
    stop.is_heeded = True
    with ProgressReport('drawing', sum(len(video.frames) for video in videos)) as progress:
        for video in videos:
            report = _report(video, metainfo, args)
            drawn = _draw_video(video, report, args, progress, stop)
            files = [os.path.relpath(path, root) for path in video.frames]
            names = dict(video_id=video.video_id, video=video.name)
            in_video = _table_rows(report.result, files, metainfo)
            rows += [names | row for row in in_video if row['frame'] < drawn]
            count += 0 if task == 'vss' else len(report.result)
            whole += drawn == len(video.frames)
            if stop.number:
                break
    write_table(table, COLUMNS[task], rows)
    if stop.number:
        say(
            f'stopped after {drawn} of {len(video.frames)} frames of the video {video.name}; '
            f'{whole} of {len(videos)} videos are whole',
            sys.stderr,
        )
        return stop.status
    if args.contact_sheet:
        shown = videos[: args.contact_sheet]
        sheet = [_sheet_video(video, metainfo, args) for video in shown]
        write_image(args.out / 'contact_sheet.png', contact_sheet(sheet))
    if task == 'vss':
        count = len({row['category_id'] for row in rows})
    above = f' of score >= {args.score_thr:g}' if task == 'vis' else ''
    say(f'{args.out}: {counted(len(videos), "videos")} with {counted(count, NOUNS[task])}{above}')
    return stop.status


def _report(video: ResultVideo, metainfo: Mapping[str, Any], args: argparse.Namespace) -> Report:
    """What is drawn of a video's results."""
    return build_report(
        video.found, metainfo, args.score_thr, all_tracks=args.all_tracks, truth=video.truth
    )


def _draw_video(
    video: ResultVideo,
    report: Report,
    args: argparse.Namespace,
    progress: ProgressReport,
    stop: StopWish,
) -> int:
    """Write the overlay video and the id images of one video; returns for how many frames."""
    has_scores = report.noun == 'tracks'
    painter = report.painter(DrawingStyle(scale=upscaling(video.size), scores=has_scores))
    folder = args.out / ('class_maps' if report.noun == 'classes' else 'id_masks') / video.name
    names = _mask_names(video.frames)
    colors = report.colors()
    wide = max(colors, default=0) > 255
    with VideoWriter(
        args.out / 'overlays' / f'{video.name}.mp4', args.fps or DEFAULT_FPS
    ) as writer:
        for frame, image in enumerate(read_frames(video, range(len(video.frames)), args.range)):
            writer.write(painter.draw(image, report.result, frame))
            ids = report.id_map(frame, video.size)
            write_id_map(folder / f'{names[frame]}.png', ids, colors, wide=wide)
            progress.advance()
            if stop.taken():
                break
    return writer.count


def _table_rows(
    result: VideoResult, files: list[str], metainfo: Mapping[str, Any]
) -> Iterator[dict]:
    """Rows of the table of the task, without the video's name."""
    if isinstance(result, VideoInstances):
        return track_rows(result, files, metainfo)
    if isinstance(result, VideoPanoptic):
        png_ids = result.maps.png_ids
        return segment_rows(result, png_ids, files, metainfo)
    return class_rows(result, files, metainfo)


def _mask_names(frames: list[str]) -> list[str]:
    """Names of the id images: those of the frames, or their indices where two are the same."""
    stems = [Path(frame).stem for frame in frames]
    if len(set(stems)) == len(stems):
        return stems
    return [f'{frame:05d}' for frame in range(len(frames))]


def _sheet_video(
    video: ResultVideo,
    metainfo: Mapping[str, Any],
    args: argparse.Namespace,
) -> SheetVideo:
    """Input, truth if there is any, and prediction of frames over the whole video."""
    columns = evenly_spaced(len(video.frames), SHEET_FRAMES)
    images = list(read_frames(video, columns, args.range))
    scale = upscaling(video.size)
    text_size = label_size(video.size[1] * scale)

    def drawn(report: Report, *, scores: bool) -> list[np.ndarray]:
        style = DrawingStyle(scale, text_size, scores=scores, legend=False)
        painter = report.painter(style)
        pairs = zip(columns, images, strict=True)
        return [painter.draw(image, report.result, t) for t, image in pairs]

    has_scores = isinstance(video.found, VideoInstances)
    rows = [('input', images)]
    if video.truth is not None:
        truth = build_report(video.truth, metainfo, None, all_tracks=True)
        rows.append(('ground truth', drawn(truth, scores=False)))
    rows.append(('prediction', drawn(_report(video, metainfo, args), scores=has_scores)))
    title = f'{video.name}: {counted(len(video.frames), "frames")}'
    sheet = SheetVideo(title, [f'frame {t}' for t in columns], rows)
    if isinstance(video.found, VideoSemantic):
        sheet.legend = _sheet_legend(video, metainfo, columns)
    return sheet


def _sheet_legend(
    video: ResultVideo, metainfo: Mapping[str, Any], columns: list[int]
) -> np.ndarray:
    """The classes on the pictures of a video."""
    results = [result for result in (video.found, video.truth) if result is not None]
    classes = metainfo['classes']
    areas = sum(class_areas(result.maps[t], len(classes)) for result in results for t in columns)
    listed = by_area(areas)
    width = row_width(len(columns))
    return Legend(classes, metainfo['palette'], width, CAPTION_SIZE, listed).draw(listed)
