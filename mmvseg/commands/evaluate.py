"""Score results without a model, as the official evaluators do.

    ytvis, ovis  GT.json RESULTS.json         AP of instances; ovis adds occlusion groups
    lvvis        GT.json RESULTS.json         AP as in LV-VIS, base and novel classes apart
    davis        GT.json RESULTS.json         J and F of objects without classes
    ytvis22      GT RESULTS.json              AP of short and long videos, and the mean: GT is a
                                              folder with gt_short.json and gt_long.json
    burst        GT.json RESULTS.json         HOTA of BURST, class by class
    hota         GT.json RESULTS.json         HOTA, MOTA, IDF1, id switches of the same files
    vpq, stq     GT PRED                      panoptic, see below
    vss          GT PRED                      semantic: GT is a folder with val.txt and data/ (or
                                              the txt in it), PRED one with <video>/<frame>.png

What GT is tells the panoptic data set:
    VIPSeg           folder with panoptic_gt_*_val.json and panomasksRGB/, or the json in it; PRED
                     is a folder with pred.json and pan_pred/
    Cityscapes-VPS   the same with val/panoptic_video/; only vpq
    STEP             folder of maps, SEQUENCE/FRAME.png; PRED one of maps of the same names; name
                     the classes with --classes

PRED and RESULTS.json may also be the submission.zip of mmvseg test that holds them.

Prints tables in percent ('-': nothing to measure). --out gets the summary as JSON in full
precision: fractions, but VPQ in percent as its official script has it. Undefined numbers are -1 for
AP and AR, as officially, else null; a note says why. For hota --out gets every number of each
video and class.

Example:
    mmvseg evaluate ytvis valid.json results.json --out metrics.json
    mmvseg evaluate hota valid.json results.json --min-score 0.5
    mmvseg evaluate vpq data/VIPSeg/VIPSeg_720P results
    mmvseg evaluate stq data/kitti_step/panoptic_maps/val results --classes kitti_step
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmvseg.errors import UserError, one_line, say
from mmvseg.files import write_json

from .arguments import add_step_classes, finite_number
from .parser import UsageError

if TYPE_CHECKING:
    from mmvseg.evaluation.scores import Scores
    from mmvseg.formats.youtube_vis_results import Result

# What each metric needs is imported in its function: it starts without what others need.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('metric', choices=[*METRICS])
    parser.add_argument('ground_truth', type=Path, help='in the official layout, see above')
    parser.add_argument('results', type=Path, help='in the official layout, see above')
    parser.add_argument('--out', type=Path, help='JSON file to write')
    hota = parser.add_argument_group('only for hota')
    hota.add_argument(
        '--min-score',
        type=finite_number,
        metavar='X',
        help='leave out results with a score below X (default: every result counts in full)',
    )
    hota.add_argument(
        '--class-agnostic', action='store_true', help='take all objects and results for one class'
    )
    hota.add_argument(
        '--mots',
        action='store_true',
        help='by the rules of MOTS: crowds are regions to ignore, and where results overlap, the '
        'highest score keeps the pixels',
    )
    davis = parser.add_argument_group('only for davis')
    davis.add_argument(
        '--void',
        type=Path,
        metavar='FOLDER',
        help='masks of DAVIS, <video>/<frame>.png: their value 255 is ignored',
    )
    short_long = parser.add_argument_group('only for ytvis22')
    for split in ('short', 'long'):
        short_long.add_argument(
            f'--{split}',
            metavar='FILE',
            help=f'name in GT of the ground truth of {split} videos (default: gt_{split}.json)',
        )
    burst = parser.add_argument_group('only for burst')
    burst.add_argument(
        '--distractors', type=Path, metavar='FILE', help='json list of category ids to leave out'
    )
    burst.add_argument(
        '--common',
        type=Path,
        metavar='FILE',
        help='the common classes: common_classes.json of BURST, or a json list of category ids',
    )
    burst.add_argument(
        '--open-world', action='store_true', help='OWTA: take all objects and results for one class'
    )
    panoptic = parser.add_argument_group('only for vpq and stq')
    add_step_classes(panoptic)
    vss = parser.add_argument_group('only for vss')
    vss.add_argument('--split', help='name of the txt with the videos (default: val or the only)')
    vss.add_argument(
        '--gt-coding',
        choices=['raw', 'zero-based'],
        help='values of the masks: raw as in VSPW, where 0 is void and 1 the first class (default),'
        ' or 0 for the first class; 255 is unlabelled in both',
    )


#: The options that are for some metrics alone.
_OPTIONS = {
    ('hota',): ('min_score', 'class_agnostic', 'mots'),
    ('davis',): ('void',),
    ('ytvis22',): ('short', 'long'),
    ('burst',): ('distractors', 'common', 'open_world'),
    ('vpq', 'stq'): ('classes',),
    ('vss',): ('split', 'gt_coding'),
}


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    for metrics, options in _OPTIONS.items():
        values = (getattr(args, name) for name in options)
        is_given = any(value is not None and value is not False for value in values)
        if args.metric not in metrics and is_given:
            *others, last = (f'--{name.replace("_", "-")}' for name in options)
            named = f'{", ".join(others)} and {last} are' if others else f'{last} is'
            raise UsageError(f'{named} for {" and ".join(metrics)}')
    numbers = METRICS[args.metric](args)
    if args.out:
        write_json(args.out, numbers)


def _instances(args: argparse.Namespace) -> dict[str, float]:
    from mmvseg.evaluation import instance_rules
    from mmvseg.formats.youtube_vis import read_youtube_vis

    kinds = dict(
        ytvis=instance_rules.YouTubeVISRules,
        ovis=instance_rules.OVISRules,
        lvvis=instance_rules.LVVISRules,
    )
    rules = kinds[args.metric](read_youtube_vis(args.ground_truth))
    if not rules.has_truth:
        _note(f'{args.ground_truth} has no annotations: every number is -1 (undefined)')
    return _scored(rules.score(_read_results(args), str(args.results)))


def _proposals(args: argparse.Namespace) -> dict[str, float]:
    from mmvseg.evaluation.davis_rules import DAVISRules
    from mmvseg.formats.youtube_vis import read_youtube_vis

    rules = DAVISRules(read_youtube_vis(args.ground_truth), args.void)
    return _scored(rules.score(_read_results(args), str(args.results)))


def _short_and_long(args: argparse.Namespace) -> dict[str, float]:
    from mmvseg.evaluation.instance_rules import ShortLongRules
    from mmvseg.formats.youtube_vis import read_youtube_vis

    named = dict(short=args.short, long=args.long)
    paths = {
        split: args.ground_truth / (name or f'gt_{split}.json') for split, name in named.items()
    }
    there = {split: path for split, path in paths.items() if named[split] or path.exists()}
    if not there:
        raise UserError(
            f'{args.ground_truth}: has neither gt_short.json nor gt_long.json, the ground truth of '
            'short and of long videos; --short and --long name others'
        )
    rules = ShortLongRules({split: read_youtube_vis(path) for split, path in there.items()})
    return _scored(rules.score(_read_results(args), str(args.results)))


def _tracks(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    from mmvseg.evaluation.functional.tracking import evaluate_tracking
    from mmvseg.evaluation.functional.tracking_tables import tracking_tables
    from mmvseg.formats.youtube_vis import read_youtube_vis

    truth, results = read_youtube_vis(args.ground_truth), _read_results(args)
    if args.min_score is None:
        _note(
            f'each of the {len(results)} results counts in full, whatever its score; --min-score '
            'leaves out weak ones'
        )
    result = evaluate_tracking(
        truth, results, str(args.results), args.min_score, args.class_agnostic, args.mots
    )
    _show(tracking_tables(result), result.notes)
    return result.numbers()


def _burst(args: argparse.Namespace) -> dict[str, dict[str, Any]]:
    from mmvseg.evaluation.functional.burst import score_burst
    from mmvseg.evaluation.functional.table import percent_table
    from mmvseg.formats.burst import read_class_ids
    from mmvseg.formats.youtube_vis import read_youtube_vis

    scores = score_burst(
        read_youtube_vis(args.ground_truth),
        _read_results(args),
        str(args.results),
        distractors=args.distractors and read_class_ids(args.distractors),
        common=args.common and read_class_ids(args.common),
        open_world=args.open_world,
    )
    columns = [*next(iter(scores.groups.values()))]
    tables = [percent_table('groups (%)', scores.groups, columns)]
    if scores.classes:
        tables.insert(0, percent_table('classes (%)', scores.classes, columns))
    _show('\n'.join(tables), scores.notes)
    return scores.groups | (dict(classes=scores.classes) if scores.classes else {})


def _read_results(args: argparse.Namespace) -> list['Result']:
    from mmvseg.formats.submissions import unpacked
    from mmvseg.formats.youtube_vis_results import read_results

    with unpacked(args.results, 'results.json') as path:
        return read_results(path / 'results.json' if path != args.results else path)


def _panoptic_quality(args: argparse.Namespace) -> dict[str, dict[str, float]]:
    from mmvseg.evaluation.functional.panoptic_rules import RULES
    from mmvseg.evaluation.functional.segmentation_tables import vpq_tables
    from mmvseg.evaluation.functional.vpq import evaluate_vpq

    with _panoptic_files(args) as (truth, predictions):
        result = evaluate_vpq(truth, predictions, RULES[truth.form].windows)
    _show(vpq_tables(result), result.notes())
    return result.numbers()


def _tracking_quality(args: argparse.Namespace) -> dict[str, float]:
    from mmvseg.evaluation.functional.panoptic_rules import RULES
    from mmvseg.evaluation.functional.segmentation_tables import stq_tables
    from mmvseg.evaluation.functional.stq import evaluate_stq

    with _panoptic_files(args) as (truth, predictions):
        if not RULES[truth.form].has_stq:
            raise UserError(f'{truth.file}: STQ is not defined for Cityscapes-VPS; take vpq')
        result = evaluate_stq(truth, predictions)
    _show(stq_tables(result, truth.classes), result.notes())
    return result.stats()


@contextmanager
def _panoptic_files(args: argparse.Namespace) -> Iterator[tuple[Any, dict[str, Any]]]:
    from mmvseg.formats.panoptic import (
        find_truth,
        load_results,
        mask_folder,
        read_panoptic,
        results_pattern,
    )
    from mmvseg.formats.submissions import unpacked

    path = find_truth(args.ground_truth)
    truth = read_panoptic(path, mask_folder(path), args.classes)
    if not truth.annotated:
        raise UserError(f"{path}: 'annotations' is empty, so there is nothing to compare with")
    with unpacked(args.results, results_pattern(truth)) as folder:
        yield truth, load_results(folder, truth)


def _semantic(args: argparse.Namespace) -> dict[str, float]:
    from mmvseg.evaluation.functional.segmentation_tables import semantic_tables
    from mmvseg.evaluation.semantic_scores import evaluate_vss
    from mmvseg.formats.submissions import unpacked
    from mmvseg.formats.vspw import find_split, load_semantic_truth

    split = find_split(args.ground_truth, args.split)
    truth = load_semantic_truth(split, split.parent / 'data')
    if not truth.masks:
        raise UserError(f'{split.parent / "data"}: has no masks (<video>/mask/*.png)')
    with unpacked(args.results, '*/*.png') as folder:
        result = evaluate_vss(truth, folder, args.gt_coding or 'raw')
    _show(semantic_tables(result, truth.names), result.notes())
    return result.stats()


METRICS = dict(
    ytvis=_instances,
    ovis=_instances,
    lvvis=_instances,
    davis=_proposals,
    ytvis22=_short_and_long,
    burst=_burst,
    hota=_tracks,
    vpq=_panoptic_quality,
    stq=_tracking_quality,
    vss=_semantic,
)


def _scored(scores: 'Scores') -> dict[str, Any]:
    _show(scores.tables, scores.notes)
    return scores.numbers


def _show(table: str, notes: list[str]) -> None:
    for text in notes:
        _note(text)
    say(table)


def _note(text: str) -> None:
    say(f'note: {one_line(text)}', sys.stderr)
