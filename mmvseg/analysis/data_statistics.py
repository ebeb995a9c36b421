"""What a data set of videos holds: how its objects, videos and classes are, counted on the masks.

Only objects count whose class and video the file lists, as in training and evaluation; crowds count
as one object each. An object is seen in a frame if its mask has a pixel.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmvseg.formats.tracks import Annotation
from mmvseg.formats.youtube_vis import Video, YouTubeVIS


@dataclass(frozen=True)
class ObjectStatistics:
    """One object.

    Attributes:
        id: of the annotation.
        video_id: of its video.
        category_id: of its class.
        is_crowd: whether it stands for several objects.
        num_frames: in which it is seen.
        first: the first of them, 0-based; None if it is never seen.
        last: the last of them; None if it is never seen.
        gaps: first and last frame, both inclusive, of each stretch between ``first`` and ``last``
            in which it is not seen.
        mean_area: pixels of its mask, mean over the frames in which it is seen; 0 without one.
        area_share: the same as a share of the frame, in [0, 1].
        occlusion: in how many frames in which it is seen it is annotated with which level of OVIS,
            such as ``slight_occlusion``; None if it has no field ``occlusion``.
    """

    id: int
    video_id: int
    category_id: int
    is_crowd: bool
    num_frames: int
    first: int | None
    last: int | None
    gaps: tuple[tuple[int, int], ...]
    mean_area: float
    area_share: float
    occlusion: dict[str, int] | None


@dataclass(frozen=True)
class VideoStatistics:
    """One video.

    Attributes:
        id: in the file.
        name: folder of its frames, or the id.
        num_frames: its length.
        height: of its frames, in pixels.
        width: of its frames, in pixels.
        num_objects: that are annotated in it.
        category_ids: classes of its objects, in the order of the file's classes.
        most_objects: the most objects that are seen in one frame.
    """

    id: int
    name: str
    num_frames: int
    height: int
    width: int
    num_objects: int
    category_ids: tuple[int, ...]
    most_objects: int


@dataclass(frozen=True)
class ClassStatistics:
    """One class.

    Attributes:
        id: in the file.
        name: in the file.
        num_objects: of the class.
        num_videos: that have one of them.
        num_frames: in which at least one of them is seen.
        num_masks: of all of them together.
    """

    id: int
    name: str
    num_objects: int
    num_videos: int
    num_frames: int
    num_masks: int


@dataclass(frozen=True)
class DatasetStatistics:
    """A whole file.

    Attributes:
        file: its name.
        has_annotations: whether it annotates anything at all.
        classes: in the order of the file.
        videos: in the order of the file.
        objects: in the order of the file.
        num_frames: of all videos.
        num_masks: of all objects.
    """

    file: str
    has_annotations: bool
    classes: list[ClassStatistics]
    videos: list[VideoStatistics]
    objects: list[ObjectStatistics]
    num_frames: int
    num_masks: int


def dataset_statistics(records: YouTubeVIS) -> DatasetStatistics:
    """Count what a file holds.

    Args:
        records: of the file, with its annotations.

    Example:
        >>> from mmvseg.formats.youtube_vis import read_youtube_vis
        >>> statistics = dataset_statistics(read_youtube_vis('shapes/val.json'))
        >>> {entry.name: entry.num_objects for entry in statistics.classes}
        {'disc': 2, 'square': 1, 'triangle': 1, 'star': 0, 'ring': 1, 'cross': 0}
    """
    known = {category.id for category in records.categories}
    counted = [entry for entry in records.annotations if entry.category_id in known]
    of_video: dict[int, list[Annotation]] = defaultdict(list)
    for entry in counted:
        of_video[entry.video_id].append(entry)
    objects = [_object(entry, records.videos[entry.video_id]) for entry in counted]
    order = [category.id for category in records.categories]
    frames: Counter[int] = Counter()
    videos = []
    for video in records.videos.values():
        seen = _frames_of_classes(of_video[video.id])
        frames.update(seen)
        videos.append(_video(video, of_video[video.id], [c for c in order if c in seen]))
    masks: Counter[int] = Counter()
    for entry in objects:
        masks[entry.category_id] += entry.num_frames
    num_objects = Counter(entry.category_id for entry in objects)
    num_videos = Counter(category for video in videos for category in video.category_ids)
    return DatasetStatistics(
        file=records.file,
        has_annotations=records.has_annotations,
        classes=[
            ClassStatistics(
                id=category.id,
                name=category.name,
                num_objects=num_objects[category.id],
                num_videos=num_videos[category.id],
                num_frames=frames[category.id],
                num_masks=masks[category.id],
            )
            for category in records.categories
        ],
        videos=videos,
        objects=objects,
        num_frames=sum(video.num_frames for video in videos),
        num_masks=masks.total(),
    )


def _object(entry: Annotation, video: Video) -> ObjectStatistics:
    seen = np.flatnonzero(entry.mask_areas)
    mean_area = float(entry.mask_areas[seen].mean()) if len(seen) else 0.0
    return ObjectStatistics(
        id=entry.id,
        video_id=entry.video_id,
        category_id=entry.category_id,
        is_crowd=entry.is_crowd,
        num_frames=len(seen),
        first=int(seen[0]) if len(seen) else None,
        last=int(seen[-1]) if len(seen) else None,
        gaps=_gaps(seen),
        mean_area=mean_area,
        area_share=mean_area / (video.height * video.width),
        occlusion=_occlusion(entry, seen),
    )


def _gaps(seen: np.ndarray) -> tuple[tuple[int, int], ...]:
    """Stretches between ascending frames."""
    before = np.flatnonzero(np.diff(seen) > 1)
    starts, ends = seen[before] + 1, seen[before + 1] - 1
    return tuple(zip(starts.tolist(), ends.tolist(), strict=True))


def _occlusion(entry: Annotation, seen: np.ndarray) -> dict[str, int] | None:
    if entry.occlusion is None:
        return None
    # nothing checks the length of this list where no metric of OVIS reads it
    levels = [entry.occlusion[t] for t in seen.tolist() if t < len(entry.occlusion)]
    return dict(sorted(Counter(level for level in levels if level is not None).items()))


def _frames_of_classes(entries: Sequence[Annotation]) -> dict[int, int]:
    """Frames of one video in which each of its classes is seen, by the ids of the classes."""
    seen: dict[int, np.ndarray] = {}
    for entry in entries:
        seen[entry.category_id] = seen.get(entry.category_id, False) | (entry.mask_areas > 0)
    return {category: int(frames.sum()) for category, frames in seen.items()}


def _video(video: Video, entries: Sequence[Annotation], category_ids: list[int]) -> VideoStatistics:
    num_frames = len(video.file_names)
    seen = sum((entry.mask_areas > 0 for entry in entries), np.zeros(num_frames, np.int64))
    return VideoStatistics(
        id=video.id,
        name=video.name,
        num_frames=num_frames,
        height=video.height,
        width=video.width,
        num_objects=len(entries),
        category_ids=tuple(category_ids),
        most_objects=int(seen.max()),
    )
