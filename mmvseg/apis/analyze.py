"""Why results score as they do: files in, text and a folder of numbers and pictures out."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmvseg.analysis.track_analysis import Selection, TrackAnalysis, analyze_tracks
from mmvseg.analysis.track_tables import track_tables
from mmvseg.errors import UserError, one_line, say
from mmvseg.formats.results_kind import results_task
from mmvseg.formats.submissions import unpacked
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import read_results

from .report_folder import check_report_folder, write_report

#: Pictures by name, drawn from a report.
Charts = Callable[[Mapping[str, Any]], dict[str, bytes]]


@dataclass
class Report:
    """What an analysis gives.

    Attributes:
        numbers: as ``report.json`` has them.
        text: for the terminal.
        notes: what was counted in a way that few expect, one sentence each.
        charts: makes the pictures.
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
    tasks = {results_task(path) for path in args.results}
    if len(tasks) > 1:
        raise UserError(f'{args.results[1]}: is of another kind than {args.results[0]}')
    task = tasks.pop()
    _check_options(args, task)
    if args.out:
        check_report_folder(args.out, [args.ground_truth, *args.results])
    report = ANALYSES[task](args)
    for note in report.notes:
        say(f'note: {one_line(note)}', sys.stderr)
    say(report.text)
    if args.out:
        write_report(args.out, report.numbers, report.charts)
        say(f'{args.out}: report.json and pictures')


def _check_options(args: argparse.Namespace, task: str) -> None:
    """Refuse options that would do nothing."""
    given = {
        '--min-score': ('vis', args.min_score is not None),
        '--class-agnostic': ('vis', args.class_agnostic),
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
    from .report_charts import track_charts

    truth = read_youtube_vis(args.ground_truth)
    selection = Selection(args.min_score, args.class_agnostic)

    def analyzed(path: Path) -> TrackAnalysis:
        with unpacked(path, 'results.json') as found:
            results = read_results(found / 'results.json' if found != path else found)
        return analyze_tracks(truth, results, str(path), selection)

    runs = [analyzed(path) for path in args.results]
    numbers = runs[0].numbers()
    return Report(numbers, track_tables(numbers), _notes(runs), track_charts)


def _notes(runs: Iterable[TrackAnalysis]) -> list[str]:
    return [*dict.fromkeys(note for run in runs for note in run.notes)]


ANALYSES = dict(vis=_tracks)
