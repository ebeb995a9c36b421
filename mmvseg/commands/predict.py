"""Segment a video and draw the result.

What is drawn follows from the model's task:
    vis  objects: one colour a track, with class, id and score
    vps  every pixel's segment: things with class, id and score, stuff with its class
    vss  every pixel's class, with a legend below

INPUT is a video file, a folder of frames, an image, a quoted pattern such as "frames/*.jpg", the
number of a camera, the address of a stream (rtsp://, http://, udp:// ...), or - for a pipe.
The overlay is an H.264 mp4 of the input's size and times (an image gives a PNG). For vps and
vss, frames smaller than 400 pixels are enlarged so that names can be read; a legend comes on top.

The sound of a video file is kept. Ctrl-C and SIGTERM keep what is done: the results of the frames
so far are written, and the exit status is 130 or 143.

With --live each frame is segmented, written and shown as soon as it is there, without sound; Ctrl-C
ends it, with status 0.

Of several inputs, or a folder of videos, each has its own files in the folders that --out, --json,
--csv and --maps name. One that cannot be read is reported, and the others are segmented; the exit
status is 1.

--example needs no arguments: a small model and a clip that ship with mmvseg, to see at once what is
drawn.

Example:
    mmvseg predict --example
    mmvseg predict street.mp4 --model tevit_msgshift
    mmvseg predict street.mp4 configs/tevit/tevit_msgshift.py tevit_msgshift.pth
    mmvseg predict videos/ --model tevit_msgshift --out drawn --csv tables --classes person dog
"""

import argparse
from pathlib import Path

from .arguments import (
    CHECKPOINT_HELP,
    DEFAULT_FPS,
    LAUNCHERS,
    add_checkpoint_arguments,
    add_precision,
    frame_rate,
    positive_int,
)
from .cfg_options import add_cfg_options
from .parser import UsageError

#: What configs and checkpoints end in, but no videos.
_MODEL_SUFFIXES = ('.py', '.pth', '.pkl', '.safetensors')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.usage = (
        '%(prog)s INPUT [INPUT ...] (--model MODEL | CONFIG CHECKPOINT) [options]\n'
        '       %(prog)s --example [options]'
    )
    parser.add_argument(
        'inputs',
        nargs='*',
        metavar='INPUT',
        help='video file, folder of frames, image, quoted pattern, camera, stream or -; several of '
        'them, or a folder of videos, are segmented one after the other; without --model, the last '
        f'two are CONFIG, that of the model, and CHECKPOINT, its weights: {CHECKPOINT_HELP}',
    )
    parser.add_argument(
        '--model',
        help='in place of config and checkpoint: the name of a published model (mmvseg models '
        'lists them), or a checkpoint of mmvseg, which notes its config: path, https://... or '
        'hf:USER/REPO/FILE',
    )
    parser.add_argument(
        '--example',
        action='store_true',
        help='in place of all these: a small model and a clip that ship with mmvseg',
    )
    parser.add_argument(
        '--out',
        type=Path,
        help='overlay to write (default: work_dirs/demo/NAME.mp4 or .png); of several videos the '
        'folder for NAME.mp4, and so --json, --csv and --maps',
    )
    parser.add_argument(
        '--json',
        type=Path,
        help='also write what was found. vis: entries of results.json with class names; vps: '
        'segments, vss: classes, each with its area in every frame; all with the seconds of the '
        'frames; with --live, one JSON object a frame and line',
    )
    parser.add_argument(
        '--csv',
        type=Path,
        help='also write a table, a row a track and frame: video, frame, seconds, track_id, '
        'category_id, category, score, x1, y1, x2, y2, area',
    )
    parser.add_argument(
        '--maps',
        type=Path,
        metavar='FOLDER',
        help='also write a PNG a frame: number of the track + 1 or of the segment (0 = none), or '
        'class id',
    )
    parser.add_argument(
        '--score-thr',
        type=float,
        help='leave out tracks (vis, default 0.2) or segments (vps, default: none) below this '
        'score, in overlay, json and maps',
    )
    parser.add_argument(
        '--all-tracks',
        action='store_true',
        help='also keep tracks that show the object of a better one again (vis)',
    )
    parser.add_argument(
        '--classes',
        nargs='+',
        action='extend',
        metavar='NAME',
        help='leave out all other classes, in overlay, json, csv and maps; give it behind the '
        'positional arguments',
    )
    parser.add_argument('--device', help='e.g. cpu or cuda:1 (default: the GPU if there is one)')
    add_precision(parser)
    parser.add_argument(
        '--fps',
        type=frame_rate,
        help=f'frame rate of a folder of frames (default {DEFAULT_FPS}); videos keep theirs',
    )
    parser.add_argument(
        '--range',
        type=float,
        nargs=2,
        metavar=('LOW', 'HIGH'),
        help='of pictures of 16 bits, the values that become black and white (default: those of '
        'the smallest number of bits that holds all frames)',
    )
    parser.add_argument(
        '--live', action='store_true', help='frame by frame, for models that need not wait'
    )
    parser.add_argument(
        '--show', action='store_true', help='with --live, show a window, and no mp4 unless --out'
    )
    parser.add_argument('--max-frames', type=positive_int, help='stop after so many frames')
    parser.add_argument(
        '--no-audio', action='store_true', help='leave the sound of a video file out'
    )
    parser.add_argument(
        '--launcher',
        choices=LAUNCHERS,
        default='none',
        help='what started the processes that share several videos',
    )
    add_checkpoint_arguments(parser)
    add_cfg_options(parser)


def run(args: argparse.Namespace) -> int:
    """Run the command; returns 130 or 143 if it was stopped."""
    if args.show and not args.live:
        raise UsageError('--show needs --live')
    if args.csv and args.live:
        raise UsageError('--csv is for whole videos; with --live, give --json')
    if args.example:
        _take_example(args)
    tell_apart(args)
    from mmvseg.apis.predict_videos import predict_videos
    from mmvseg.apis.stopping import StopWish
    from mmvseg.engine.distributed import distributed_command_line

    def main() -> int:
        with StopWish() as stop:
            return predict_videos(args, stop)

    return distributed_command_line(main)()


def _take_example(args: argparse.Namespace) -> None:
    """Let the arguments name the clip and the model that ship with the package.

    Raises:
        UsageError: they name something else, too.
    """
    from mmvseg.examples import CHECKPOINT, CLIP, NAME

    if args.inputs or args.model:
        raise UsageError(
            '--example brings its own video and model: leave the other ones out; to use its model '
            f'on your video: INPUT --model {NAME}'
        )
    args.inputs, args.model = [str(CLIP)], str(CHECKPOINT)


def tell_apart(args: argparse.Namespace) -> None:
    """Without ``--model``, the last two positional arguments are config and checkpoint.

    Raises:
        UsageError: there is no input, no model, or there are two.
    """
    args.config = args.checkpoint = None
    if not args.inputs:
        raise UsageError('give INPUT, or --example to see one')
    if args.model is None:
        if len(args.inputs) < 3:
            raise UsageError('give --model MODEL (mmvseg models lists them), or CONFIG CHECKPOINT')
        *args.inputs, args.config, args.checkpoint = args.inputs
    elif any(given.endswith(_MODEL_SUFFIXES) for given in args.inputs):
        raise UsageError('give --model MODEL or CONFIG CHECKPOINT, not both')
