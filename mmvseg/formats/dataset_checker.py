"""Finds every problem of a data set with a json file, instead of stopping at the first.

Files are told apart by their content: the YouTube-VIS form, COCO instance files as videos of one
frame, and VIPSeg's. Lists of videos in VSPW's form have a checker of their own.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Raw, ValidationError

from mmvseg.errors import UserError
from mmvseg.media.names import leads_out

from .coco import parse_coco, to_coco_content
from .json_files import decode_json, read_json_bytes
from .pictures import DeepFrames, frame_rule
from .problems import Findings, Problem, no_annotations
from .vipseg_checker import check_vipseg
from .youtube_vis import Video, YouTubeVIS, outside_problems, parse, to_content


def check_dataset(
    ann_file: str | Path,
    root: str | Path | None,
    on_start: Callable[[int], None] = lambda steps: None,
    on_step: Callable[[], None] = lambda: None,
    masks: str | Path | None = None,
    allow_outside_root: bool = False,
) -> Iterator[Problem]:
    """Read a whole data set.

    Args:
        ann_file: annotation file.
        root: folder that the ``file_names`` are relative to, in VIPSeg's form that of the videos'
            folders; None leaves frames and masks alone.
        on_start: called with the number of steps.
        on_step: called after each of them.
        masks: in VIPSeg's form, folder of the videos' masks; ``panomasksRGB`` beside ``root`` if
            None.
        allow_outside_root: whether frames and masks may lie outside of their folders.

    Yields:
        Problems, in the order of the file: categories, videos, annotations, then the videos'
        frames.

    Raises:
        UserError: if the file is of none of the forms at all.
    """
    data, file = read_json_bytes(ann_file), str(ann_file)
    form = _form(data, file)
    if form == 'coco':
        content = to_coco_content(data, file)
        on_start(len(content.annotations) + len(content.images))
        found = parse_coco(content, file, on_step)
    elif form == 'vipseg':
        yield from check_vipseg(ann_file, root, masks, on_start, on_step, allow_outside_root)
        return
    else:
        content = to_content(data, file)
        on_start(len(content.annotations or ()) + len(content.videos))
        found = parse(content, file, on_annotation=on_step)
    yield from _check_videos(found, root, on_step, allow_outside_root)


def _form(data: bytes, file: str) -> str:
    """``coco`` or ``vipseg`` where a file is meant to be of that form; else ``youtube_vis``."""
    try:
        content = decode_json(data, file, dict[str, Raw])
        if 'images' in content and 'videos' not in content:
            return 'coco'
        videos = decode_json(content.get('videos', b'[]'), file, list[Raw])
    except ValidationError:
        return 'youtube_vis'
    return 'vipseg' if any(_lists_images(video, file) for video in videos) else 'youtube_vis'


def _lists_images(video: Raw, file: str) -> bool:
    try:
        return 'images' in decode_json(video, file, dict[str, Raw])
    except (ValidationError, UserError):  # what is wrong with it is found by who reads it
        return False


def _check_videos(
    found: Findings[YouTubeVIS],
    root: str | Path | None,
    on_step: Callable[[], None],
    allow_outside_root: bool,
) -> Iterator[Problem]:
    records = yield from found
    if not records.has_annotations:
        yield no_annotations(records.file)
    if not allow_outside_root:
        yield from outside_problems(records)
    deep = DeepFrames()
    with ThreadPoolExecutor() as pool:
        for video in records.videos.values():
            if root is not None:
                yield from _check_frames(video, Path(root), pool, allow_outside_root, deep)
            on_step()
    yield from deep.note(records.file)


def _check_frames(
    video: Video,
    root: Path,
    pool: ThreadPoolExecutor,
    allow_outside_root: bool,
    deep: DeepFrames,
) -> Iterator[Problem]:
    size = (video.height, video.width)

    def rule_of(name: str) -> str | None:
        if allow_outside_root:
            return frame_rule(root / name, size, deep=deep)
        # a name that leads out was reported, and is not followed
        return None if leads_out(name) else frame_rule(root / name, size, root=root, deep=deep)

    for frame, (name, rule) in enumerate(
        zip(video.file_names, pool.map(rule_of, video.file_names), strict=True)
    ):
        if rule:
            yield Problem(str(root / name), 'frame', rule, video=video.id, frame=frame)
