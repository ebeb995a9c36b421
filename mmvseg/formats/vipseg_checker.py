"""Finds every problem of a data set in VIPSeg's form: json, frames and segment maps."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mmvseg.errors import UserError

from .checker_parts import check_categories, no_annotations
from .problems import Problem
from .vipseg_pixels import FramePixels, check_pixels
from .vipseg_segments import SegmentChecker

MASKS = 'panomasksRGB'


def is_vipseg(content: Any) -> bool:
    """Whether the content of a json file is meant to be of VIPSeg's form."""
    videos = content.get('videos') if isinstance(content, dict) else None
    return isinstance(videos, list) and any(
        isinstance(video, dict) and 'images' in video for video in videos
    )


def check_vipseg(
    content: dict,
    ann_file: str | Path,
    root: str | Path | None,
    masks: str | Path | None,
    on_start: Callable[[int], None],
    on_step: Callable[[], None],
) -> Iterator[Problem]:
    """Check a loaded json and, video by video, its pictures.

    Args:
        content: of the json.
        ann_file: the json, for messages.
        root: folder of the videos' frames; None leaves frames and masks alone.
        masks: folder of the videos' masks; ``panomasksRGB`` beside ``root`` if None.
        on_start: called with the number of videos.
        on_step: called after each video.

    Raises:
        UserError: if ``categories`` or ``annotations`` are no lists.
    """
    file = str(ann_file)
    if not isinstance(content.get('categories'), list):
        raise UserError(f"annotation file {file}: not a VIPSeg file (no list 'categories')")
    annotations = content.get('annotations') or []
    if not isinstance(annotations, list):
        raise UserError(f"annotation file {file}: 'annotations' is neither a list nor null")
    on_start(len(content['videos']))
    categories = yield from check_categories(content['categories'], file, panoptic=True)
    videos: dict[str, dict] = {}
    for position, video in enumerate(content['videos']):
        yield from _check_video(video, position, videos, file)
    annotated: dict[str, list] = {}
    for position, entry in enumerate(annotations):
        yield from _check_entry(entry, position, videos, annotated, file)
    if not annotations:
        yield no_annotations(file)
    if root is not None and masks is None:
        masks = Path(root).parent / MASKS
    with ThreadPoolExecutor() as pool:
        for name, video in videos.items():
            if annotations and name not in annotated:
                yield Problem(file, 'annotations', 'has none', video=name)
            frames = annotated.get(name)
            checker = SegmentChecker(name, video['images'], frames, categories, file)
            pixels = yield from checker.check()
            if root is not None:
                folders = Path(root, name), Path(masks, name)
                yield from _check_pictures(pixels, folders, name, file, pool)
            on_step()


def _check_video(video: Any, position: int, videos: dict, file: str) -> Iterator[Problem]:
    """Yields problems; enters the video into ``videos`` if it can be looked into further."""
    field = f'videos[{position}]'
    if not isinstance(video, dict) or not {'video_id', 'images'} <= set(video):
        yield Problem(file, field, 'needs a video_id and images')
        return
    name, images = video['video_id'], video['images']
    if not isinstance(name, str) or not name:
        yield Problem(file, field, f'video_id {name!r} is not the name of a folder')
    elif name in videos:
        yield Problem(file, 'video_id', 'duplicate video id', video=name)
    elif not isinstance(images, list):
        yield Problem(file, 'images', 'is not a list', video=name)
    else:
        if not images:
            yield Problem(file, 'images', 'is empty: a video without frames', video=name)
        videos[name] = video


def _check_entry(
    entry: Any, position: int, videos: dict, annotated: dict, file: str
) -> Iterator[Problem]:
    """Yields problems; enters the list of annotated frames into ``annotated`` by video."""
    field = f'annotations[{position}]'
    if not isinstance(entry, dict) or not {'video_id', 'annotations'} <= set(entry):
        yield Problem(file, field, 'needs a video_id and annotations')
        return
    name, frames = entry['video_id'], entry['annotations']
    if not isinstance(name, str):
        yield Problem(file, field, f'video_id {name!r} is not the name of a folder')
        return
    if name not in videos:
        yield Problem(file, field, 'no such video', video=name)
    if name in annotated:
        yield Problem(file, field, 'the video is annotated twice', video=name)
        return
    if not isinstance(frames, list):
        yield Problem(file, field, 'annotations is not a list', video=name)
        frames = []
    annotated[name] = frames


def _check_pictures(
    pixels: list[FramePixels],
    folders: tuple[Path, Path],
    video: str,
    file: str,
    pool: ThreadPoolExecutor,
) -> Iterator[Problem]:
    for problems in pool.map(lambda frame: check_pixels(frame, *folders, video, file), pixels):
        yield from problems
