"""Say what results lose their points by, and compare results.

What RESULTS is tells the kind of results, and what GT must be:
    kind           RESULTS                          GT
    YouTube-VIS    results.json, submission.zip     GT.json, as for mmvseg evaluate ytvis
    VIPSeg         folder of pred.json, pan_pred/   panoptic_gt_*.json, or the folder with it
    VSPW           folder of VIDEO/FRAME.png        val.txt, or the folder with it

The first line names the main loss. Tables show what mending each kind of error would gain, AP by
group of objects, and the worst errors. --out gets report.json with every number and pictures (SVG).

Of YouTube-VIS also several results:
    two             A and B are compared, video by video, with an interval of each difference
    --seeds         two or more results of one config: mean, range and deviation

Example:
    mmvseg analyze valid.json results.json --out report
    mmvseg analyze valid.json a/results.json b/results.json --min-score 0.3
    mmvseg analyze valid.json run_*/results.json --seeds
"""

import argparse
from pathlib import Path

from .arguments import finite_number
from .parser import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('ground_truth', type=Path, metavar='GT', help='see above')
    parser.add_argument('results', type=Path, nargs='+', metavar='RESULTS', help='see above')
    parser.add_argument('--out', type=Path, help='folder for report.json and pictures')
    parser.add_argument(
        '--seeds', action='store_true', help='the results are of one config with several seeds'
    )
    parser.add_argument(
        '--min-score',
        type=finite_number,
        metavar='X',
        help='YouTube-VIS: leave out results with a score below X, also from AP',
    )
    parser.add_argument(
        '--class-agnostic',
        action='store_true',
        help='YouTube-VIS: take all objects and results for one class, also in AP',
    )
    parser.add_argument('--split', help='VSPW: name of the txt with the videos (default: val)')
    parser.add_argument(
        '--gt-coding',
        choices=['raw', 'zero-based'],
        help='VSPW: values of the masks, see mmvseg evaluate',
    )


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    count = len(args.results)
    if args.seeds and count < 2:
        raise UsageError('--seeds needs two or more RESULTS')
    if count > 2 and not args.seeds:
        raise UsageError(f'two RESULTS are compared, there are {count}; of seeds give --seeds')
    from mmvseg.apis.analyze import analyze

    analyze(args)
