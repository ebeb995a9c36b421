"""Average precision of YouTube-VIS and OVIS as mmengine metrics."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmvseg.errors import counted
from mmvseg.evaluation.functional.ground_truth import to_ground_truth
from mmvseg.evaluation.functional.table import ap_tables
from mmvseg.evaluation.functional.youtube_vis_ap import (
    VideoAP,
    evaluate_youtube_vis,
    restrict_categories,
)
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import to_results
from mmvseg.registry import METRICS
from mmvseg.structures import VideoInstances

from .video_metric import VideoMetric, check_categories, report, warn


@METRICS.register_module()
class YouTubeVISMetric(VideoMetric):
    """AP and AR of tubes, equal to the official evaluation of the same ``results.json``.

    Each process keeps the run-length coded results of its videos. The main process collects them,
    takes each video once, and computes the numbers; so they do not depend on how many processes
    there are nor on which video went where.

    No numbers, but a warning, come out where the official evaluator has none: if the annotation
    file has no annotations, which is said when the metric is built, or if nothing was predicted.

    The numbers are over the categories of the data set: where it uses only some of those of the
    annotation file, the others are left out, which is logged.

    Args:
        ann_file: annotation file in the official format.
        prefix: what the names of the numbers begin with.

    Raises:
        UserError: if the annotation file cannot be evaluated against.
    """

    default_prefix = 'youtube_vis'
    #: Whether to evaluate OVIS's occlusion groups.
    occlusion = False

    def __init__(self, ann_file: str | Path, prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self.ground_truth = to_ground_truth(read_youtube_vis(ann_file), self.occlusion)
        if not self.has_truth:
            warn(f'{ann_file} has no annotations: there will be no AP')

    @classmethod
    def number_names(cls) -> list[str]:
        """See :class:`VideoMetric`."""
        return VideoAP.number_names(cls.occlusion)

    @property
    def has_truth(self) -> bool:
        """Whether there is anything to evaluate against."""
        return self.ground_truth.has_annotations

    def check_classes(self, dataset_meta: Mapping[str, Any]) -> None:
        """See :class:`VideoMetric`."""
        check_categories(dataset_meta, self.ground_truth.categories, self.ground_truth.source)

    def compare(self, video_id: int, result: VideoInstances) -> list[dict]:
        """Its official result entries."""
        return result.to_youtube_vis(video_id, self.dataset_meta['category_ids'])

    def compute_metrics(self, results: list[tuple[int, list[dict]]]) -> dict[str, float]:
        """The official summary numbers; prints the table of classes.

        Args:
            results: video id and official result entries of each video.
        """
        if not self.has_truth:
            warn(f'{self.ground_truth.source} has no annotations: no AP')
            return {}
        by_video = dict(reversed(results))  # the first of several results of a video counts
        order = {video_id: i for i, video_id in enumerate(self.ground_truth.videos)}
        videos = sorted(by_video, key=lambda video_id: order.get(video_id, len(order)))
        entries = [entry for video_id in videos for entry in by_video[video_id]]
        if not entries:
            warn(f'nothing was predicted in {counted(len(videos), "videos")}: no AP')
            return {}
        truth = restrict_categories(self.ground_truth, self.dataset_meta['category_ids'])
        found = to_results(entries, 'the predictions')
        result = evaluate_youtube_vis(truth, found, 'the predictions', self.occlusion)
        report(result.notes, ap_tables(result))
        return result.stats()


@METRICS.register_module()
class OVISMetric(YouTubeVISMetric):
    """:class:`YouTubeVISMetric` with OVIS's occlusion groups (light, moderate, heavy)."""

    default_prefix = 'ovis'
    occlusion = True
