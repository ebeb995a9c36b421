"""Write pages to look at results in a browser, worst videos first.

A page of a video has input, truth and prediction in step, and errors on a bar of time.

All open from disk, without a server. RESULTS is what mmvseg draw takes, too:
    kind           RESULTS                          --ann              --root (default)
    YouTube-VIS    results.json                     val.json           folder of its file_names
    VIPSeg         folder of pred.json, pan_pred/   panoptic_gt_*.json folder of VIDEO/FRAME.jpg
                                                                       (images/ beside --ann)
    Cityscapes-VPS the same, labelled frames only   panoptic_gt_*.json folder of the pictures
                                                                       (SPLIT/img/ beside --ann)
    STEP           folder of SEQUENCE/FRAME.png     folder of maps,    folder of SEQUENCE/FRAME.png
                                                    and --classes      (images/SPLIT/ beside it)
    VSPW           folder of VIDEO/FRAME.png        val.txt            folder of VIDEO/origin/*.jpg
                                                                       (data/ beside --ann)
    your videos    json of mmvseg predict --json,   none               the video, or the folder of
                   or a folder of them                                 videos
Where --ann has annotations, the truth is beside the prediction; of YouTube-VIS, errors are found
and videos ranked by them.

Under --out:
    index.html            all videos: filters by class, kind of error and name
    videos/NAME.html      a video: input, truth and prediction in step, timeline, errors
    videos/NAME.mp4       its frames; .js its masks, .jpg its picture in the list
    videos.js, assets/    what the pages share

With --training, a page of trainings instead: losses, learning rate and validation of all work dirs
in one chart each, from their local logs; also while they run. --out is all that goes with it.

Ctrl-C and SIGTERM keep the pages that are whole and list them; the exit status is 130 or 143.

Example:
    mmvseg show results.json --ann val.json --root val/JPEGImages --out page
    mmvseg show a.json --against b.json --ann val.json --root val/JPEGImages --out page
    mmvseg show tracks.json --root street.mp4 --out page
    mmvseg show --training work_dirs/first work_dirs/second --out page
"""

import argparse
from pathlib import Path

from .arguments import DEFAULT_FPS, add_video_arguments, frame_rate
from .parser import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        'results', type=Path, nargs='?', help='official results.json, folder, or json'
    )
    parser.add_argument(
        '--training',
        type=Path,
        nargs='+',
        metavar='WORK_DIR',
        help='show the curves of these trainings, of no results',
    )
    parser.add_argument('--ann', type=Path, help='annotation file that lists the videos')
    parser.add_argument(
        '--root', type=Path, help='folder of the frames; without --ann the video or videos'
    )
    parser.add_argument(
        '--against', type=Path, metavar='B', help='results of the same kind to compare with'
    )
    parser.add_argument('--out', required=True, type=Path, help='folder to write')
    add_video_arguments(parser, 'show')
    parser.add_argument(
        '--score-thr',
        type=float,
        help='leave out tracks below this score (tracks only, default 0.2)',
    )
    parser.add_argument(
        '--fps',
        type=frame_rate,
        help=f'frame rate of folders of frames (default {DEFAULT_FPS}, that of YouTube-VIS)',
    )


def run(args: argparse.Namespace) -> int:
    """Run the command; returns 130 or 143 if it was stopped.

    Raises:
        UsageError: there is nothing to show, or options of results are given with trainings.
    """
    if args.training:
        unset = (type(None), bool)  # flags are off, for 0 may be given
        given = {name for name, value in vars(args).items() if value or type(value) not in unset}
        if others := sorted(given - {'training', 'out'}):
            raise UsageError(f'--training: does not go with {", ".join(map(_as_given, others))}')
        from mmvseg.apis.show_training import show_training

        show_training(args.training, args.out)
        return 0
    if args.results is None:
        raise UsageError('give RESULTS, or --training with work dirs')
    from mmvseg.apis.show import show
    from mmvseg.apis.stopping import StopWish

    with StopWish() as stop:
        return show(args, stop)


def _as_given(name: str) -> str:
    return 'RESULTS' if name == 'results' else f'--{name.replace("_", "-")}'
