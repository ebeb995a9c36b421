"""A static page of a data set: contact sheets of its videos, statistics, and what is wrong."""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmvseg.errors import UserError, counted, say
from mmvseg.formats.dataset_checker import parse_tracks
from mmvseg.formats.pictures import DeepFrames
from mmvseg.formats.problems import Problem, collect
from mmvseg.formats.youtube_vis import YouTubeVIS
from mmvseg.locks import folder_lock
from mmvseg.media.pixel_values import check_range
from mmvseg.pages.dataset import DATA, SHEETS, BrowsedVideo, DatasetInfo, write_dataset_page
from mmvseg.progress import ProgressReport
from mmvseg.visualization.overlay import track_color

from .browse_sheets import MadeSheet, SheetOptions, VideoToDraw, make_sheets
from .browsed_videos import browsed_problem, browsed_videos, sound_part, video_of, videos_to_draw
from .output_paths import check_output_files, check_output_folder, check_page_folder
from .stopping import StopWish
from .wanted_videos import wanted_videos

#: Sheets and their notes, also what a killed run has left of them.
_OF_SHEETS = re.compile(r'\.?([A-Za-z0-9_-]+-[0-9a-f]{16})\.(webp|json)(\.part)?')


def browse(args: argparse.Namespace, stop: StopWish) -> int:
    """Write the page as the arguments of ``mmvseg data browse`` say.

    Returns:
        The exit status.

    Raises:
        UserError: a file is missing or of another form, or the options do not fit it.
    """
    if args.range:
        check_range(args.range)
    if args.root is not None and not args.root.is_dir():
        raise UserError(f'--root {args.root}: no such folder')
    _check_out(args)
    records, problems = _read(args)
    listed = videos_to_draw(records)
    names = [(video.video.id, video.video.name) for video in listed]
    wanted = [listed[n] for n in wanted_videos(names, args.video, args.annotations)][: args.first]
    with folder_lock(args.out, 'give another --out'):
        sheets = _make(wanted, args, stop)
        videos = wanted[: len(sheets)]
        problems += [problem for sheet in sheets for problem in sheet.problems]
        problems += DeepFrames(peak for sheet in sheets for peak in sheet.peaks).note(records.file)
        shown = browsed_videos(records, videos, sheets, problems, args.frames)
        write_dataset_page(args.out, _info(records, shown, problems, args), shown)
        if len(videos) == len(listed):
            _remove_others(args.out / SHEETS, {sheet.name for sheet in sheets})
    _tell(args, shown, sheets, problems)
    if stop.number:
        wish = f'{len(shown)} of {counted(len(wanted), "videos")} are on the page'
        say(f'stopped: {wish}; the same command goes on', sys.stderr)
    return stop.status


def _check_out(args: argparse.Namespace) -> None:
    """Refuse folders that hold inputs, or pages of somebody else.

    Raises:
        UserError: naming --out.
    """
    check_output_folder('--out', args.out, inputs=())
    # a sheet must not take the place of a frame
    frames = [] if args.root is None else [args.root / 'frame']
    check_output_folder('--out', args.out / SHEETS, frames)
    for name in ('index.html', DATA):
        check_output_files({'--out': args.out / name}, [args.annotations])
    check_page_folder(args.out, DATA, 'mmvseg data browse')


def _read(args: argparse.Namespace) -> tuple[YouTubeVIS, list[Problem]]:
    """What of the file is sound, and all that is wrong with it.

    Raises:
        UserError: there is no video to show.
    """
    problems: list[Problem] = []
    with ProgressReport('reading', None, 'objects') as progress:
        found = parse_tracks(args.annotations, progress.advance, args.allow_outside_root)
        records = sound_part(collect(found, problems))
    if not records.videos:
        first = next((f' ({problem})' for problem in problems if not problem.is_note), '')
        raise UserError(f'{args.annotations}: holds no video that can be shown{first}')
    return records, problems


def _make(
    videos: Sequence[VideoToDraw], args: argparse.Namespace, stop: StopWish
) -> list[MadeSheet]:
    """The sheets of the videos; of the first ones, where a wish to stop comes."""
    options = SheetOptions(
        root=args.root,
        num_frames=args.frames,
        checks=not args.no_check,
        allow_outside_root=args.allow_outside_root,
        value_range=tuple(args.range) if args.range else None,
    )
    sheets = []
    stop.is_heeded = True
    with ProgressReport('drawing', len(videos), 'videos', rate=True) as progress:
        for sheet in make_sheets(videos, args.out / SHEETS, options):
            sheets.append(sheet)
            progress.advance()
            if stop.taken():
                break
    return sheets


def _info(
    records: YouTubeVIS,
    shown: Sequence[BrowsedVideo],
    problems: Iterable[Problem],
    args: argparse.Namespace,
) -> DatasetInfo:
    most = max((len(video.objects) for video in shown), default=0)
    return DatasetInfo(
        source=str(args.annotations),
        root=None if args.root is None else str(args.root),
        classes=[category.name for category in records.categories],
        colors=[track_color(number) for number in range(most)],
        opened=_opened(args),
        problems=[
            browsed_problem(problem, with_video=True)
            for problem in problems
            if video_of(problem) not in records.videos
        ],
        has_annotations=records.has_annotations,
    )


def _opened(args: argparse.Namespace) -> str:
    """Which frames the checker has seen."""
    if args.root is None:
        return 'No frames were opened.'
    if args.no_check:
        return 'Only the frames on the sheets were opened.'
    return 'All frames were opened.'


def _remove_others(folder: Path, names: set[str]) -> None:
    """Take away sheets, and notes on sheets, that the page does not show."""
    kept = {Path(name).stem for name in names}
    for path in folder.iterdir():
        match = _OF_SHEETS.fullmatch(path.name)
        if match and match[1] not in kept:
            path.unlink()


def _tell(
    args: argparse.Namespace,
    shown: Sequence[BrowsedVideo],
    sheets: Sequence[MadeSheet],
    problems: Sequence[Problem],
) -> None:
    num_kept = sum(not sheet.is_new for sheet in sheets)
    parts = [counted(len(shown), 'videos')]
    if num_kept:
        parts.append(f'{counted(num_kept, "sheets")} kept')
    if num_problems := sum(not problem.is_note for problem in problems):
        parts.append(counted(num_problems, 'problems'))
    say(f'{args.out / "index.html"}: {", ".join(parts)}')
