"""Scores of the maps in a folder, as ``mmvseg test`` writes them.

Numbers have the names that ``mmvseg evaluate`` gives them. Instances have rules of their own, see
:mod:`.instance_rules`.
"""

from collections.abc import Mapping
from pathlib import Path

from mmvseg.formats.panoptic import load_results
from mmvseg.formats.panoptic_records import PanopticSet
from mmvseg.formats.vspw import load_semantic_truth
from mmvseg.progress import ProgressReport

from .functional.panoptic_overlap import video_overlaps
from .functional.panoptic_rules import RULES
from .functional.segmentation_tables import semantic_tables, stq_tables, vpq_tables
from .functional.stq import TubeSums, VideoTubes
from .functional.vpq import VPQ, VideoPQ
from .scores import Scores
from .semantic_scores import evaluate_vss


def score_panoptic(truth: PanopticSet, folder: Path) -> Scores:
    """``VPQ``, in percent by group and window length, and ``STQ`` with its parts, as fractions.

    Args:
        truth: the ground truth; that of Cityscapes-VPS has no STQ.
        folder: of the predictions.

    Raises:
        UserError: naming the file that is missing, broken or does not fit.
    """
    rules = RULES[truth.form]
    predicted = load_results(folder, truth)
    quality, tubes = [], []
    with ProgressReport('score', len(predicted), 'videos') as progress:
        for name, video in truth.annotated.items():
            pq = VideoPQ(truth.classes, rules.windows, f'{truth.file}: video {name}')
            stq = VideoTubes(truth.classes, rules.first_is_crowd)
            for frame in video_overlaps(video, predicted[name]):
                pq.add(frame)
                stq.add(frame)
            quality.append(pq.sums)
            tubes.append(stq.sums())
            progress.advance()
    vpq = VPQ.of(truth.classes, quality, rules.windows, rules)
    scores = Scores(dict(VPQ=vpq.numbers()), vpq_tables(vpq), vpq.notes())
    if not rules.has_stq:
        return scores
    stq = TubeSums.of(tubes)
    return Scores(
        dict(scores.numbers, STQ=stq.stats()),
        f'{scores.tables}\n{stq_tables(stq, truth.classes)}',
        [*scores.notes, *stq.notes()],
    )


def score_semantic(
    ann_file: Path, mask_root: Path, folder: Path, names: Mapping[int, str]
) -> Scores:
    """mIoU and its companions and VC, as fractions.

    Args:
        ann_file: the list of videos.
        mask_root: folder of the videos' folders with the masks.
        folder: with ``<video>/<frame>.png``.
        names: of the classes by id.

    Raises:
        UserError: naming the file that is missing, broken or does not fit.
    """
    truth = load_semantic_truth(ann_file, mask_root)
    with ProgressReport('score', len(truth.masks), 'videos') as progress:
        result = evaluate_vss(truth, folder, on_video=progress.advance)
    return Scores(result.stats(), semantic_tables(result, names), result.notes())
