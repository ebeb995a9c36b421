"""Some of the videos and classes of a file."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from mmvseg.errors import UserError, counted

from .classes import with_classes
from .contents import Contents, class_counts
from .names import check_class_names, same_name, video_ids
from .split import select_videos
from .stratify import choose_videos


@dataclass(frozen=True)
class Wanted:
    """What is to stay of a file. None of all: everything.

    Attributes:
        videos: ids or names of videos.
        drop_videos: ids or names of videos that are not to stay.
        classes: names of classes.
        min_frames: least length of a video.
        drop_empty: whether videos without objects of these classes go.
        max_videos: how many of the videos that are left may stay.
        seed: which of them do.
    """

    videos: Sequence[str] | None = None
    drop_videos: Sequence[str] = ()
    classes: Sequence[str] | None = None
    min_frames: int = 1
    drop_empty: bool = False
    max_videos: int | None = None
    seed: int = 0


def subset(contents: Contents, wanted: Wanted) -> Contents:
    """The part of a file that is wanted, in its order.

    Raises:
        UserError: there is no video or class of such a name, or nothing is left.
    """
    if wanted.classes is not None:
        contents = _select_classes(contents, wanted.classes)
    counts = class_counts(contents)
    left = set(counts)
    if wanted.videos is not None:
        left &= video_ids(wanted.videos, contents, '--videos')
    left -= video_ids(wanted.drop_videos, contents, '--drop-videos')
    for entry in contents.videos:
        video = entry.values
        short = len(video.file_names) < wanted.min_frames
        if short or (wanted.drop_empty and not counts[video.id]):
            left.discard(video.id)
    if not left:
        raise UserError(
            f'{contents.file}: none of its {counted(len(counts), "videos")} is left; ask for less'
        )
    if wanted.max_videos is not None and wanted.max_videos < len(left):
        of_left = {video_id: counts[video_id] for video_id in left}
        left = choose_videos(of_left, wanted.max_videos, wanted.seed)
    return select_videos(contents, lambda video_id: video_id in left)


def _select_classes(contents: Contents, names: Sequence[str]) -> Contents:
    check_class_names(names, contents, '--classes')
    wanted = {same_name(name) for name in names}
    categories = [e for e in contents.categories if same_name(e.values.name) in wanted]
    same_ids = {entry.values.id: entry.values.id for entry in categories}
    return with_classes(dataclasses.replace(contents, categories=categories), same_ids)
