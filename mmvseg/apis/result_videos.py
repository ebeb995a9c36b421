"""The videos of files of results, whatever their task, as the commands' arguments name them."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmvseg.errors import UserError
from mmvseg.formats.panoptic import frame_folder

from .map_folders import load_panoptic_results, load_semantic_results
from .results_file import ResultVideo, load_results


def frames_root(args: argparse.Namespace, task: str) -> Path:
    """The folder of the frames: ``--root``, or where it usually is beside ``--ann``.

    Raises:
        UserError: none is given and there is no usual one.
    """
    if args.root is not None:
        return args.root
    if task == 'vis':
        raise UserError('--root: needed to find the frames of a results.json')
    return frame_folder(args.ann) if task == 'vps' else args.ann.parent / 'data'


def load_videos(
    args: argparse.Namespace, task: str, results: Path
) -> tuple[Mapping[str, Any], list[ResultVideo]]:
    """The metainfo of the classes, and the videos in the order of the annotation file.

    Args:
        args: of a command, with ``ann``, ``root``, ``video``, ``classes`` and
            ``allow_outside_root``.
        task: kind of the results.
        results: file or folder.

    Raises:
        UserError: a file is missing or unusable, or an option does not fit.
    """
    if args.classes and task != 'vps':
        raise UserError(f'--classes: has no meaning for {results}; leave it out')
    files = results, args.ann, frames_root(args, task), args.video, args.allow_outside_root
    if task == 'vps':
        return load_panoptic_results(*files, classes=args.classes)
    return load_results(*files) if task == 'vis' else load_semantic_results(*files)
