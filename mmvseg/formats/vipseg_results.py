"""Panoptic ground truth and results in VIPSeg's layout, as they are compared and drawn.

Results are ``pred.json``, whose entries need less than those of the ground truth, and ``pan_pred``
with a segment map a frame.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec import Raw, Struct, ValidationError

from mmvseg.errors import UserError
from mmvseg.media.images import read_segment_map

from .categories import Category
from .json_files import decode_entries, decode_json, read_json_bytes
from .problems import Findings, Problem, strictly
from .vipseg import (
    AnnotationEntry,
    PredictedFrame,
    PredictedSegment,
    Segment,
    VIPSeg,
    order_rule,
    read_segments,
    read_vipseg,
)


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
        videos: the annotated videos by name, in the order of the file.
        unannotated: names of the others, which are left out.
    """

    source: str
    categories: list[Category]
    videos: dict[str, PanopticVideo]
    unannotated: set[str]

    def labels(self) -> dict[int, int]:
        """Place of each category id in the categories."""
        return {category.id: label for label, category in enumerate(self.categories)}

    def is_thing(self) -> np.ndarray:
        """Whether each of the K classes is of things, (K,)."""
        return np.array([category.is_thing for category in self.categories], bool)


class ResultsContent(Struct):
    """The whole ``pred.json``, entries not yet decoded."""

    annotations: Raw


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
        UserError: naming file, video, frame, segment and field of the first fault.
    """
    return to_truth(read_vipseg(path), mask_root)


def to_truth(content: VIPSeg, mask_root: str | Path) -> PanopticTruth:
    """The same from a file that is read already."""
    categories = sorted(content.categories, key=lambda category: category.id)
    annotated = {name: video for name, video in content.videos.items() if video.annotated}
    truth = PanopticTruth(content.file, categories, {}, set(content.videos) - set(annotated))
    labels = truth.labels()
    for name, video in annotated.items():
        segments = [_listed_truth(frame.segments, labels) for frame in video.frames]
        truth.videos[name] = PanopticVideo(video.mask_paths(mask_root), segments)
    return truth


def _listed_truth(segments: Sequence[Segment], labels: dict[int, int]) -> dict[int, Listed]:
    """By id; the areas of an id that is listed several times are officially added up."""
    listed: dict[int, Listed] = {}
    for segment in segments:
        area = segment.area
        if segment.id in listed:
            area += listed[segment.id].area
        label = labels[segment.category_id]
        listed[segment.id] = Listed(label, bool(segment.iscrowd), area)
    return listed


def load_results(folder: str | Path, truth: PanopticTruth) -> dict[str, PanopticVideo]:
    """Read the list of predictions, ``FOLDER/pred.json``; the PNGs are in ``FOLDER/pan_pred``.

    Args:
        folder: folder of the predictions.
        truth: what they are evaluated against.

    Returns:
        The predictions of each video of the ground truth; others are left out, as officially.

    Raises:
        UserError: naming file, video, frame, segment and field of what is missing or wrong.
    """
    path = Path(folder) / 'pred.json'
    try:
        content = decode_json(read_json_bytes(path), path, ResultsContent)
    except ValidationError:
        raise UserError(
            f"{path}: not a list of predictions (an object with the list 'annotations')"
        ) from None
    found = strictly(_read_results(content, str(path), truth), advice='')
    missing = [name for name in truth.videos if name not in found]
    if missing:
        raise UserError(
            f'{path}: {len(missing)} of {len(truth.videos)} videos of {truth.source} are missing, '
            f'the first is {missing[0]}; predict them too'
        )
    return {
        name: PanopticVideo(
            [Path(folder, 'pan_pred', name, mask.name) for mask in video.masks], found[name]
        )
        for name, video in truth.videos.items()
    }


def _read_results(
    content: ResultsContent, file: str, truth: PanopticTruth
) -> Findings[dict[str, list[dict[int, Listed]]]]:
    """The predicted segments of each frame of the ground truth's videos."""
    entries = yield from decode_entries(
        content.annotations, AnnotationEntry, file, 'annotations', {}, video='video_id'
    )
    labels = truth.labels()
    seen: set[str] = set()
    found = {}
    for entry in entries:
        name = str(entry.video_id)
        if name in seen:
            yield Problem(file, 'annotations', 'the video is listed twice', video=name)
        seen.add(name)
        if name in truth.videos:
            masks = truth.videos[name].masks
            found[name] = yield from _read_frames(entry.annotations, name, masks, labels, file)
    return found


def _read_frames(
    raw: Raw, name: str, masks: Sequence[Path], labels: dict[int, int], file: str
) -> Findings[list[dict[int, Listed]]]:
    place = dict(video=name)
    frames = yield from decode_entries(raw, PredictedFrame, file, 'annotations', place, 'frame')
    if len(frames) != len(masks):
        rule = f'{len(frames)} entries, but the video has {len(masks)} frames'
        yield Problem(file, 'annotations', rule, **place)
    found = []
    for index, (frame, mask) in enumerate(zip(frames, masks, strict=True)):
        where = dict(video=name, frame=index)
        if rule := order_rule(frame.file_name, mask.name):
            yield Problem(file, 'file_name', rule, **where)
        segments = yield from read_segments(
            frame.segments_info, PredictedSegment, labels.keys(), file, **where
        )
        found.append({segment.id: Listed(labels[segment.category_id]) for segment in segments})
    return found
