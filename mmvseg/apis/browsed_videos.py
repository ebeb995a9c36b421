"""A data set as its page shows it: videos, objects with what is counted of them, and problems."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from mmvseg.analysis.data_statistics import ObjectStatistics, dataset_statistics
from mmvseg.errors import UserError
from mmvseg.evaluation.functional.ground_truth import occlusion_score
from mmvseg.formats.problems import Problem
from mmvseg.formats.tracks import Annotation
from mmvseg.formats.youtube_vis import YouTubeVIS
from mmvseg.pages.dataset import BrowsedObject, BrowsedProblem, BrowsedVideo
from mmvseg.pages.names import page_names
from mmvseg.visualization.thumbnails import sheet_size

from .browse_sheets import MadeSheet, VideoToDraw


def sound_part(records: YouTubeVIS) -> YouTubeVIS:
    """What of a file with faults can be drawn and counted.

    Left out are videos without frames or with names that no file can have, and objects of other
    videos, of unknown classes or whose masks are broken.
    """
    videos = {
        video.id: video
        for video in records.videos.values()
        if video.file_names and all(name and '\0' not in name for name in video.file_names)
    }
    known = {category.id for category in records.categories}
    annotations = [
        item
        for item in records.annotations
        if item.video_id in videos
        and item.category_id in known
        and len(item.rles) == len(item.mask_areas) == len(videos[item.video_id].file_names)
    ]
    return replace(records, videos=videos, annotations=annotations)


def videos_to_draw(records: YouTubeVIS) -> list[VideoToDraw]:
    """The videos of a sound file, in its order."""
    objects: dict[int, list[Annotation]] = defaultdict(list)
    for item in records.annotations:
        objects[item.video_id].append(item)
    pages = page_names(video.name for video in records.videos.values())
    return [
        VideoToDraw(page, video, objects[video.id])
        for page, video in zip(pages, records.videos.values(), strict=True)
    ]


def browsed_videos(
    records: YouTubeVIS,
    videos: Sequence[VideoToDraw],
    sheets: Sequence[MadeSheet],
    problems: Sequence[Problem],
    num_frames: int,
) -> list[BrowsedVideo]:
    """What the page shows of videos.

    Args:
        records: the file that they are of.
        videos: those of the page.
        sheets: of each of them.
        problems: of all of them and others.
        num_frames: on a sheet, at most.
    """
    counted: dict[int, list[ObjectStatistics]] = defaultdict(list)
    for item in dataset_statistics(records).objects:
        counted[item.video_id].append(item)
    order = {category.id: place for place, category in enumerate(records.categories)}
    by_video = defaultdict(list)
    for problem in problems:
        by_video[video_of(problem)].append(browsed_problem(problem))
    return [
        BrowsedVideo(
            name=video.video.name,
            page=video.page,
            size=video.size,
            length=video.length,
            sheet=sheet.name,
            sheet_size=sheet_size(min(num_frames, video.length), video.size),
            objects=[
                _browsed_object(item, entry, order[entry.category_id])
                for item, entry in zip(counted[video.video.id], video.objects, strict=True)
            ],
            problems=by_video[video.video.id],
        )
        for video, sheet in zip(videos, sheets, strict=True)
    ]


def video_of(problem: Problem) -> int | None:
    """Id of the video that a problem concerns; a broken entry may have anything there."""
    return problem.video if isinstance(problem.video, int) else None


def browsed_problem(problem: Problem, with_video: bool = False) -> BrowsedProblem:
    """A problem as the page shows it.

    Args:
        problem: what is wrong.
        with_video: whether the place names the video.
    """
    video = problem.video if with_video else None
    field = '' if problem.field == 'frame' else problem.field
    return BrowsedProblem(
        replace(problem, video=video, field=field).place, problem.rule, problem.is_note
    )


def _browsed_object(item: ObjectStatistics, entry: Annotation, category: int) -> BrowsedObject:
    return BrowsedObject(
        id=item.id,
        category=category,
        spans=_spans(item),
        area=item.mean_area,
        occlusion=_occlusion(entry),
        is_crowd=item.is_crowd,
    )


def _spans(item: ObjectStatistics) -> list[tuple[int, int]]:
    """First and last frame of each stretch in which an object is seen."""
    if item.first is None:
        return []
    starts = [item.first, *(last + 1 for _, last in item.gaps)]
    ends = [*(first - 1 for first, _ in item.gaps), item.last]
    return list(zip(starts, ends, strict=True))


def _occlusion(entry: Annotation) -> float | None:
    """The score of OVIS; None where the file does not say what it needs."""
    try:
        return occlusion_score(entry.occlusion, '')
    except UserError:
        return None
