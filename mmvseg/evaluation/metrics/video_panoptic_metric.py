"""VPQ and STQ of video panoptic segmentation as an mmengine metric."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmvseg.errors import UserError, counted
from mmvseg.evaluation.functional.panoptic_overlap import frame_overlaps
from mmvseg.evaluation.functional.segmentation_tables import stq_tables, vpq_tables
from mmvseg.evaluation.functional.stq import TubeSums, VideoTubes
from mmvseg.evaluation.functional.vpq import VPQ, WINDOWS, VideoPQ
from mmvseg.formats.panoptic_records import (
    PanopticFrame,
    PredictedSegment,
    Video,
    read_frames,
)
from mmvseg.formats.vipseg import read_vipseg
from mmvseg.registry import METRICS
from mmvseg.structures import VideoPanoptic

from .video_metric import VideoMetric, check_categories, check_known, in_order, report, warn


class _VideoSums(NamedTuple):
    quality: dict[int, np.ndarray]
    tubes: TubeSums


@METRICS.register_module()
class VideoPanopticMetric(VideoMetric):
    """VPQ and STQ, equal to the official evaluation of the files of the same results.

    All numbers are fractions in [0, 1] (``mmvseg evaluate vpq`` writes percent): ``VPQ`` (mean
    over windows of 1, 2, 4 and 6 frames), ``VPQ_things``, ``VPQ_stuff``, ``VPQ_1`` ... ``VPQ_6``,
    ``STQ``, ``AQ``, ``SQ``. NaN, with a warning, where there is nothing to measure.

    The masks of a video are read, and compared, when its results come; only its counts are kept.
    If the annotation file has no annotations, as for test sets, a warning says so and there are no
    numbers; single videos without annotations are left out, as officially.

    Args:
        ann_file: ground truth in the official format, ``panoptic_gt_*.json``.
        mask_root: folder of its PNGs, ``panomasksRGB``.
        prefix: what the names of the numbers begin with.

    Raises:
        UserError: if the annotation file cannot be evaluated against.
    """

    default_prefix = 'vipseg'

    def __init__(
        self, ann_file: str | Path, mask_root: str | Path, prefix: str | None = None
    ) -> None:
        super().__init__(prefix=prefix)
        self.ground_truth = read_vipseg(ann_file, mask_root)
        total = len(self.ground_truth.videos)
        left_out = total - len(self.ground_truth.annotated)
        if not self.has_truth:
            warn(f'{ann_file} has no annotations: there will be no VPQ and STQ')
        elif left_out:
            warn(f'{ann_file}: {left_out} of {total} videos have no annotations and do not count')

    @classmethod
    def number_names(cls) -> list[str]:
        """See :class:`VideoMetric`."""
        means = [f'VPQ_{part}' for part in ('things', 'stuff', *WINDOWS)]
        return ['VPQ', *means, 'STQ', 'AQ', 'SQ']

    @property
    def has_truth(self) -> bool:
        """Whether there is anything to evaluate against."""
        return bool(self.ground_truth.annotated)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Compare the videos that are annotated, see :class:`VideoMetric`."""
        truth = self.ground_truth
        left_out = truth.videos.keys() - truth.annotated.keys()
        counted = [sample for sample in data_samples if sample['video_id'] not in left_out]
        super().process(data_batch, counted)

    def check_classes(self, dataset_meta: Mapping[str, Any]) -> None:
        """See :class:`VideoMetric`."""
        names = {category.id: category.name for category in self.ground_truth.categories}
        check_categories(dataset_meta, names, self.ground_truth.file)

    def compare(self, video_id: str, result: VideoPanoptic) -> _VideoSums:
        """Its counts, see :class:`VideoMetric`."""
        truth = self.ground_truth
        check_known(video_id, truth.annotated, truth.file)
        video = truth.videos[video_id]
        if video.length != len(result.maps):
            raise UserError(
                f'{truth.file}: video {video_id}: has {counted(video.length, "frames")}, the '
                f'prediction has {len(result.maps)}'
            )
        quality = VideoPQ(truth.classes, WINDOWS, f'{truth.file}: video {video_id}')
        tubes = VideoTubes(truth.classes)
        predicted = self._frames(video, result)
        ids = np.array(sorted(segment.id for segment in result.segments), np.int64)
        for frame in frame_overlaps(read_frames(video), predicted, video.segment_ids(), ids):
            quality.add(frame)
            tubes.add(frame)
        return _VideoSums(quality.sums, tubes.sums())

    def _frames(self, video: Video, result: VideoPanoptic) -> Iterator[PanopticFrame]:
        """The results as files would give them."""
        category_ids = self.dataset_meta['category_ids']
        for segment_map, frame in zip(result.maps, video.frames, strict=True):
            segments = [
                PredictedSegment(segment.id, category_ids[segment.label])
                for segment, _ in result.segments_in(segment_map)
            ]
            place = f'the predictions: video {video.name}, frame {frame.mask.stem}'
            yield PanopticFrame(place, segments, segment_map)

    def compute_metrics(self, results: list[tuple[str, _VideoSums]]) -> dict[str, float]:
        """The numbers; prints the tables.

        Args:
            results: video id and counts of each video.
        """
        truth = self.ground_truth
        if not self.has_truth:
            warn(f'{truth.file} has no annotations: no VPQ and STQ')
            return {}
        videos = in_order(results, [*truth.annotated], truth.file)
        quality = VPQ.of(truth.classes, (video.quality for video in videos.values()))
        tubes = TubeSums.of(video.tubes for video in videos.values())
        tables = f'{vpq_tables(quality)}\n{stq_tables(tubes, truth.classes)}'
        report(quality.notes() + tubes.notes(), tables)
        return dict(
            VPQ=quality.mean(),
            VPQ_things=quality.mean(group='Things'),
            VPQ_stuff=quality.mean(group='Stuff'),
            **{f'VPQ_{k}': quality.quality(k) for k in WINDOWS},
            **tubes.stats(),
        )
