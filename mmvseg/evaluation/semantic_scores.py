"""Scores of semantic results in files."""

from collections.abc import Callable
from pathlib import Path

from mmvseg.formats.vspw import SemanticTruth
from mmvseg.media.images import read_class_map

from .functional.semantic import SemanticQuality, VideoSemanticCounts


def evaluate_vss(
    truth: SemanticTruth,
    folder: str | Path,
    coding: str = 'raw',
    on_video: Callable[[], None] = lambda: None,
) -> SemanticQuality:
    """Compare predictions in files with the ground truth.

    Args:
        truth: the ground truth.
        folder: the predictions are ``FOLDER/<video>/<frame>.png``, with the names of the masks.
        coding: of the masks, see :data:`.semantic.FIRST_VALUES`.
        on_video: called after each video.

    Raises:
        UserError: naming the file that is missing, broken or does not fit.

    Example:
        >>> from mmvseg.formats.vspw import load_semantic_truth
        >>> truth = load_semantic_truth('vspw/val.txt', 'vspw/data')
        >>> found = evaluate_vss(truth, 'predicted').stats()  # sky everywhere
        >>> round(found['mIoU'], 2)
        0.03
        >>> found['VC8']  # as it is always the same, which need not be right
        1.0
    """
    videos = {}
    for video, masks in truth.masks.items():
        counts, size = VideoSemanticCounts(truth.num_classes, coding), None
        for mask in masks:
            path = Path(folder) / video / mask.name
            classes = read_class_map(mask, size)
            size = classes.shape
            counts.add(classes, read_class_map(path, size), str(path))
        videos[video] = counts.sums()
        on_video()
    return SemanticQuality(videos, truth.num_classes)
