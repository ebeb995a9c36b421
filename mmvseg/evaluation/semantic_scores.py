"""Scores of semantic results in files, video by video."""

from pathlib import Path

from mmvseg.formats.vspw import SemanticTruth
from mmvseg.media.images import read_class_map

from .functional.semantic import SemanticQuality, SemanticSums, VideoSemanticCounts


def evaluate_vss(truth: SemanticTruth, folder: str | Path, coding: str = 'raw') -> SemanticQuality:
    """Compare predictions in files with the ground truth, see :func:`score_video`.

    Example:
        >>> truth = load_semantic_truth('VSPW_480p/val.txt', 'VSPW_480p/data')
        >>> evaluate_vss(truth, 'predictions').stats()['mIoU']
        0.41
    """
    videos = {video: score_video(truth, video, folder, coding) for video in truth.masks}
    return SemanticQuality(videos, truth.num_classes)


def score_video(
    truth: SemanticTruth, video: str, folder: str | Path, coding: str = 'raw'
) -> SemanticSums:
    """Compare the predictions of a video with its masks.

    Args:
        truth: the ground truth.
        video: which of its videos.
        folder: the predictions are ``FOLDER/<video>/<frame>.png``, with the names of the masks.
        coding: of the masks, see :data:`.semantic.FIRST_VALUES`.

    Raises:
        UserError: naming the file that is missing, broken or does not fit.
    """
    counts = VideoSemanticCounts(truth.num_classes, coding)
    size = None
    for mask in truth.masks[video]:
        path = Path(folder) / video / mask.name
        classes = read_class_map(mask, size)
        size = classes.shape
        counts.add(classes, read_class_map(path, size), str(path))
    return counts.sums()
