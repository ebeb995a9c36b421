"""A test run: results for an evaluation server, and their scores."""

import argparse
import sys
from pathlib import Path

from mmengine.config import Config

from mmvseg.datasets import dataset_metainfo
from mmvseg.engine import VideoRunner
from mmvseg.engine.config import config_errors, default_work_dir
from mmvseg.engine.distributed import (
    held_folder,
    is_main_process,
    on_main_process,
)
from mmvseg.engine.fingerprint import claim_folder, fingerprint
from mmvseg.engine.launch import (
    data_folder,
    lacks_truth,
    metrics_of,
    panoptic_truth,
    prepare_test,
    start,
)
from mmvseg.errors import say
from mmvseg.evaluation.folder_scores import score_panoptic, score_semantic
from mmvseg.evaluation.instance_rules import InstanceRules, YouTubeVISRules
from mmvseg.evaluation.scores import Scores
from mmvseg.files import SAME_COMMAND, disk_errors, write_json
from mmvseg.formats.results_folder import complete_results, zip_results
from mmvseg.formats.vspw import load_semantic_truth
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import read_results
from mmvseg.hub import find_checkpoint
from mmvseg.registry import DATASETS, METRICS


def test(args: argparse.Namespace) -> None:
    """Test as the arguments of ``mmvseg test`` say.

    Raises:
        UserError: a file is missing or unusable, or the folder holds the results of another run.
    """
    cfg = start(args)
    args.checkpoint = str(find_checkpoint(args.checkpoint, args.allow_pickle))
    ann_file = prepare_test(cfg, args)
    metrics = metrics_of(cfg.test_evaluator)
    annotated = not lacks_truth(cfg.test_dataloader.dataset, metrics)
    if annotated:  # what cannot be scored in the end is refused before the model runs
        on_main_process(lambda: _check_ground_truth(cfg, ann_file, metrics))
    else:
        _remark(f'{ann_file} has no annotations: results are written, but not scored')
    cfg.work_dir = cfg.get('work_dir') or default_work_dir(cfg)
    out_dir = Path(args.out or Path(cfg.work_dir) / 'results')
    cfg.test_cfg.out_dir = str(out_dir)
    if args.precision:
        cfg.test_cfg.precision = args.precision
    if args.window is not None:
        cfg.test_dataloader.dataset.window_size = args.window
    with held_folder(out_dir, 'give another --out'):
        on_main_process(
            lambda: claim_folder(out_dir, fingerprint(cfg, args.checkpoint, ann_file), args.restart)
        )
        # scored below from the files, which also hold what an interrupted run finished
        cfg.test_evaluator = []
        if results := complete_results(out_dir):
            _remark(f'{results} is complete already (--restart to make it anew)')
        else:
            with config_errors(cfg), disk_errors(Path(cfg.work_dir), SAME_COMMAND):
                VideoRunner.from_cfg(cfg).test()
        if is_main_process():
            results = complete_results(out_dir)
            say(f'results: {results}')
            if args.zip:
                say(f'for the evaluation server: {zip_results(out_dir)}')
            if annotated:
                _report(_score(cfg, ann_file, results, metrics), results)


def _check_ground_truth(cfg: Config, ann_file: Path, metrics: list[dict]) -> None:
    dataset = cfg.test_dataloader.dataset
    tasks = getattr(DATASETS.get(dataset.type), 'tasks', ())
    if 'vis' in tasks:
        _rules(metrics, ann_file)
    elif 'vps' in tasks:
        panoptic_truth(dataset)
    elif 'vss' in tasks:
        load_semantic_truth(ann_file, data_folder(dataset, 'mask'))


def _score(cfg: Config, ann_file: Path, results: Path, metrics: list[dict]) -> Scores | None:
    dataset = cfg.test_dataloader.dataset
    tasks, meta = DATASETS.get(dataset.type).tasks, dataset_metainfo(dataset)
    if 'vps' in tasks:
        return score_panoptic(panoptic_truth(dataset), results.parent)
    if 'vss' in tasks:
        names = dict(zip(meta['category_ids'], meta['classes'], strict=True))
        return score_semantic(ann_file, data_folder(dataset, 'mask'), results.parent, names)
    found = read_results(results)
    if not found:
        return None
    scores = [r.score(found, str(results), meta['category_ids']) for r in _rules(metrics, ann_file)]
    return Scores(
        numbers={name: value for part in scores for name, value in part.numbers.items()},
        tables='\n'.join(part.tables for part in scores),
        notes=[note for part in scores for note in part.notes],
    )


def _rules(metrics: list[dict], ann_file: Path) -> list[InstanceRules]:
    """The rules of the metrics of instances; those of YouTube-VIS where there is none."""
    kinds = [(METRICS.get(metric['type']), metric) for metric in metrics]
    found = [kind.rules_of(m, ann_file) for kind, m in kinds if hasattr(kind, 'rules_of')]
    return found or [YouTubeVISRules(read_youtube_vis(ann_file))]


def _report(scores: Scores | None, results: Path) -> None:
    if scores is None:
        _remark(
            f'nothing was predicted in any video: {results} is empty, there is nothing to score'
        )
        return
    for note in scores.notes:
        _remark(note)
    say(scores.tables)
    metrics = results.parent / 'metrics.json'
    write_json(metrics, scores.numbers)
    say(f'numbers: {metrics}')


def _remark(text: str) -> None:
    if is_main_process():
        say(text, sys.stderr)
