"""J and F of DAVIS's unsupervised task as an mmengine metric."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmvseg.errors import UserError
from mmvseg.evaluation.davis_rules import DAVISRules
from mmvseg.evaluation.functional.davis import ObjectQuality
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import to_results
from mmvseg.registry import METRICS
from mmvseg.structures import VideoInstances

from .video_metric import report, warn
from .youtube_vis_metric import InstanceMetric


@METRICS.register_module()
class DAVISMetric(InstanceMetric):
    """J and F of objects without classes, see :class:`mmvseg.evaluation.davis_rules.DAVISRules`.

    Each process judges its videos. A video that was not tested counts as one without results.

    Args:
        ann_file: annotation file, as ``mmvseg data import davis`` makes it.
        void: folder of DAVIS's masks, whose value 255 is ignored; None: nothing is but crowds.
        prefix: what the names of the numbers begin with.

    Raises:
        UserError: if the annotation file cannot be evaluated against.
    """

    default_prefix = 'davis'
    rules_type = DAVISRules
    rules: DAVISRules

    def __init__(
        self, ann_file: str | Path, void: str | Path | None = None, prefix: str | None = None
    ) -> None:
        super().__init__(DAVISRules(read_youtube_vis(ann_file), void), prefix)

    @classmethod
    def rules_of(cls, evaluator: Mapping[str, Any], ann_file: Path) -> DAVISRules:
        """See :class:`InstanceMetric`."""
        return DAVISRules(read_youtube_vis(ann_file), evaluator.get('void'))

    def compare(self, video_id: int, result: VideoInstances) -> tuple[bool, list[ObjectQuality]]:
        """Whether anything was found, and how well each object was."""
        if video_id not in self.rules.videos:
            raise UserError(
                f'{self.rules.source}: has no video {video_id}; give the metric the annotation '
                'file of the data set'
            )
        found = to_results(super().compare(video_id, result), 'the predictions')
        return bool(found), self.rules.judge(video_id, found, 'the predictions')

    def compute_metrics(self, results: list[tuple[int, Any]]) -> dict[str, float]:
        """The means over the objects; prints them.

        Args:
            results: video id and what :meth:`compare` says of each video.
        """
        by_video = dict(reversed(results))  # the first of several results of a video counts
        if not self.has_truth or not any(found for found, _ in by_video.values()):
            why = 'nothing was predicted' if self.has_truth else 'there are no annotations'
            warn(f'{self.rules.source}: {why}, so there are no J and F')
            return {}
        judged = []
        for video_id in self.rules.videos:
            if video_id not in by_video:
                by_video[video_id] = False, self.rules.judge(video_id, [], 'the predictions')
            judged += by_video[video_id][1]
        scores = self.rules.total(judged, self.rules.notes())
        report(scores.notes, scores.tables)
        return scores.numbers
