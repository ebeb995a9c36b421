"""By what rules objects without classes are scored, as proposals of DAVIS's unsupervised task."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from mmvseg.errors import UserError, counted
from mmvseg.formats.davis_void import read_void
from mmvseg.formats.tracks import end_with_first_frame
from mmvseg.formats.youtube_vis import YouTubeVIS
from mmvseg.formats.youtube_vis_results import Result, video_of
from mmvseg.progress import ProgressReport

from .functional.davis import (
    MAX_PROPOSALS,
    ObjectQuality,
    best_proposals,
    davis_numbers,
    judge_video,
)
from .functional.ground_truth import to_ground_truth
from .functional.table import percent_table
from .functional.tracking import check_form
from .instance_rules import InstanceRules
from .scores import Scores


class DAVISRules(InstanceRules):
    """J and F of the unsupervised task of DAVIS 2017, which knows no classes.

    All results are proposals, whatever their category. Void is ignored: crowds of the annotation
    file, and the value 255 of DAVIS's masks, which the import leaves out.

    Args:
        records: of the annotation file.
        void: folder of DAVIS's masks, see :func:`mmvseg.formats.davis_void.read_void`.

    Raises:
        UserError: objects are annotated in the first frames of videos alone.
    """

    def __init__(self, records: YouTubeVIS, void: str | Path | None = None) -> None:
        if end_with_first_frame(records.annotations):
            raise UserError(
                f'{records.file}: objects are annotated in the first frames of videos alone, as in '
                'validation sets of tasks that give this frame, so nothing can be scored: '
                'hold out some training videos'
            )
        self.truths = [to_ground_truth(records)]
        self.videos = records.videos
        self.void = void
        self._annotations = defaultdict(list)
        for annotation in records.annotations:
            self._annotations[annotation.video_id].append(annotation)

    @staticmethod
    def number_names() -> list[str]:
        """See :class:`InstanceRules`."""
        return ['J&F', 'J', 'J_recall', 'F', 'F_recall']

    def score(
        self, results: Sequence[Result], source: str, category_ids: Iterable[int] | None = None
    ) -> Scores:
        """See :class:`InstanceRules`; categories are not looked at."""
        if not results:
            raise UserError(f'{source}: holds no predictions, so there is nothing to compare')
        by_video = defaultdict(list)
        for result in results:
            video = video_of(result, self.videos, self.source, source)
            by_video[video.id].append(result)
        crowded = sum(len(found) > MAX_PROPOSALS for found in by_video.values())
        notes = self.notes()
        if crowded:
            notes.append(
                f'{source}: the {MAX_PROPOSALS} results of highest score count in each video; '
                f'there are more in {counted(crowded, "videos")}'
            )
        judged = []
        with ProgressReport('score', len(self.videos), 'videos') as progress:
            for video_id in self.videos:
                judged += self.judge(video_id, by_video[video_id], source)
                progress.advance()
        return self.total(judged, notes)

    def notes(self) -> list[str]:
        """What differs from DAVIS's own numbers, one sentence each."""
        if self.void or any(e.is_crowd for found in self._annotations.values() for e in found):
            return []
        return [
            f'{self.source}: no pixel is void; where masks of DAVIS have void (255), its own '
            'numbers are without it, for which the folder of the masks is needed (--void, or '
            'void=... of DAVISMetric)'
        ]

    def judge(self, video_id: int, results: Sequence[Result], source: str) -> list[ObjectQuality]:
        """J and F of the objects of a video.

        Raises:
            UserError: a result does not fit the video, or a mask with void is missing.
        """
        video = self.videos[video_id]
        for result in results:
            check_form(result, video, source)
        of_video = self._annotations[video_id]
        objects = [entry.rles for entry in of_video if not entry.is_crowd]
        void = [entry.rles for entry in of_video if entry.is_crowd]
        if not objects:
            return []
        if self.void:
            void.append(read_void(self.void, video))
        proposals = [result.rles for result in best_proposals(results)]
        return judge_video(objects, void, proposals, (video.height, video.width))

    def total(self, judged: Sequence[ObjectQuality], notes: list[str]) -> Scores:
        """The scores of the objects of all videos.

        Raises:
            UserError: there are none.
        """
        if not judged:
            raise UserError(f'{self.source}: has no objects, so there is nothing to compare with')
        numbers = davis_numbers(judged)
        rows = {name: dict(all=value) for name, value in numbers.items()}
        return Scores(numbers, percent_table('mean of objects (%)', rows, ['all']), notes)
