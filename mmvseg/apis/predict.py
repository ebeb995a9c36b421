"""A run of the demo on one video: what is read, what is written, and which way it goes."""

import argparse
import os
from pathlib import Path

from mmvseg.engine.launch import allowed_missing
from mmvseg.errors import UserError, counted, say
from mmvseg.media import (
    FrameSource,
    ImageSequence,
    Picture,
    open_source,
    without_password,
)
from mmvseg.media.images import IMAGE_SUFFIXES
from mmvseg.results.classes import class_indices

from .inferencer import VideoSegInferencer
from .output_paths import check_output_files, check_output_folder
from .predict_live import segment_live
from .predict_whole import segment_whole
from .reports import refuse_all_tracks, score_threshold
from .stopping import StopWish

OUT_FOLDER = Path('work_dirs/demo')


def predict(args: argparse.Namespace, stop: StopWish) -> int:
    """Segment and draw one video, ``args.input``, as the arguments of ``mmvseg predict`` say.

    Returns:
        The exit status.

    Raises:
        UserError: a file is missing or unusable, or the source broke off.
    """
    source, out = _open(args)
    return _segment(args, source, out, build_inferencer(args), stop)


def predict_with(args: argparse.Namespace, inferencer: VideoSegInferencer, stop: StopWish) -> int:
    """The same with a model that is loaded already."""
    return _segment(args, *_open(args), inferencer, stop)


def _open(args: argparse.Namespace) -> tuple[FrameSource, Path]:
    """The video, and where its overlay goes; all outputs have been looked at."""
    source = open_source(args.input, args.fps, args.range, once=args.live)
    if source.is_live and not args.live and not args.max_frames:
        raise UserError(
            f'{source.name} may never end: give --live, or --max-frames to take a video of so many '
            'frames first'
        )
    out = _output_path(args, source, isinstance(source, Picture) and not args.live)
    _check_outputs(args, source, out)
    return source, out


def build_inferencer(args: argparse.Namespace) -> VideoSegInferencer:
    """The model; its task and classes decide on ``args.score_thr`` and ``args.labels``.

    Raises:
        UserError: it cannot be built, or does not know what is asked for.
    """
    inferencer = VideoSegInferencer(
        args.model or args.config,
        args.checkpoint,
        args.device,
        args.cfg_options,
        allow_pickle=args.allow_pickle,
        allow_missing=allowed_missing(args) or (),
        precision=args.precision,
    )
    if args.all_tracks:
        refuse_all_tracks(inferencer.task)
    args.score_thr = score_threshold(inferencer.task, args.score_thr)
    args.labels = None
    if args.classes:
        try:
            args.labels = class_indices(args.classes, inferencer.classes)
        except UserError as error:
            raise UserError(f'--classes: {error}') from error
    return inferencer


def _segment(
    args: argparse.Namespace,
    source: FrameSource,
    out: Path,
    inferencer: VideoSegInferencer,
    stop: StopWish,
) -> int:
    height, width = source.size
    length = '? frames' if source.length is None else counted(source.length, 'frames')
    say(f'{without_password(args.input)}: {width}x{height}, {length}, on {inferencer.device}')
    said = [*source.notes]
    for note in said:
        say(note)
    segment = segment_live if args.live else segment_whole
    try:
        return segment(args, source, inferencer, out, stop)
    finally:
        for note in source.notes[len(said) :]:
            say(note)


def _check_outputs(args: argparse.Namespace, source: FrameSource, out: Path) -> None:
    """Refuse outputs that cannot be written or are what is read.

    Raises:
        UserError: naming the option.
    """
    frames = source.paths if isinstance(source, ImageSequence) else []
    models = [name for name in (args.config, args.checkpoint, args.model) if name is not None]
    inputs = [args.input, *args.inputs, *frames, *models]
    # lines may go to another program as they come
    takes_lines = args.live and args.json and os.path.exists(args.json)
    is_pipe = takes_lines and (args.json.is_fifo() or args.json.is_char_device())
    files = {'--out': out, '--json': None if is_pipe else args.json, '--csv': args.csv}
    check_output_files(files, inputs)
    if args.maps:
        in_folders = [Path(given, 'frame') for given in args.inputs if os.path.isdir(given)]
        check_output_folder('--maps', args.maps, [*frames, *in_folders])


def _output_path(args: argparse.Namespace, source: FrameSource, is_image: bool) -> Path:
    """Where the overlay goes: ``--out``, of several videos a name in that folder.

    Raises:
        UserError: for a suffix that the overlay cannot have.
    """
    suffix = '.png' if is_image else '.mp4'
    if args.name is not None:
        return (args.out or OUT_FOLDER) / f'{args.name}{suffix}'
    out = args.out or OUT_FOLDER / f'{source.name}{suffix}'
    allowed = sorted(IMAGE_SUFFIXES) if is_image else ['.mp4']
    if out.suffix.lower() not in allowed:
        reason = ' (the input is a video)' if out.suffix.lower() in IMAGE_SUFFIXES else ''
        raise UserError(f'--out {out}: must end in {" or ".join(allowed)}{reason}')
    return out
