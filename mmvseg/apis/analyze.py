"""Why results score as they do: files in, text and a folder of numbers and pictures out."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmvseg.analysis.comparison import compare
from mmvseg.analysis.comparison_tables import comparison_tables, seed_tables
from mmvseg.analysis.seeds import compare_seeds
from mmvseg.analysis.track_analysis import Selection, TrackAnalysis, analyze_tracks
from mmvseg.analysis.track_tables import track_tables
from mmvseg.errors import UserError, one_line, say
from mmvseg.formats.results_kind import packed_task
from mmvseg.formats.submissions import unpacked
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import read_results

from .report_charts import (
    comparison_charts,
    panoptic_charts,
    seed_charts,
    semantic_charts,
    track_charts,
)
from .report_folder import check_report_folder, write_report

if TYPE_CHECKING:
    from mmvseg.analysis.panoptic import PanopticAnalysis
    from mmvseg.analysis.semantic import SemanticAnalysis

# What other tasks need is imported in their functions: reading pictures takes OpenCV and PyAV.

#: Draws the pictures of a report, by name.
Charts = Callable[[Mapping[str, Any]], dict[str, bytes]]


@dataclass
class Report:
    """What an analysis gives.

    Attributes:
        numbers: as ``report.json`` has them.
        text: for the terminal.
        notes: what was counted in a way that few expect, one sentence each.
        charts: draws its pictures.
    """

    numbers: dict[str, Any]
    text: str
    notes: list[str]
    charts: Charts


def analyze(args: argparse.Namespace) -> None:
    """Analyze results as the arguments of ``mmvseg analyze`` say.

    Raises:
        UserError: a file is missing or unusable, or the options do not fit the results.
    """
    task = _task(args.results)
    _check_options(args, task)
    if args.out:
        check_report_folder(args.out, [args.ground_truth, *args.results])
    report = ANALYSES[task](args)
    for note in report.notes:
        say(f'note: {one_line(note)}', sys.stderr)
    say(report.text)
    if args.out:
        write_report(args.out, report.numbers, report.charts(report.numbers))
        say(f'{args.out}: report.json and pictures')


def _task(results: Sequence[Path]) -> str:
    """The task that all results are of."""
    for path in results:
        if not path.exists():
            raise UserError(f'{path}: there is no such file or folder')
        if packed_task(path) != packed_task(results[0]):
            raise UserError(f'{path}: is of another kind than {results[0]}')
    return packed_task(results[0])


def _check_options(args: argparse.Namespace, task: str) -> None:
    """Refuse options that would do nothing."""
    given = {
        '--min-score': ('vis', args.min_score is not None),
        '--class-agnostic': ('vis', args.class_agnostic),
        '--split': ('vss', args.split is not None),
        '--gt-coding': ('vss', args.gt_coding is not None),
    }
    for option, (of_task, is_given) in given.items():
        if is_given and task != of_task:
            raise UserError(f'{option}: has no meaning for {args.results[0]}; leave it out')
    if len(args.results) > 1 and task != 'vis':
        raise UserError(
            f'{args.results[1]}: only results of YouTube-VIS are compared; analyze one at a time'
        )


def _tracks(args: argparse.Namespace) -> Report:
    truth = read_youtube_vis(args.ground_truth)
    selection = Selection(args.min_score, args.class_agnostic)

    def analyzed(path: Path) -> TrackAnalysis:
        with unpacked(path, 'results.json') as found:
            results = read_results(found / 'results.json' if found != path else found)
        return analyze_tracks(truth, results, str(path), selection)

    runs = [analyzed(path) for path in args.results]
    notes = [*dict.fromkeys(note for run in runs for note in run.notes)]
    reports = [run.numbers() for run in runs]
    if len(runs) == 1:
        return Report(reports[0], track_tables(reports[0]), notes, track_charts)
    records = [run.record for run in runs]
    if args.seeds:
        numbers = dict(runs=reports, seeds=compare_seeds(records))
        return Report(numbers, seed_tables(numbers), notes, seed_charts)
    a, b = reports
    numbers = dict(A=a, B=b, comparison=compare(*records).numbers())
    return Report(numbers, comparison_tables(numbers), notes, comparison_charts)


def _panoptic(args: argparse.Namespace) -> Report:
    from mmvseg.analysis.panoptic import analyze_panoptic
    from mmvseg.formats.panoptic import find_truth, panoptic_form
    from mmvseg.formats.vipseg import read_vipseg
    from mmvseg.formats.vipseg_results import load_results

    path = find_truth(args.ground_truth)
    if panoptic_form(path) != 'vipseg':
        raise UserError(f'{path}: of panoptic data only the form of VIPSeg is analyzed')
    truth = read_vipseg(path, path.parent / 'panomasksRGB')
    with unpacked(args.results[0], 'pred.json') as folder:
        analysis = analyze_panoptic(truth, load_results(folder, truth))
    return _map_report(args, analysis, panoptic_charts)


def _semantic(args: argparse.Namespace) -> Report:
    from mmvseg.analysis.semantic import analyze_semantic
    from mmvseg.formats.vspw import find_split, load_semantic_truth

    split = find_split(args.ground_truth, args.split)
    truth = load_semantic_truth(split, split.parent / 'data')
    with unpacked(args.results[0], '*/*.png') as folder:
        analysis = analyze_semantic(truth, folder, args.gt_coding or 'raw')
    return _map_report(args, analysis, semantic_charts)


def _map_report(
    args: argparse.Namespace, analysis: 'PanopticAnalysis | SemanticAnalysis', charts: Charts
) -> Report:
    names = dict(ground_truth=str(args.ground_truth), results=str(args.results[0]))
    text = f'{analysis.sentence()}.\n{analysis.tables()}'
    return Report(names | analysis.numbers(), text, analysis.notes(), charts)


ANALYSES = dict(vis=_tracks, vps=_panoptic, vss=_semantic)
