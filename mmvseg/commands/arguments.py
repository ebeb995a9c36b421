"""Arguments that several commands share. Nothing here needs torch: help has to come at once."""

import argparse
import math
from fractions import Fraction

from .cfg_options import add_cfg_options

LAUNCHERS = ('none', 'pytorch', 'slurm', 'mpi')
#: As in mmvseg.models.precision.
PRECISIONS = ('fp32', 'auto', 'fp16', 'bf16')
#: As in mmvseg.formats.step.
STEP_CLASSES = ('kitti_step', 'motchallenge_step')
#: As in mmvseg.media, which needs OpenCV and PyAV.
DEFAULT_FPS = 6
CHECKPOINT_HELP = 'file, https://..., hf:USER/REPO/FILE, or the name of a published model'


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of training and testing alike."""
    parser.add_argument('--device', help='cpu, cuda or cuda:N (default: a GPU if there is one)')
    parser.add_argument(
        '--launcher', choices=LAUNCHERS, default='none', help='what started the processes'
    )
    # set by launchers of before torchrun
    parser.add_argument('--local-rank', '--local_rank', type=int, help=argparse.SUPPRESS)
    add_checkpoint_arguments(parser)
    add_cfg_options(parser)


def add_checkpoint_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that let a checkpoint be loaded which is refused otherwise."""
    parser.add_argument(
        '--allow-pickle',
        action='store_true',
        help='load checkpoints that need unpickling, which can run code hidden in them',
    )
    parser.add_argument(
        '--allow-missing',
        nargs='*',
        metavar='PREFIX',
        help='parts of the model that may stay unfilled (without PREFIX: all)',
    )


def add_precision(parser: argparse.ArgumentParser) -> None:
    """The argument that lets a model infer in half precision."""
    precision = parser.add_mutually_exclusive_group()
    precision.add_argument(
        '--precision',
        choices=PRECISIONS,
        help='what the model computes in; auto: fp16 on a GPU, bf16 on a CPU (default: '
        'test_cfg.precision of the config, else fp32)',
    )
    precision.add_argument(
        '--fp16', dest='precision', action='store_const', const='auto', help='--precision auto'
    )


def positive_int(text: str) -> int:
    """Type of an argument that counts something.

    Raises:
        argparse.ArgumentTypeError: it is not a whole number of at least 1.
    """
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f'{text!r} is not a whole number of at least 1')
    return number


def finite_number(text: str) -> float:
    """Type of an argument that is compared with numbers.

    Raises:
        argparse.ArgumentTypeError: it is no number, infinite or not a number.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f'{text!r} is not a finite number')
    return number


def frame_rate(text: str) -> Fraction:
    """Type of an argument that is a frame rate, see :func:`mmvseg.media.parse_fps`."""
    from mmvseg.media import parse_fps

    return parse_fps(text)


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that name the data to test on."""
    parser.add_argument(
        '--json', help="annotation file; of VSPW the list of videos (default: the config's)"
    )
    parser.add_argument(
        '--root', help="folder of its frames, data_prefix.img (default: the config's)"
    )
    parser.add_argument(
        '--masks', help="folder of its masks, data_prefix.mask (default: the config's)"
    )


def add_step_classes(parser: argparse._ActionsContainer) -> None:
    """The argument that says what classes the maps of a STEP data set hold."""
    parser.add_argument(
        '--classes',
        choices=STEP_CLASSES,
        help='STEP: the classes of the maps (default: those of a categories.json beside the folder '
        'of the maps)',
    )


def add_video_arguments(parser: argparse.ArgumentParser, verb: str) -> None:
    """Arguments that choose the videos of results, and say how their frames are read.

    Args:
        parser: of the command.
        verb: what the command does with videos.
    """
    parser.add_argument(
        '--allow-outside-root',
        action='store_true',
        help=f'also {verb} frames that file names or links lead to outside of --root',
    )
    parser.add_argument(
        '--video', action='append', help=f'{verb} this video only: its id or name; may be repeated'
    )
    parser.add_argument(
        '--first', type=positive_int, metavar='N', help=f'{verb} the first N videos only'
    )
    add_step_classes(parser)
    parser.add_argument(
        '--range',
        type=float,
        nargs=2,
        metavar=('LOW', 'HIGH'),
        help='of frames of 16 bits, the values that become black and white (default: 0 65535)',
    )
