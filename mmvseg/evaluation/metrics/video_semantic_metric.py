"""mIoU and video consistency of video semantic segmentation as an mmengine metric."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mmvseg.errors import UserError, counted
from mmvseg.evaluation.functional.segmentation_tables import semantic_tables
from mmvseg.evaluation.functional.semantic import (
    CONSISTENCY_WINDOWS,
    SemanticQuality,
    SemanticSums,
    VideoSemanticCounts,
)
from mmvseg.formats.vspw import load_semantic_truth
from mmvseg.media.images import read_class_map
from mmvseg.registry import METRICS
from mmvseg.structures import VideoSemantic

from .video_metric import VideoMetric, check_categories, check_known, in_order, report, warn


@METRICS.register_module()
class VideoSemanticMetric(VideoMetric):
    """mIoU and video consistency, equal to the official evaluation of the files of the results.

    The numbers are fractions in [0, 1]: ``Acc``, ``Acc_class``, ``mIoU``, ``fwIoU``,
    ``video_mIoU``, ``video_fwIoU``, ``VC8``, ``VC16``. NaN, with a warning, where there is nothing
    to measure.

    The masks of a video are read, and compared, when its results come; only its counts are kept.
    If there are no masks, as for test sets, a warning says so and there are no numbers.

    Args:
        ann_file: text file with a video a line, such as ``val.txt``. A ``categories.json`` beside
            it names classes other than the 124 of VSPW.
        mask_root: folder of the videos, ``data``; masks are ``<video>/mask/<frame>.png`` in it.
        prefix: what the names of the numbers begin with.

    Raises:
        UserError: if the ground truth cannot be evaluated against.
    """

    default_prefix = 'vspw'

    def __init__(
        self, ann_file: str | Path, mask_root: str | Path, prefix: str | None = None
    ) -> None:
        super().__init__(prefix=prefix)
        self.ground_truth = load_semantic_truth(ann_file, mask_root)
        if not self.has_truth:
            warn(f'{mask_root} has no masks: there will be no mIoU and VC')

    @classmethod
    def number_names(cls) -> list[str]:
        """See :class:`VideoMetric`."""
        means = ['Acc', 'Acc_class', 'mIoU', 'fwIoU', 'video_mIoU', 'video_fwIoU']
        return [*means, *(f'VC{n}' for n in CONSISTENCY_WINDOWS)]

    @property
    def has_truth(self) -> bool:
        """Whether there is anything to evaluate against."""
        return bool(self.ground_truth.masks)

    def check_classes(self, dataset_meta: Mapping[str, Any]) -> None:
        """See :class:`VideoMetric`."""
        truth = self.ground_truth
        if not all(0 <= i < truth.num_classes for i in dataset_meta['category_ids']):
            raise UserError(
                f'{truth.source}: the data set has category ids that are not below '
                f'{truth.num_classes}, as those of the ground truth are; put the categories.json '
                'of the data set beside it'
            )
        if truth.names:
            check_categories(dataset_meta, truth.names, truth.source)

    def compare(self, video_id: str, result: VideoSemantic) -> SemanticSums:
        """Its counts, see :class:`VideoMetric`."""
        truth = self.ground_truth
        check_known(video_id, truth.masks, truth.source)
        masks = truth.masks[video_id]
        if len(masks) != len(result.maps):
            raise UserError(
                f'{masks[0].parent}: has {counted(len(masks), "masks")}, the prediction has '
                f'{counted(len(result.maps), "frames")}'
            )
        counts = VideoSemanticCounts(truth.num_classes)
        ids = np.array(self.dataset_meta['category_ids'], np.uint8)  # (K,)
        for mask, classes in zip(masks, result.maps, strict=True):
            place = f'the predictions: video {video_id}, frame {mask.stem}'
            counts.add(read_class_map(mask, classes.shape), ids[classes], place)
        return counts.sums()

    def compute_metrics(self, results: list[tuple[str, SemanticSums]]) -> dict[str, float]:
        """The numbers; prints the tables.

        Args:
            results: video id and counts of each video.
        """
        truth = self.ground_truth
        if not self.has_truth:
            warn(f'{truth.source}: its videos have no masks: no mIoU and VC')
            return {}
        videos = in_order(results, [*truth.masks], truth.source)
        quality = SemanticQuality(videos, truth.num_classes)
        meta = self.dataset_meta
        names = dict(zip(meta['category_ids'], meta['classes'], strict=True))
        report(quality.notes(), semantic_tables(quality, names))
        return quality.stats()
