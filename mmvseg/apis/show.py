"""Static pages of results: frames, masks and errors of every video on one time bar."""

import argparse
import sys
from collections.abc import Iterable

import cv2
import numpy as np

from mmvseg.analysis.tube_kinds import KINDS
from mmvseg.errors import UserError, say
from mmvseg.formats.results_kind import results_task
from mmvseg.locks import folder_lock
from mmvseg.media import VideoWriter
from mmvseg.media.images import write_image
from mmvseg.media.pixel_values import check_range
from mmvseg.pages.names import page_names
from mmvseg.pages.records import ShownRun, ShownVideo, SiteInfo
from mmvseg.pages.site import THUMB_WIDTH, VIDEOS, Site
from mmvseg.progress import ProgressReport
from mmvseg.results.segmented_video import NOUNS
from mmvseg.structures import VideoInstances, VideoResult
from mmvseg.visualization.overlay import FrameObject, draw_objects

from .output_paths import check_output_files, check_output_folder, check_page_folder
from .reports import score_threshold
from .shown_errors import analyzed_run
from .shown_tubes import annotated_tubes, owners, shown_tubes
from .shown_videos import VideoToShow, annotated_videos, predicted_videos, tracks_files
from .stopping import StopWish

#: Of the pages' videos: frames that can be jumped to at once lie this close.
_MAX_GOP = 12


def show(args: argparse.Namespace, stop: StopWish) -> int:
    """Write pages as the arguments of ``mmvseg show`` say.

    Returns:
        The exit status.

    Raises:
        UserError: a file is missing or unusable, or the options do not fit the results.
    """
    if args.range:
        check_range(args.range)
    task = _task(args)
    if args.score_thr is not None and task != 'vis':
        raise UserError(f'--score-thr: {args.results} holds no scores; leave it out')
    args.score_thr = score_threshold('vis', args.score_thr) if task == 'vis' else None
    _check_out(args)
    if args.ann is None:
        names = [path.stem for path in tracks_files(args)]
        videos: Iterable[VideoToShow] = predicted_videos(args)
        has_truth = False
    else:
        listed = annotated_videos(args, task)
        names, videos = [video.name for video in listed], listed
        has_truth = any(video.truth is not None for video in listed)
    names = names[: args.first]
    site = Site(args.out, _info(args, task, has_truth))
    with folder_lock(args.out, 'give another --out'):
        return _write(site, names, videos, args, stop)


def _task(args: argparse.Namespace) -> str:
    """Kind of the results.

    Raises:
        UserError: there is no --ann where it is needed, or two kinds are to be compared.
    """
    if args.ann is None:
        if args.root is None:
            raise UserError(
                '--ann: needed, the annotation file that lists the videos; or, of a json of mmvseg '
                'predict, --root with the video (or the folder of videos)'
            )
        return 'vis'
    task = results_task(args.results)
    if args.against is not None and (other := results_task(args.against)) != task:
        raise UserError(
            f'--against {args.against}: holds {NOUNS[other]}, {args.results} holds {NOUNS[task]}; '
            'only the like can be compared'
        )
    return task


def _check_out(args: argparse.Namespace) -> None:
    """Refuse folders that hold inputs, or pages of somebody else.

    Raises:
        UserError: naming --out.
    """
    given = (args.results, args.against, args.ann, args.root)
    inputs = [path for path in given if path is not None]
    check_output_folder('--out', args.out, inputs=())
    # a video of the pages must not take the place of one that is read
    frames = [] if args.root is None else [args.root / 'frame']
    check_output_folder('--out', args.out / VIDEOS, [*inputs, *frames])
    for name in ('index.html', 'videos.js'):
        check_output_files({'--out': args.out / name}, inputs)
    check_page_folder(args.out, 'videos.js', 'mmvseg show')


def _info(args: argparse.Namespace, task: str, has_truth: bool) -> SiteInfo:
    return SiteInfo(
        runs=[str(path) for path in (args.results, args.against) if path is not None],
        source=str(args.ann or args.root),
        has_truth=has_truth,
        noun=NOUNS[task],
        note='' if args.score_thr is None else f'Tracks of a score from {args.score_thr:g} on.',
        kinds=KINDS if task == 'vis' and has_truth else (),
    )


def _write(
    site: Site,
    names: list[str],
    videos: Iterable[VideoToShow],
    args: argparse.Namespace,
    stop: StopWish,
) -> int:
    """Write all pages; returns the exit status."""
    pages, whole, num_errors = page_names(names), 0, 0
    stop.is_heeded = True
    with ProgressReport('writing pages', len(pages), 'videos') as progress:
        for page, video in zip(pages, videos, strict=False):
            shown = _shown_video(video, page, args)
            if not _write_pictures(site, video, shown, stop):
                break
            site.add_video(shown)
            whole += 1
            num_errors += sum(len(run.errors) for run in shown.runs)
            progress.advance()
            if stop.taken():
                break
    site.finish()
    if stop.number:
        say(f'stopped: {whole} of {len(pages)} videos have pages', sys.stderr)
    errors = f', {num_errors} errors' if num_errors else ''
    say(f'{args.out / "index.html"}: {whole} videos{errors}')
    return stop.status


def _shown_video(video: VideoToShow, page: str, args: argparse.Namespace) -> ShownVideo:
    """All that the page of a video shows, besides its pictures."""
    objects = None if video.truth is None else annotated_tubes(video.truth, video.metainfo)
    if objects is not None and video.records is not None:
        for tube, entry in zip(objects, video.records[0].objects, strict=True):
            tube.id = entry.id
    runs = []
    for number, found in enumerate(video.found):
        beside = video.truth
        if beside is None and number:
            beside = _shown_part(video.found[0], args.score_thr)
        tubes = shown_tubes(found, video.metainfo, args.score_thr, beside)
        if objects is not None and video.records is not None:
            runs.append(analyzed_run(video.records[number], tubes, objects, video.metainfo))
        else:
            shows = None if objects is None else owners(tubes.tubes, objects)
            runs.append(ShownRun(tubes.tubes, shows))
    return ShownVideo(
        name=video.name,
        page=page,
        size=video.size,
        length=video.length,
        fps=video.fps,
        objects=objects,
        runs=runs,
    )


def _shown_part(result: VideoResult, score_thr: float | None) -> VideoResult:
    """What is on show at first."""
    if isinstance(result, VideoInstances):
        return result.above(score_thr).distinct()
    return result


def _write_pictures(site: Site, video: VideoToShow, shown: ShownVideo, stop: StopWish) -> bool:
    """Write the frames as a video, and the picture for the list; returns whether all are there.

    Raises:
        UserError: there are fewer frames than the results cover.
    """
    chosen, thumb = _telling_frame(shown), None
    path = site.path(shown.page, '.mp4')
    with VideoWriter(path, video.fps, max_gop=_MAX_GOP) as writer:
        for frame, image in enumerate(video.images()):
            if frame == chosen:
                thumb = _thumb(image, shown, frame)
            writer.write(image)
            if frame < video.length - 1 and stop.taken():
                break
    if stop.number and writer.count < video.length:
        path.unlink()
        return False
    if writer.count < video.length:
        raise UserError(
            f'{video.name}: ends after {writer.count} frames, but the results cover {video.length}'
        )
    write_image(site.path(shown.page, '.jpg'), thumb)
    return True


def _telling_frame(video: ShownVideo) -> int:
    """Where to look first: at the worst error of the first run, else in the middle."""
    errors = video.runs[0].errors
    if not errors:
        return video.length // 2
    return max(errors, key=lambda error: error.cost).frame


def _thumb(image: np.ndarray, video: ShownVideo, frame: int) -> np.ndarray:
    """A small picture of a frame with the masks of the first run."""
    masks = [
        FrameObject(tube.masks[frame], number, color=tube.color)
        for number, tube in enumerate(video.runs[0].tracks)
        if tube.masks[frame] is not None and not tube.is_hidden
    ]
    drawn = draw_objects(image, masks)
    height = max(1, round(video.size[0] * THUMB_WIDTH / video.size[1]))
    shrinks = video.size[1] >= THUMB_WIDTH
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(drawn, (THUMB_WIDTH, height), interpolation=how)
