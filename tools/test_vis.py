"""Write results.json and the submission zip: ``python tools/test_vis.py CONFIG CHECKPOINT``.

Results reach the disk video by video. Started again, an interrupted run goes on where it was.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from mmengine.dist import get_rank

from mmvseg.datasets import YouTubeVISDataset, dataset_metainfo
from mmvseg.engine import VideoRunner
from mmvseg.engine.config import config_errors, default_work_dir
from mmvseg.engine.distributed import on_main_process
from mmvseg.engine.fingerprint import claim_folder, fingerprint
from mmvseg.engine.launch import (
    add_common_arguments,
    add_data_arguments,
    lacks_annotations,
    positive_int,
    prepare_test,
    start,
)
from mmvseg.errors import command_line
from mmvseg.evaluation.functional.table import ap_tables
from mmvseg.evaluation.functional.youtube_vis_ap import evaluate_youtube_vis, restrict_categories
from mmvseg.evaluation.functional.youtube_vis_json import load_ground_truth, load_json
from mmvseg.evaluation.results_folder import complete_results, zip_results
from mmvseg.files import write_json
from mmvseg.registry import DATASETS, METRICS


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument('--out', help='folder of the results (default: work_dirs/CONFIG/results)')
    parser.add_argument(
        '--zip',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='write the zip for the evaluation server, too',
    )
    parser.add_argument(
        '--window', type=positive_int, metavar='FRAMES', help='frames loaded at a time'
    )
    parser.add_argument('--fp16', action='store_true', help='half precision (CPU: bfloat16)')
    parser.add_argument('--restart', action='store_true', help='throw away what --out holds')
    add_data_arguments(parser)
    add_common_arguments(parser)
    return parser.parse_args()


def say(text: str) -> None:
    if get_rank() == 0:
        print(text, file=sys.stderr, flush=True)


@command_line
def main() -> None:
    args = parse_args()
    cfg = start(args)
    ann_file = prepare_test(cfg, args)
    annotated = not lacks_annotations(cfg.test_dataloader.dataset)
    if not annotated:
        say(f'{ann_file} has no annotations: results are written, AP is not computed')
    cfg.work_dir = cfg.get('work_dir') or default_work_dir(cfg)
    out_dir = Path(args.out or Path(cfg.work_dir) / 'results')
    cfg.test_cfg.update(out_dir=str(out_dir), fp16=args.fp16 or cfg.test_cfg.get('fp16', False))
    if args.window is not None:
        cfg.test_dataloader.dataset.window_size = args.window
    on_main_process(
        lambda: claim_folder(out_dir, fingerprint(cfg, args.checkpoint, ann_file), args.restart)
    )
    # scored below from the file, which also holds what an interrupted run finished
    evaluator, cfg.test_evaluator = cfg.test_evaluator, []
    if results := complete_results(out_dir):
        say(f'{results} is complete already (--restart to make it anew)')
    else:
        with config_errors(cfg):
            VideoRunner.from_cfg(cfg).test()
    if get_rank() == 0:
        print(f'results: {out_dir / "results.json"}')
        if args.zip:
            print(f'for the evaluation server: {zip_results(out_dir)}')
        if annotated:
            used = used_categories(cfg.test_dataloader.dataset)
            score(out_dir, ann_file, has_occlusion(evaluator), used)


def score(
    out_dir: Path, ann_file: Path, occlusion: bool, category_ids: Iterable[int] | None
) -> None:
    truth = load_ground_truth(ann_file, occlusion)
    if category_ids is not None:
        truth = restrict_categories(truth, category_ids)
    results, metrics = out_dir / 'results.json', out_dir / 'metrics.json'
    entries = load_json(results)
    if entries == []:
        say(f'nothing was predicted in any video: {results} is empty, there is nothing to score')
        return
    result = evaluate_youtube_vis(truth, entries, str(results), occlusion)
    for note in result.notes:
        say(note)
    print(ap_tables(result))
    write_json(metrics, result.stats())
    print(f'numbers: {metrics}')


def used_categories(dataset: dict) -> tuple[int, ...] | None:
    """Ids of the categories that a dataset config uses; None if its kind does not tell."""
    kind = DATASETS.get(dataset['type'])
    if not (isinstance(kind, type) and issubclass(kind, YouTubeVISDataset)):
        return None
    return dataset_metainfo(dataset)['category_ids']


def has_occlusion(evaluator: dict | list[dict]) -> bool:
    evaluators = evaluator if isinstance(evaluator, list) else [evaluator]
    return any(getattr(METRICS.get(e['type']), 'occlusion', False) for e in evaluators)


if __name__ == '__main__':
    main()
