"""Score a results file without a model, as the official evaluator does.

Prints the AP of each class and the mean in percent ('-': no ground truth). --out gets the summary
as JSON: fractions in full precision, -1 where there is no ground truth.

Example:
    python tools/evaluate.py ytvis valid.json results.json --out metrics.json
"""

import argparse
import sys
from pathlib import Path

from mmvseg.errors import command_line
from mmvseg.evaluation.functional.table import ap_tables
from mmvseg.evaluation.functional.youtube_vis_ap import evaluate_youtube_vis
from mmvseg.evaluation.functional.youtube_vis_json import load_ground_truth, load_json
from mmvseg.files import write_json


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('metric', choices=['ytvis', 'ovis'], help='ovis adds occlusion groups')
    parser.add_argument('ground_truth', help='official annotation file')
    parser.add_argument('results', help='official results.json')
    parser.add_argument('--out', type=Path, help='JSON file to write')
    return parser.parse_args()


@command_line
def main() -> None:
    args = parse_args()
    occlusion = args.metric == 'ovis'
    truth = load_ground_truth(args.ground_truth, occlusion)
    if not truth.has_annotations:
        note(f'{args.ground_truth} has no annotations: every number is -1 (undefined)')
    result = evaluate_youtube_vis(truth, load_json(args.results), args.results, occlusion)
    for text in result.notes:
        note(text)
    print(ap_tables(result))
    if args.out:
        write_json(args.out, result.stats())


def note(text: str) -> None:
    print(f'note: {text}', file=sys.stderr)


if __name__ == '__main__':
    main()
