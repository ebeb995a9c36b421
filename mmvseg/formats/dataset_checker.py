"""Finds every problem of a data set with a json file, instead of stopping at the first.

Files are told apart by their content: the YouTube-VIS form, COCO instance files as videos of one
frame, VIPSeg's and that of Cityscapes-VPS. Lists of videos in VSPW's form and folders of maps in
that of STEP have checkers of their own.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from msgspec import Raw, ValidationError

from mmvseg.errors import UserError
from mmvseg.media.names import leads_out

from .coco import parse_coco, to_coco_content
from .json_files import decode_json, read_json_bytes
from .pictures import DeepFrames, checked_frame
from .problems import Findings, Level, Problem, no_annotations
from .tracks import end_with_first_frame
from .vipseg_checker import PANOPTIC_FORMS, check_vipseg
from .youtube_vis import Video, YouTubeVIS, outside_problems, parse, to_content

_PANOPTIC_TITLES = dict(vipseg='VIPSeg', cityscapes_vps='Cityscapes-VPS')


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
        masks: of panoptic files, folder of the masks; that of their form beside ``root`` if None.
        allow_outside_root: whether frames and masks may lie outside of their folders.

    Yields:
        Problems in the order of the file, of categories, videos and annotations, then of the
        videos' frames.

    Raises:
        UserError: if the file is of none of the forms at all.

    Example:
        >>> list(check_dataset('shapes/val.json', 'shapes/val/JPEGImages'))
        []
        >>> text = Path('shapes/val.json').read_text().replace('00003.jpg', 'x.jpg', 1)
        >>> _ = Path('broken.json').write_text(text)
        >>> print(next(check_dataset('broken.json', 'shapes/val/JPEGImages')))
        shapes/val/JPEGImages/shapes_00000/x.jpg: video 1, frame 3, frame: missing file
    """
    data, file = read_json_bytes(ann_file), str(ann_file)
    form = _form(data, file)
    if form in PANOPTIC_FORMS:
        yield from check_vipseg(ann_file, root, masks, on_start, on_step, allow_outside_root, form)
        return
    found = _parse_tracks(data, file, form, on_start, on_step, allow_outside_root)
    yield from _check_videos(found, root, on_step, allow_outside_root)


def parse_tracks(
    ann_file: str | Path,
    on_step: Callable[[], None] = lambda: None,
    allow_outside_root: bool = False,
) -> Findings[YouTubeVIS]:
    """Read a file in the form of YouTube-VIS, or of COCO's instances, whatever is wrong with it.

    Args:
        ann_file: annotation file.
        on_step: called after each annotation.
        allow_outside_root: whether frames may lie outside of their folder.

    Yields:
        What :func:`check_dataset` says of the file itself.

    Returns:
        What is sound.

    Raises:
        UserError: the file is of neither form.
    """
    data, file = read_json_bytes(ann_file), str(ann_file)
    form = _form(data, file)
    if form in PANOPTIC_FORMS:
        title = _PANOPTIC_TITLES[form]
        raise UserError(f'{file}: in the form of {title}, which has no tracks; see mmvseg check')
    found = _parse_tracks(data, file, form, lambda steps: None, on_step, allow_outside_root)
    return (yield from found)


def checked_video_frame(
    video: Video, frame: int, root: Path, allow_outside_root: bool, deep: DeepFrames
) -> tuple[np.ndarray | None, str | None]:
    """A frame of a video, and the rule that it breaks.

    Returns:
        As of :func:`.pictures.checked_frame`; neither for a name that leads out of the folder,
        which is reported with the file, and is not followed.
    """
    name, size = video.file_names[frame], (video.height, video.width)
    if allow_outside_root:
        return checked_frame(root / name, size, deep=deep)
    if leads_out(name):
        return None, None
    return checked_frame(root / name, size, root=root, deep=deep)


def frame_problem(video: Video, frame: int, root: Path, rule: str) -> Problem:
    """The problem that a frame of a video breaks a rule."""
    path = str(root / video.file_names[frame])
    return Problem(path, 'frame', rule, video=video.id, frame=frame)


def _form(data: bytes, file: str) -> str:
    """The form that a file is meant to be of; ``youtube_vis`` if it looks like no other."""
    try:
        content = decode_json(data, file, dict[str, Raw])
        if 'images' in content and 'videos' not in content:
            categories = decode_json(content.get('categories', b'[]'), file, list[Raw])
            is_panoptic = any(_has_key(category, 'isthing', file) for category in categories)
            return 'cityscapes_vps' if is_panoptic else 'coco'
        videos = decode_json(content.get('videos', b'[]'), file, list[Raw])
    except ValidationError:
        return 'youtube_vis'
    return 'vipseg' if any(_has_key(video, 'images', file) for video in videos) else 'youtube_vis'


def _has_key(entry: Raw, key: str, file: str) -> bool:
    try:
        return key in decode_json(entry, file, dict[str, Raw])
    except (ValidationError, UserError):  # what is wrong with it is found by who reads it
        return False


def _parse_tracks(
    data: bytes,
    file: str,
    form: str,
    on_start: Callable[[int], None],
    on_step: Callable[[], None],
    allow_outside_root: bool,
) -> Findings[YouTubeVIS]:
    if form == 'coco':
        coco = to_coco_content(data, file)
        on_start(len(coco.annotations) + len(coco.images))
        records = yield from parse_coco(coco, file, on_step)
    else:
        content = to_content(data, file)
        on_start(len(content.annotations or ()) + len(content.videos))
        records = yield from parse(content, file, on_annotation=on_step)
    if not records.has_annotations:
        yield no_annotations(records.file)
    if end_with_first_frame(records.annotations):
        rule = 'all lie in the first frames of their videos, so nothing can be scored against them'
        yield Problem(records.file, 'annotations', rule, level=Level.NOTE)
    yield from _check_class_lists(records)
    if not allow_outside_root:
        yield from outside_problems(records)
    return records


def _check_videos(
    found: Findings[YouTubeVIS],
    root: str | Path | None,
    on_step: Callable[[], None],
    allow_outside_root: bool,
) -> Iterator[Problem]:
    records = yield from found
    deep = DeepFrames()
    with ThreadPoolExecutor() as pool:
        for video in records.videos.values():
            if root is not None:
                yield from _check_frames(video, Path(root), pool, allow_outside_root, deep)
            on_step()
    yield from deep.note(records.file)


def _check_class_lists(records: YouTubeVIS) -> Iterator[Problem]:
    """What BURST's lists of classes that a video lacks, or has more of, contradict."""
    known = {category.id for category in records.categories}
    for video in records.videos.values():
        for field in ('neg_category_ids', 'not_exhaustive_category_ids'):
            if unknown := sorted({*(getattr(video, field) or ())} - known):
                rule = f'unknown categories {", ".join(map(str, unknown))}'
                yield Problem(records.file, field, rule, video=video.id, level=Level.FLAW)
    for annotation in records.annotations:
        video = records.videos.get(annotation.video_id)
        if video and annotation.category_id in (video.neg_category_ids or ()):
            rule = f'category {annotation.category_id} is said to be absent from the video'
            where = dict(video=video.id, annotation=annotation.id, level=Level.FLAW)
            yield Problem(records.file, 'category_id', rule, **where)


def _check_frames(
    video: Video,
    root: Path,
    pool: ThreadPoolExecutor,
    allow_outside_root: bool,
    deep: DeepFrames,
) -> Iterator[Problem]:
    def rule_of(frame: int) -> str | None:
        return checked_video_frame(video, frame, root, allow_outside_root, deep)[1]

    for frame, rule in enumerate(pool.map(rule_of, range(len(video.file_names)))):
        if rule:
            yield frame_problem(video, frame, root, rule)
