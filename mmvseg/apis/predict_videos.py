"""One or several videos in a run: the model is loaded once, and processes share the videos."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.device import get_device
from mmengine.dist import get_rank, get_world_size
from torch.distributed import all_gather_object

from mmvseg.engine.console import hide_irrelevant_warnings
from mmvseg.engine.device import use_device
from mmvseg.engine.distributed import init_distributed
from mmvseg.errors import UserError, say
from mmvseg.media import DamagedVideoWarning, each_video, without_password
from mmvseg.media.images import IMAGE_SUFFIXES

from .predict import build_inferencer, predict, predict_with
from .stopping import StopWish

#: How long a process that is done waits for the others, whose videos may be long.
_PATIENCE_S = 7 * 24 * 3600
#: What is written of a video, and how its file in a folder ends; maps have a folder of their own.
_OUTPUTS = dict(json='.json', csv='.csv', maps='')


def predict_videos(args: argparse.Namespace, stop: StopWish) -> int:
    """Segment and draw what the arguments of ``mmvseg predict`` name.

    Returns:
        The exit status, 1 if one of several videos could not be read as a whole.

    Raises:
        UserError: a file is missing or unusable; of one video also if it broke off.
    """
    hide_irrelevant_warnings()
    # Reported when all of a video is written.
    warnings.simplefilter('ignore', DamagedVideoWarning)
    inputs = [str(given) for given in each_video(args.inputs)]
    if inputs == args.inputs and len(inputs) == 1:
        if args.launcher != 'none':
            raise UserError(f'--launcher {args.launcher}: processes share videos; there is one')
        return predict(one_video(args, inputs[0]), stop)
    return _predict_several(args, inputs, stop)


def one_video(args: argparse.Namespace, given: str, name: str | None = None) -> argparse.Namespace:
    """The arguments for one of the videos.

    Args:
        args: those of the run.
        given: the input.
        name: of its files in the folders that the options name; None: the options name files.
    """
    outputs = {
        option: folder / f'{name}{suffix}'
        for option, suffix in _OUTPUTS.items()
        if name is not None and (folder := getattr(args, option)) is not None
    }
    return argparse.Namespace(**(vars(args) | dict(input=given, name=name) | outputs))


def _predict_several(args: argparse.Namespace, inputs: Sequence[str], stop: StopWish) -> int:
    _check_folders(args)
    args.inputs = list(inputs)  # none of which may be written over
    device = _join_processes(args)
    args.device = device or args.device
    if get_rank() == 0:
        _note_pictures(args.inputs)
    jobs = list(zip(inputs, unique_names(inputs), strict=True))[get_rank() :: get_world_size()]
    inferencer, failed, done = build_inferencer(args), 0, 0
    for given, name in jobs:
        if stop.number:
            break
        try:
            predict_with(one_video(args, given, name), inferencer, stop)
        except UserError as error:
            say(f'error: {error}', sys.stderr)
            failed += 1
        done += 1
    if args.launcher != 'none':
        # Who ends earlier with an error would end the others.
        counts: list[tuple[int, int]] = [(0, 0)] * get_world_size()
        all_gather_object(counts, (failed, done))
        failed, done = (sum(column) for column in zip(*counts, strict=True))
    if get_rank() == 0:
        problems = f', {failed} of them with an error' if failed else ''
        say(f'{done} of {len(inputs)} videos{problems}', sys.stderr if failed else None)
    return stop.status or int(failed > 0)


def _join_processes(args: argparse.Namespace) -> str | None:
    """Start the process group of a launcher; returns the GPU of this process, if it has one."""
    if args.launcher == 'none':
        return None
    if args.device not in (None, 'cpu', 'cuda'):
        raise UserError(f'--device {args.device}: with a launcher each process takes its own GPU')
    use_device(args.device)
    init_distributed(args.launcher, _PATIENCE_S)
    return f'cuda:{torch.cuda.current_device()}' if get_device() == 'cuda' else 'cpu'


def _check_folders(args: argparse.Namespace) -> None:
    for option in ('out', *_OUTPUTS):
        folder: Path | None = getattr(args, option)
        if folder is None:
            continue
        # a file's name that was meant for one video would become a folder unseen
        if folder.suffix.lower() in {'.mp4', '.json', '.csv', '.jsonl', *IMAGE_SUFFIXES}:
            raise UserError(f'--{option} {folder}: of several videos, give the name of a folder')
        if folder.exists() and not folder.is_dir():
            raise UserError(f'--{option} {folder}: is no folder; of several videos, give a folder')


def _note_pictures(inputs: Sequence[str]) -> None:
    """A pattern without quotes is many pictures."""
    if all(Path(given).suffix.lower() in IMAGE_SUFFIXES for given in inputs):
        say(
            f'note: {len(inputs)} pictures, each by itself; as the frames of one video, give their '
            'folder, or a pattern in quotes',
            sys.stderr,
        )


def unique_names(inputs: Sequence[str]) -> list[str]:
    """A name of each video for files in one folder, by the input alone.

    Example:
        >>> unique_names(['day/street.mp4', 'night/street.mp4', 'frames/*.jpg', 'https://a/b.mp4?c=d'])
        ['street', 'street_2', 'frames', 'b']
    """
    names: list[str] = []
    taken: set[str] = set()
    for given in inputs:
        # some file systems do not tell a from A
        name = base = _name(given)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f'{base}_{number}'
        taken.add(name.casefold())
        names.append(name)
    return names


def _name(given: str) -> str:
    path = Path(without_password(given).rstrip('/'))
    if os.path.isdir(path):
        return path.resolve().name
    if not os.path.exists(path) and any(character in path.name for character in '*?%'):
        return path.parent.name or 'frames'
    return path.stem.lstrip('.') or 'video'
