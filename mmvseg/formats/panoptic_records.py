"""What the files of panoptic video data sets hold, whatever their form: videos, frames, segments.

Data sets, evaluation, checker and drawing work on these records, so that a form is a reader that
makes them.
"""

import os.path
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from msgspec import Meta, Struct

from mmvseg.media.images import read_segment_map

from .categories import Category
from .json_files import Box, Flag, Id, Side, Text

MAX_SEGMENT_ID = 2**24 - 1

Folder = Annotated[str, Meta(min_length=1, description='the name of a folder')]
File = Annotated[str, Meta(min_length=1, description='the name of a file')]
SegmentId = Annotated[
    int, Meta(ge=1, le=MAX_SEGMENT_ID, description=f'an integer from 1 to {MAX_SEGMENT_ID}')
]
Area = Annotated[float, Meta(ge=0, description='a number of at least 0')]


class ImageEntry(Struct):
    """A frame in ``images`` of a video."""

    id: Id | Text
    height: Side
    width: Side
    file_name: File


class PredictedSegment(Struct, gc=False):
    """An entry of ``segments_info``, as far as results need it."""

    id: SegmentId
    category_id: Id


class Segment(PredictedSegment, gc=False):
    """An entry of ``segments_info``."""

    iscrowd: Flag
    area: Area
    bbox: Box | None = None
    isthing: Flag | None = None


@dataclass(slots=True)
class Frame:
    """A frame with its segments.

    Attributes:
        index: 0-based.
        image: its picture.
        mask: its segment map; None if it is not annotated.
        segments: in the order of the file.
        complete: whether all of them are sound, so that other ids are surely not listed.
    """

    index: int
    image: ImageEntry
    mask: Path | None = None
    segments: list[Segment] = field(default_factory=list)
    complete: bool = True

    @property
    def map_name(self) -> str:
        """What the file of its segment map is called in results."""
        return f'{without_suffix(os.path.basename(self.image.file_name))}.png'


@dataclass(slots=True)
class Video:
    """A video.

    Attributes:
        name: of its folders.
        height, width: of its frames, in pixels.
        length: number of frames.
        frames: in order of time.
        annotated: whether the file says what their segments are.
    """

    name: str
    height: int
    width: int
    length: int
    frames: list[Frame]
    annotated: bool = False

    def frame_paths(self, root: str | Path) -> list[str]:
        """The pictures, ``root`` being the folder of the videos."""
        folder = Path(root, self.name)
        return [str(frame_path(folder, frame.image.file_name)) for frame in self.frames]

    def read_map(self, path: str | Path, size: tuple[int, int] | None = None) -> np.ndarray:
        """A segment map as ids, (H, W), 0 for none; see :func:`.read_segment_map`."""
        return read_segment_map(path, size)

    def png_id(self, segment: int) -> int:
        """R + 256 G + 65536 B of a segment in a map."""
        return segment

    def segment_ids(self) -> np.ndarray:
        """All ids that are listed in some frame, ascending."""
        ids = {segment.id for frame in self.frames for segment in frame.segments}
        return np.array(sorted(ids), np.int64)


class PanopticFrame(NamedTuple):
    """A frame with its segments.

    Attributes:
        place: file, or video and frame, for messages.
        segments: those that are listed, in their order.
        map: segment id of each pixel, 0 for none, (H, W).
    """

    place: str
    segments: Sequence[PredictedSegment]
    map: np.ndarray


@dataclass(slots=True)
class PanopticSet:
    """The videos of an annotation file, or of a folder of maps.

    Attributes:
        file: its name.
        categories: in the file's order.
        videos: by name, in the file's order.
        has_annotations: whether it annotates any video; that of a test split does not.
        form: ``vipseg``, ``cityscapes_vps`` or ``step``, which says how results are scored.
    """

    file: str
    categories: list[Category]
    videos: dict[str, Video]
    has_annotations: bool
    form: str = 'vipseg'

    @property
    def annotated(self) -> dict[str, Video]:
        """The videos that count in evaluation."""
        return {name: video for name, video in self.videos.items() if video.annotated}

    @property
    def classes(self) -> list[Category]:
        """The categories by ascending id, the order in which evaluation counts them."""
        return sorted(self.categories, key=lambda category: category.id)


def read_frames(video: Video) -> Iterator[PanopticFrame]:
    """Read the frames of an annotated or predicted video, one after the other.

    Raises:
        UserError: if a PNG is missing or of another kind.
    """
    for frame in video.frames:
        yield PanopticFrame(str(frame.mask), frame.segments, video.read_map(frame.mask))


def frame_path(folder: Path, name: str) -> Path:
    """A frame's file in its video's folder; the json may name it like its map, with ``.png``."""
    path = folder / name
    # os.path, unlike Path, is silent about names that are too long
    return path.with_suffix('.jpg') if path.suffix == '.png' and not os.path.exists(path) else path


def without_suffix(name: str) -> str:
    """The name of a file without its last suffix."""
    return os.path.splitext(name)[0]
