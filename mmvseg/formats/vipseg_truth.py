"""Reading ground truth and results of video panoptic segmentation in VIPSeg's layout.

A frame's PNG holds segment ids as R + 256 G + 65536 B, 0 for none; the json lists each frame's
segments with their classes.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmvseg.errors import UserError
from mmvseg.media.images import read_segment_map

from .json_fields import get_list, get_value, load_json

MAX_ID = 2**24 - 1


class PanopticCategory(NamedTuple):
    """A class of the ground truth."""

    id: int
    name: str
    is_thing: bool


class Listed(NamedTuple):
    """A segment as the json lists it in one frame.

    Attributes:
        label: place of its class in the ground truth's categories.
        is_crowd: whether predictions on it may be left out of the count.
        area: pixels as the json states them; 0 in predictions.
    """

    label: int
    is_crowd: bool = False
    area: float = 0.0


class PanopticFrame(NamedTuple):
    """A frame with its segments.

    Attributes:
        place: file, or video and frame, for messages.
        segments: the listed segments by id, in the order of the list.
        map: segment id of each pixel, 0 for none, (H, W).
    """

    place: str
    segments: dict[int, Listed]
    map: np.ndarray


@dataclass
class PanopticVideo:
    """A video in files.

    Attributes:
        masks: the PNG of each frame.
        segments: the segments of each frame by id, in the order of the list.
    """

    masks: list[Path]
    segments: list[dict[int, Listed]]

    def ids(self) -> np.ndarray:
        """All ids that are listed in some frame, ascending."""
        return np.array(sorted({i for frame in self.segments for i in frame}), np.int64)

    def frames(self) -> Iterator[PanopticFrame]:
        """Read one frame after the other.

        Raises:
            UserError: if a PNG is missing or of another kind.
        """
        for path, segments in zip(self.masks, self.segments, strict=True):
            yield PanopticFrame(str(path), segments, read_segment_map(path))


@dataclass
class PanopticTruth:
    """Ground truth.

    Attributes:
        source: name of the json, for messages.
        categories: the classes by ascending id.
        videos: the videos by id, in the order of the file; empty where nothing is annotated.
    """

    source: str
    categories: list[PanopticCategory]
    videos: dict[str, PanopticVideo]

    def labels(self) -> dict[int, int]:
        """Place of each category id in the categories."""
        return {category.id: label for label, category in enumerate(self.categories)}

    def is_thing(self) -> np.ndarray:
        """Whether each of the K classes is of things, (K,)."""
        return np.array([category.is_thing for category in self.categories], bool)


def find_ground_truth(path: str | Path) -> Path:
    """The json of a ground truth folder: its only ``panoptic_gt_*.json``, or that of ``*_val``.

    Args:
        path: the folder, or the json itself.

    Raises:
        UserError: if the folder has none, or several and not one of them ``*_val``.
    """
    path = Path(path)
    if not path.is_dir():
        return path
    found = sorted(path.glob('panoptic_gt_*.json'))
    if len(found) > 1:
        found = [file for file in found if file.stem.endswith('_val')] or found
    if len(found) != 1:
        names = ', '.join(file.name for file in found) or 'none'
        raise UserError(
            f'{path}: needs one panoptic_gt_*.json or one of *_val, has {names}; give the path of '
            'the json itself'
        )
    return found[0]


def load_truth(path: str | Path, mask_root: str | Path) -> PanopticTruth:
    """Read a ground truth json.

    Args:
        path: ``panoptic_gt_*.json``.
        mask_root: folder of the PNGs, ``panomasksRGB``.

    Raises:
        UserError: naming file, video, frame and field of what breaks the format.
    """
    source, content = str(path), load_json(path)
    if not isinstance(content, dict) or not isinstance(content.get('categories'), list):
        raise UserError(
            f"{source}: not a panoptic ground truth (an object with the lists 'videos', "
            "'annotations' and 'categories')"
        )
    categories = []
    for i, entry in enumerate(content['categories']):
        where = f'{source}: categories[{i}]'
        values = (get_value(entry, key, where) for key in ('id', 'name', 'isthing'))
        category = PanopticCategory(*values)
        categories.append(category._replace(is_thing=category.is_thing == 1))
    truth = PanopticTruth(source, sorted(categories), {})
    frames_of = _frames_of_videos(content.get('videos'), source)
    labels = truth.labels()
    if len(labels) < len(categories):
        raise UserError(f'{source}: two categories have one id')
    for i, entry in enumerate(content.get('annotations') or []):
        name, frames = _video_entry(entry, f'{source}: annotations[{i}]')
        where = f'{source}: video {name}'
        if name in truth.videos:
            raise UserError(f'{where}: is listed twice')
        stems = [_stem(frame, f'{where}, frame {t}') for t, frame in enumerate(frames)]
        if stems != frames_of.get(name, stems):
            raise UserError(f'{where}: its annotations are not in the order of its images')
        segments = [
            _frame_segments(frame, labels, f'{where}, frame {stem}', is_truth=True)
            for frame, stem in zip(frames, stems, strict=True)
        ]
        masks = [Path(mask_root) / name / f'{stem}.png' for stem in stems]
        truth.videos[name] = PanopticVideo(masks, segments)
    return truth


def load_results(folder: str | Path, truth: PanopticTruth) -> dict[str, PanopticVideo]:
    """Read the list of predictions, ``FOLDER/pred.json``; the PNGs are in ``FOLDER/pan_pred``.

    Args:
        folder: folder of the predictions.
        truth: what they are evaluated against.

    Returns:
        The predictions of each video of the ground truth; others are left out, as officially.

    Raises:
        UserError: naming file, video, frame and field of what is missing or breaks the format.
    """
    path = Path(folder) / 'pred.json'
    content = load_json(path)
    if not isinstance(content, dict) or not isinstance(content.get('annotations'), list):
        raise UserError(
            f"{path}: not a list of predictions (an object with the list 'annotations')"
        )
    entries = {}
    for i, entry in enumerate(content['annotations']):
        name, frames = _video_entry(entry, f'{path}: annotations[{i}]')
        if name in entries:
            raise UserError(f'{path}: video {name} is listed twice')
        entries[name] = frames
    missing = [name for name in truth.videos if name not in entries]
    if missing:
        raise UserError(
            f'{path}: {len(missing)} of {len(truth.videos)} videos of {truth.source} are missing, '
            f'the first is {missing[0]}; predict them too'
        )
    labels = truth.labels()
    return {
        name: _predicted_video(entries[name], video, labels, Path(folder), name)
        for name, video in truth.videos.items()
    }


def _predicted_video(
    frames: list, truth: PanopticVideo, labels: dict[int, int], folder: Path, name: str
) -> PanopticVideo:
    where = f'{folder / "pred.json"}: video {name}'
    if len(frames) != len(truth.masks):
        raise UserError(f'{where}: has {len(frames)} frames, the ground truth {len(truth.masks)}')
    segments = []
    for t, (frame, mask) in enumerate(zip(frames, truth.masks, strict=True)):
        place = f'{where}, frame {mask.stem}'
        stem = _stem(frame, f'{where}, frame {t}')
        if stem != mask.stem:
            raise UserError(
                f'{place}: the predictions have {stem} in its place; list the frames in the order '
                'of the ground truth'
            )
        segments.append(_frame_segments(frame, labels, place, is_truth=False))
    masks = [folder / 'pan_pred' / name / mask.name for mask in truth.masks]
    return PanopticVideo(masks, segments)


def _video_entry(entry: Any, where: str) -> tuple[str, list]:
    name = str(get_value(entry, 'video_id', where))
    return name, get_list(entry, 'annotations', f'{where} (video {name})')


def _frames_of_videos(videos: Any, source: str) -> dict[str, list[str]]:
    """Stems of the frames of each video, where the file lists them."""
    stems = {}
    for i, video in enumerate(videos or []):
        where = f'{source}: videos[{i}]'
        name = str(get_value(video, 'video_id', where))
        stems[name] = [_stem(image, where) for image in get_list(video, 'images', where)]
    return stems


def _stem(frame: Any, where: str) -> str:
    return Path(str(get_value(frame, 'file_name', where))).stem


def _frame_segments(
    frame: dict, labels: dict[int, int], where: str, is_truth: bool
) -> dict[int, Listed]:
    if not isinstance(frame.get('segments_info'), list):
        raise UserError(f"{where}: 'segments_info' must be a list")
    segments: dict[int, Listed] = {}
    for entry in frame['segments_info']:
        segment_id = get_value(entry, 'id', where)
        place = f'{where}: segment {segment_id}'
        if type(segment_id) is not int or not 0 < segment_id <= MAX_ID:
            raise UserError(f'{place}: the id must be an integer from 1 to {MAX_ID}; 0 means none')
        category_id = get_value(entry, 'category_id', place)
        if category_id not in labels:
            raise UserError(
                f'{place}: category_id {category_id!r} is not among the categories of the ground '
                'truth'
            )
        crowd, area = _truth_fields(entry, place) if is_truth else (False, 0.0)
        segment = Listed(labels[category_id], crowd, area)
        twin = segments.get(segment_id)
        if twin is not None:
            if twin[:2] != segment[:2]:
                raise UserError(f'{place}: is listed twice in the frame, with different classes')
            segment = segment._replace(area=twin.area + area)
        segments[segment_id] = segment
    return segments


def _truth_fields(entry: dict, place: str) -> tuple[bool, float]:
    crowd, area = get_value(entry, 'iscrowd', place), get_value(entry, 'area', place)
    if crowd not in (0, 1):
        raise UserError(f"{place}: 'iscrowd' must be 0 or 1, it is {crowd!r}")
    if not isinstance(area, Real) or not math.isfinite(area) or area < 0:
        raise UserError(f"{place}: 'area' must be a number of pixels, it is {area!r}")
    return bool(crowd), float(area)
