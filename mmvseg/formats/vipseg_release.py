"""Where the frames and masks of a VIPSeg release lie, and which segments the masks hold.

The raw release has ``imgs``, ``panomasks`` and lists of videos; what the official conversion makes
of it has ``images`` (or ``imgs``), ``panomasksRGB`` and ``panoptic_gt_VIPSeg_<split>.json``.
"""

import os
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from mmvseg.errors import UserError, counted
from mmvseg.media.images import read_grey_map, read_segment_map

from .categories import Category, load_table
from .panoptic_records import Frame
from .problems import strictly
from .vipseg import read_vipseg
from .vspw import read_video_names

SPLITS = ('train', 'val', 'test')
JSON_NAME = 'panoptic_gt_VIPSeg_{}.json'
#: From this value on, a raw mask holds 100 * (category id + 1) + number of the object.
_FIRST_OBJECT = 125


@dataclass(frozen=True)
class SourceFrame:
    """A frame of a release.

    Attributes:
        image_id: its id in the json.
        image: the picture.
        mask: the segment map; None where a split has none.
        segments: ``(category id, iscrowd)`` by segment id; None of a raw mask.
    """

    image_id: str | int
    image: Path
    mask: Path | None
    segments: dict[int, tuple[int, int]] | None = None


@dataclass(frozen=True)
class SourceSplit:
    """The videos of a split, frames in order of time, and its categories."""

    name: str
    videos: dict[str, list[SourceFrame]]
    categories: list[Category]


@dataclass(frozen=True)
class VIPSegSource:
    """A release: its folder and its splits."""

    root: Path
    splits: list[SourceSplit]

    @property
    def frames(self) -> list[SourceFrame]:
        """Those of all splits."""
        videos = (frames for split in self.splits for frames in split.videos.values())
        return list(chain.from_iterable(videos))

    @property
    def is_raw(self) -> bool:
        """Whether there are masks in the raw coding."""
        return any(frame.mask is not None and frame.segments is None for frame in self.frames)


def find_source(root: Path) -> VIPSegSource:
    """Look through a release, raw or converted; where a split has a json it counts.

    Raises:
        UserError: if files are missing or a json is damaged.
    """
    if not root.is_dir():
        raise UserError(f'{root}: no such folder')
    images = next((path for path in (root / 'images', root / 'imgs') if path.is_dir()), None)
    if images is None:
        raise UserError(
            f'{root}: no VIPSeg release: there is neither imgs (raw) nor images (converted) in it'
        )
    splits = []
    for name in SPLITS:
        json_file, listing = root / JSON_NAME.format(name), root / f'{name}.txt'
        if json_file.is_file():
            splits.append(_read_converted(name, json_file, images, root / 'panomasksRGB'))
        elif listing.is_file():
            splits.append(_read_raw(name, listing, images, root / 'panomasks'))
    if not splits:
        names = f'{JSON_NAME.format("<split>")} or <split>.txt'
        raise UserError(f'{root}: no VIPSeg release: no {names} of {", ".join(SPLITS)} in it')
    return VIPSegSource(root, splits)


def _read_raw(name: str, listing: Path, images: Path, masks: Path) -> SourceSplit:
    videos = strictly(read_video_names(listing))
    annotated = any((masks / video).is_dir() for video in videos)
    if not annotated and name != 'test':
        raise UserError(f'{masks}: has no folder of any video of {listing}')
    split = {}
    for video in videos:
        stems = sorted(path.stem for path in (images / video).glob('*.jpg'))
        if not stems:
            raise UserError(f'{images / video}: no frames (*.jpg) of a video of {listing}')
        split[video] = [
            SourceFrame(
                image_id=stem,
                image=images / video / f'{stem}.jpg',
                mask=masks / video / f'{stem}.png' if annotated else None,
            )
            for stem in stems
        ]
    _check_files(split, listing)
    return SourceSplit(name, split, load_table('vipseg'))


def _read_converted(name: str, path: Path, images: Path, masks: Path) -> SourceSplit:
    content = read_vipseg(path, masks)
    split = {
        video.name: [_converted_frame(frame, images / video.name) for frame in video.frames]
        for video in content.videos.values()
    }
    _check_files(split, path)
    return SourceSplit(name, split, content.categories)


def _converted_frame(frame: Frame, images: Path) -> SourceFrame:
    image = images / f'{Path(frame.image.file_name).stem}.jpg'
    if frame.mask is None:
        return SourceFrame(frame.image.id, image, None)
    segments = {
        segment.id: (segment.category_id, int(segment.iscrowd)) for segment in frame.segments
    }
    return SourceFrame(frame.image.id, image, frame.mask, segments)


def _check_files(videos: dict[str, list[SourceFrame]], origin: Path) -> None:
    """Make sure, before the long run, that all files are there."""
    missing = [
        path
        for frames in videos.values()
        for frame in frames
        for path in (frame.image, frame.mask)
        if path is not None and not os.path.isfile(path)
    ]
    if missing:
        more = f' and {counted(len(missing) - 1, "files")} more' if len(missing) > 1 else ''
        raise UserError(f'{missing[0]}{more}: missing, but {origin} needs them')


def read_ids(frame: SourceFrame, size: tuple[int, int]) -> np.ndarray:
    """Segment id of each pixel of a frame, 0 for void, (H, W) int32.

    The values of a raw mask serve as ids: category id + 1 for stuff, from 125 on for objects.
    A stuff class has one id, even where the mask numbers its regions.

    Args:
        frame: with its mask.
        size: (height, width) of its picture.

    Raises:
        UserError: if the mask is damaged, of another size or holds values of no category.
    """
    if frame.segments is not None:
        return read_segment_map(frame.mask, size)
    values = read_grey_map(frame.mask, size)
    present = np.flatnonzero(np.bincount(values.ravel(), minlength=1))
    things = {category.id: category.is_thing for category in load_table('vipseg')}
    ids = np.zeros(present[-1] + 1, np.int32)
    for value in present[present > 0].tolist():
        category = raw_category(value)
        if category not in things:
            raise UserError(f'{frame.mask}: value {value} is of no category of VIPSeg')
        ids[value] = value if things[category] else category + 1
    return ids[values]


def raw_category(value: int) -> int:
    """Category id of a value, other than 0, of a raw mask."""
    return value // 100 - 1 if value >= _FIRST_OBJECT else value - 1
