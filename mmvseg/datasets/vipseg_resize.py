"""Resizes a VIPSeg release to a common height: frames, masks and annotations.

The published 720p form: height 720, width int(720 * width / height). Its script resizes frames
alone; here the segments' areas and boxes are measured anew on the resized masks.
"""

import json
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from mmvseg.errors import UserError, counted
from mmvseg.files import write_bytes, write_json
from mmvseg.formats.json_files import load_json
from mmvseg.formats.segment_maps import find_regions
from mmvseg.formats.vipseg_release import (
    JSON_NAME,
    SourceFrame,
    SourceSplit,
    VIPSegSource,
    raw_category,
    read_ids,
)
from mmvseg.media.images import read_image, read_segment_map, write_image, write_segment_map

#: What a folder was made from, so that it is only continued with the same.
SETTINGS = 'resize.json'
#: Frames a worker gets at a time.
_CHUNK = 2
_ERRORS_NAMED = 10


@dataclass(frozen=True)
class _Done:
    """A resized frame: its size and the entries of its segments; or why it cannot be read."""

    size: tuple[int, int] = (0, 0)
    segments: list[dict] | None = None
    error: str | None = None


def resize_vipseg(
    source: VIPSegSource,
    out: Path,
    height: int = 720,
    jobs: int = 1,
    on_frame: Callable[[], None] = lambda: None,
) -> list[Path]:
    """Write ``images``, ``panomasksRGB`` and ``panoptic_gt_VIPSeg_<split>.json``.

    Frames that are there already are left as they are, so that an interrupted run goes on.

    Args:
        source: raw or converted release, see :func:`find_source`.
        out: folder to write.
        height: of the frames, in pixels.
        jobs: number of processes.
        on_frame: called after each frame.

    Returns:
        The json files.

    Raises:
        UserError: if frames of the source are damaged, ``out`` was made from another one or with
            another height, or it cannot be written.
    """
    _claim(source, out, height)
    written, errors = [], []
    with _workers(jobs) as apply:
        for split in source.splits:
            frames = [(video, frame) for video, frames in split.videos.items() for frame in frames]
            results = []
            for result in apply(partial(_resize_frame, out=out, height=height), frames):
                results.append(result)
                on_frame()
            failed = [result.error for result in results if result.error]
            errors += failed
            if not failed:
                path = out / JSON_NAME.format(split.name)
                write_bytes(path, json.dumps(_make_content(split, results)).encode())
                written.append(path)
    if errors:
        named = '\n  '.join(errors[:_ERRORS_NAMED])
        more = f'\n  and {len(errors) - _ERRORS_NAMED} more' if errors[_ERRORS_NAMED:] else ''
        raise UserError(
            f'{counted(len(errors), "frames")} cannot be read; mend that and run again, the others '
            'are done:'
            f'\n  {named}{more}'
        )
    return written


def _claim(source: VIPSegSource, out: Path, height: int) -> None:
    """Make ``out`` the folder of these settings, or find that it is."""
    if out.resolve() == source.root.resolve():
        raise UserError(f'{out}: is the source itself; name another folder')
    path = out / SETTINGS
    settings = dict(source=str(source.root.resolve()), raw=source.is_raw, height=height)
    if path.is_file():
        before = load_json(path)
        if before != settings:
            raise UserError(
                f'{out}: was made with {before}, now asked for {settings}; name another folder, '
                'or delete this one'
            )
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f'{out}: exists, and was not begun by this tool; name another folder')
    else:
        write_json(path, settings)


@contextmanager
def _workers(jobs: int) -> Iterator[Callable]:
    """Something like ``map`` that works in ``jobs`` processes."""
    if jobs == 1:
        yield map
        return
    # A server that has imported this module forks quickly and holds no threads or locks of ours.
    context = get_context('forkserver')
    context.set_forkserver_preload([__name__])
    pool = ProcessPoolExecutor(jobs, context, _begin_worker)
    try:
        yield partial(pool.map, chunksize=_CHUNK)
    except BrokenProcessPool as error:
        raise UserError(
            'a worker process was killed (out of memory?); run again with fewer --jobs to go on'
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    # Ctrl-C is for the main process, which lets the workers finish their frames.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)


def _resize_frame(entry: tuple[str, SourceFrame], out: Path, height: int) -> _Done:
    video, frame = entry
    image_path = out / 'images' / video / frame.image.name
    mask_path = out / 'panomasksRGB' / video / f'{frame.image.stem}.png'
    # The picture is written last: where it is, the mask is too.
    if image_path.is_file():
        return _measure_done(frame, image_path, mask_path)
    try:
        image = read_image(frame.image)
        old = image.shape[:2]
        ids = None if frame.mask is None else read_ids(frame, old)
    except UserError as error:
        return _Done(error=str(error))
    size = (height, max(int(height * old[1] / old[0]), 1))
    segments = None
    if ids is not None:
        ids = np.asarray(Image.fromarray(ids).resize(size[::-1], Image.Resampling.NEAREST))
        segments = _describe(ids, frame)
        write_segment_map(mask_path, ids)
    if size == old:  # another round of JPEG would only blur
        write_bytes(image_path, frame.image.read_bytes())
    else:
        resized = Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR)
        write_image(image_path, np.asarray(resized))
    return _Done(size, segments)


def _measure_done(frame: SourceFrame, image_path: Path, mask_path: Path) -> _Done:
    """What :func:`_resize_frame` returned when it made these files."""
    try:
        if frame.mask is None:
            return _Done(read_image(image_path).shape[:2])
        ids = read_segment_map(mask_path)
    except UserError as error:
        return _Done(error=f'{error}; delete {image_path} to have it made again')
    return _Done(ids.shape, _describe(ids, frame))


def _describe(ids: np.ndarray, frame: SourceFrame) -> list[dict]:
    """The ``segments_info`` of the segments that are still there."""
    entries = []
    for segment_id, region in find_regions(ids).items():
        if frame.segments is None:
            known = (raw_category(segment_id), 0) if segment_id else None
        else:
            known = frame.segments.get(segment_id)
        if known:
            category_id, iscrowd = known
            entry = dict(id=segment_id, category_id=category_id, iscrowd=iscrowd)
            entries.append(entry | dict(area=region.area, bbox=region.box))
    return entries


def _make_content(split: SourceSplit, results: list[_Done]) -> dict:
    """The json of a split; ``results`` are in the order of its frames."""
    videos, annotations, rest = [], [], iter(results)
    for video, frames in split.videos.items():
        images, masks = [], []
        for frame, done in zip(frames, rest, strict=False):
            height, width = done.size
            name = dict(file_name=frame.image.name)
            images.append(dict(id=frame.image_id, width=width, height=height, **name))
            if done.segments is not None:
                name = dict(file_name=f'{frame.image.stem}.png')
                masks.append(dict(image_id=frame.image_id, **name, segments_info=done.segments))
        videos.append(dict(video_id=video, images=images))
        if masks:
            annotations.append(dict(video_id=video, annotations=masks))
    categories = [
        dict(id=c.id, name=c.name, isthing=int(c.is_thing))
        | (dict(color=c.color) if c.color else {})
        for c in split.categories
    ]
    return dict(videos=videos, annotations=annotations, categories=categories)
