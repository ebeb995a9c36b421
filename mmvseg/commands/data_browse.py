"""Write a page to look through a data set in a browser.

It has a sheet of frames of each video with its objects, charts of what the videos and objects are
like, filters by the same, and what mmvseg check finds beside the video that it concerns. It opens
from disk, without a server. ANNOTATIONS is a file in the form of YouTube-VIS, or of COCO's
instances (each image as a video of one frame); what of it is faulty is left out and said.

Without --root the objects are drawn on grey. Sheets of videos that have not changed are kept, so
that the same command goes on after Ctrl-C or SIGTERM, which keep what is done; the exit status is
130 or 143.

Under --out:
    index.html            all videos
    sheets/               a picture of each video, and what is wrong with its frames
    dataset.js, assets/   what the page needs

Example:
    mmvseg data browse data/shapes/train.json --root data/shapes/train/JPEGImages --out page
"""

import argparse
from pathlib import Path

from .arguments import add_video_arguments, positive_int

#: On a sheet.
FRAMES = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('annotations', type=Path, help='annotation file')
    parser.add_argument(
        '--root', type=Path, help="folder of the file's file_names (default: draw on grey)"
    )
    parser.add_argument('--out', required=True, type=Path, help='folder to write')
    parser.add_argument(
        '--frames',
        type=positive_int,
        default=FRAMES,
        metavar='N',
        help=f'frames on a sheet, spread evenly (default {FRAMES})',
    )
    parser.add_argument(
        '--no-check',
        action='store_true',
        help='open only the frames on the sheets, not all to find what is wrong with them (faster)',
    )
    add_video_arguments(parser, 'show')


def run(args: argparse.Namespace) -> int:
    """Run the command; returns 130 or 143 if it was stopped."""
    from mmvseg.apis.browse import browse
    from mmvseg.apis.stopping import StopWish

    with StopWish() as stop:
        return browse(args, stop)
