"""Write the networks of a model as ONNX files, to run without torch.

mmvseg.deploy runs them with onnxruntime; docs/deploy.md names inputs and outputs for others.

Example:
    mmvseg export minvis_shapes work_dirs/minvis_shapes/iter_1500.pth minvis.onnx --size 96x128
    mmvseg export dvis_online_r50_ytvis21 exported/dvis --dynamic
"""

import argparse

from mmvseg.errors import say

from .arguments import CHECKPOINT_HELP, add_checkpoint_arguments, positive_int
from .cfg_options import add_cfg_options

#: Height and width of the videos that a file takes where nothing else is said.
DEFAULT_SIZE = (720, 1280)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('config', help='config, or name of a published model')
    parser.add_argument('checkpoint', nargs='?', help=f'{CHECKPOINT_HELP}; not after a name')
    parser.add_argument(
        'out', help='file NAME.onnx; a folder for DVIS and TeViT, which are several networks'
    )
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument(
        '--size',
        type=frame_size,
        metavar='HEIGHTxWIDTH',
        help='of the videos, before they are resized as in tests (default: 720x1280)',
    )
    sizes.add_argument('--dynamic', action='store_true', help='take videos of any size')
    parser.add_argument(
        '--frames',
        type=positive_int,
        metavar='N',
        help='TeViT: take clips of exactly N frames (default: of any number)',
    )
    add_checkpoint_arguments(parser)
    add_cfg_options(parser)


def frame_size(text: str) -> tuple[int, int]:
    """Type of ``--size``.

    Raises:
        argparse.ArgumentTypeError: it is no height and width.
    """
    parts = text.lower().split('x')
    if len(parts) != 2 or not all(part.isdecimal() and int(part) for part in parts):
        raise argparse.ArgumentTypeError(f'{text!r} is no HEIGHTxWIDTH, such as 720x1280')
    return int(parts[0]), int(parts[1])


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.deploy.export import export_model
    from mmvseg.engine.launch import allowed_missing

    for file in export_model(
        args.config,
        args.checkpoint,
        args.out,
        args.size or DEFAULT_SIZE,
        args.dynamic,
        args.frames,
        cfg_options=args.cfg_options,
        allow_pickle=args.allow_pickle,
        allow_missing=allowed_missing(args) or (),
    ):
        checked = 'not compared with torch, since onnxruntime is not installed'
        if file.difference is not None:
            checked = f'differs from torch by {file.difference:.0e} at most'
        say(f'{file.path}: {file.nbytes / 1e6:.1f} MB, {checked}')
