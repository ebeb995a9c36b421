"""The form of KITTI-STEP and MOTChallenge-STEP: a folder a sequence, a map a frame, no json.

A map, ``panoptic_maps/<split>/<sequence>/<frame>.png``, holds a class and a number of an instance a
pixel: R = class, G = number // 256, B = number % 256. Class 255 is void. The pixels of stuff have
the number 0; those of a thing with the number 0 belong to no track: they are a crowd.

Inside, a pixel's segment is 1 + class + 256 * number, and void is 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmvseg.errors import UserError, counted
from mmvseg.media.images import read_image_size, read_segment_map
from mmvseg.media.names import natural_key

from .categories import Category, load_table
from .panoptic_records import Frame, ImageEntry, PanopticSet, Segment, Video
from .problems import Findings, Problem, strictly
from .segment_maps import find_regions
from .vspw import find_categories, list_frames, list_masks, read_category_file

VOID = 255
LAST_CATEGORY_ID = 254
MAX_INSTANCE = 2**16 - 1
#: Published tables of classes.
VERSIONS = ('kitti_step', 'motchallenge_step')


def segment_id(category_id: int, instance: int) -> int:
    """The id of the segment that has a class and a number."""
    return 1 + category_id + 256 * instance


def split_id(number: int) -> tuple[int, int]:
    """Class and number of a segment's id."""
    instance, category_id = divmod(number - 1, 256)
    return category_id, instance


def read_step_map(path: str | Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """Read a map as ids of segments, (H, W) int32, see :func:`segment_id`; 0 is void.

    Args:
        path: the file.
        size: (height, width) that it must have, those of the sequence's frames.

    Raises:
        UserError: if the file is missing, broken, not 8-bit RGB or of another size.
    """
    values = read_segment_map(path, size)
    # The number's high byte comes first in the file.
    numbers = (values >> 8 & 255) << 8 | values >> 16
    categories = values & 255
    return np.where(categories == VOID, 0, 1 + categories + 256 * numbers).astype(np.int32)


def step_colors(segments: Sequence[tuple[int, int]]) -> np.ndarray:
    """RGB of segments in a map, (N, 3) uint8, given class and number of each."""
    category_ids, instances = np.array(segments, np.int64).reshape(-1, 2).T
    return np.stack([category_ids, instances // 256, instances % 256], -1).astype(np.uint8)


def find_segments(
    ids: np.ndarray, categories: Mapping[int, Category], path: str | Path, crowds: bool
) -> list[Segment]:
    """The segments of a map.

    Args:
        ids: the map, (H, W).
        categories: by id.
        path: its file, for messages.
        crowds: whether a thing with the number 0 is a crowd, as in the ground truth; in
            predictions it is a segment as all others.

    Raises:
        UserError: a pixel's class is neither void nor one of these.
    """
    segments = []
    for number, region in find_regions(ids).items():
        if number == 0:
            continue
        category_id, instance = split_id(number)
        category = categories.get(category_id)
        if category is None:
            pixels, known = counted(region.area, 'pixels'), ', '.join(map(str, categories))
            raise UserError(
                f'{path}: {pixels} of class {category_id} (red channel), which is none of {known} '
                f'and not void ({VOID}); are these the classes of the data?'
            )
        is_crowd = crowds and category.is_thing and instance == 0
        segments.append(Segment(number, category_id, is_crowd, region.area, region.box))
    return segments


class StepFrame(Frame):
    """A frame whose segments are read from its map when they are asked for."""

    __slots__ = ('_categories', '_crowds', '_found')

    def __init__(
        self,
        index: int,
        image: ImageEntry,
        mask: Path,
        categories: Mapping[int, Category],
        crowds: bool,
    ) -> None:
        self.index, self.image, self.mask, self.complete = index, image, mask, True
        self._categories, self._crowds = categories, crowds
        self._found: list[Segment] | None = None

    @property
    def segments(self) -> list[Segment]:
        """The segments, see :func:`find_segments`."""
        if self._found is None:
            ids = read_step_map(self.mask, (self.image.height, self.image.width))
            self._found = find_segments(ids, self._categories, self.mask, self._crowds)
        return self._found


@dataclass(slots=True)
class StepVideo(Video):
    """A sequence."""

    def read_map(self, path: str | Path, size: tuple[int, int] | None = None) -> np.ndarray:
        """See :func:`read_step_map`."""
        return read_step_map(path, size)

    def png_id(self, segment: int) -> int:
        """R + 256 G + 65536 B of a segment in a map."""
        red, green, blue = step_colors([split_id(segment)])[0].tolist()
        return red + 256 * green + 65536 * blue

    def frame_paths(self, root: str | Path) -> list[str]:
        """The pictures, ``root`` being the folder of the sequences.

        Raises:
            UserError: a map has none.
        """
        pictures = strictly(list_frames(Path(root, self.name), self.name))
        stems = [frame.mask.stem for frame in self.frames]
        if missing := [stem for stem in stems if stem not in pictures]:
            raise UserError(f'{Path(root, self.name)}: has no picture {missing[0]}')
        return [str(pictures[stem]) for stem in stems]


class StepSequence(NamedTuple):
    """Files of a sequence, in natural order of their names.

    Attributes:
        name: of its folders.
        frames: the pictures.
        masks: the map of each; None where there is none.
    """

    name: str
    frames: list[Path]
    masks: list[Path | None]


def read_classes(maps: str | Path, version: str | None = None) -> list[Category]:
    """The classes of maps, which do not say themselves what they are.

    Args:
        maps: folder of the sequences' folders; beside it lies a ``categories.json`` if the classes
            are own ones.
        version: of published classes, one of :data:`VERSIONS`.

    Raises:
        UserError: there is no such version, or neither version nor file.
    """
    if version in VERSIONS:
        return load_table(version)
    path = find_categories(maps, maps)
    if version is not None or path is None:
        given = (
            f'no classes {version!r}' if version else 'its maps do not say what their classes are'
        )
        raise UserError(
            f'{maps}: {given}; name them ({" or ".join(VERSIONS)}: --classes of a tool, version of '
            f'a config), or put a categories.json into {Path(maps).parent}'
        )
    return strictly(read_category_file(path, LAST_CATEGORY_ID, panoptic=True))


def list_sequences(folder: str | Path, wanted: Sequence[str] | None = None) -> list[str]:
    """The sequences of a folder in natural order of their names.

    Args:
        folder: of the sequences' folders.
        wanted: names of those to take; None takes all.

    Raises:
        UserError: the folder cannot be read, has none, or lacks a wanted one.
    """
    try:
        entries = [entry.name for entry in Path(folder).iterdir() if entry.is_dir()]
    except OSError as error:
        raise UserError(f'{folder}: cannot be read ({error.strerror})') from error
    found = sorted((name for name in entries if not name.startswith('.')), key=natural_key)
    if not found:
        raise UserError(f'{folder}: holds no folder of a sequence')
    missing = [name for name in wanted or () if name not in found]
    if missing:
        raise UserError(
            f'{folder}: has no sequence {missing[0]}, which is one of the {len(wanted)} of this '
            'split'
        )
    return found if wanted is None else list(wanted)


def find_sequence(
    name: str, images: str | Path, masks: str | Path | None
) -> Findings[StepSequence]:
    """The files of a sequence.

    Args:
        name: of its folders.
        images: folder of the sequences' pictures.
        masks: folder of their maps; None: there are none.

    Yields:
        Missing pictures, frames without a map, maps without a picture.
    """
    frames = yield from list_frames(Path(images, name), name)
    if not frames:
        yield Problem(str(Path(images, name)), 'frame', 'no pictures here', video=name)
    if masks is None:
        return StepSequence(name, [*frames.values()], [None] * len(frames))
    maps = yield from list_masks(Path(masks, name), name)
    for stem, mask in maps.items():
        if stem not in frames:
            yield Problem(str(mask), 'frame', f'no picture {Path(images, name, stem)}', video=name)
    for number, (stem, frame) in enumerate(frames.items()):
        if stem not in maps:
            rule = f'no map {Path(masks, name, stem)}.png; every frame has one'
            yield Problem(str(frame), 'mask', rule, video=name, frame=number)
    return StepSequence(name, [*frames.values()], [maps.get(stem) for stem in frames])


def has_maps(folder: str | Path) -> bool:
    """Whether the folder of a sequence holds a map."""
    return next(Path(folder).glob('*.png'), None) is not None


def read_step(
    maps: str | Path, version: str | None = None, sequences: Sequence[str] | None = None
) -> PanopticSet:
    """The ground truth in a folder; maps are read when they are used.

    Args:
        maps: folder of the sequences' maps.
        version: see :func:`read_classes`.
        sequences: names of those to take; None takes all.

    Raises:
        UserError: a sequence has no maps, or the classes are unknown.
    """
    categories = read_classes(maps, version)
    videos = {}
    for name in list_sequences(maps, sequences):
        masks = [*strictly(list_masks(Path(maps, name), name)).values()]
        if not masks:
            raise UserError(f'{Path(maps, name)}: has no maps (*.png)')
        videos[name] = _video(name, masks, read_image_size(masks[0]), categories)
    return PanopticSet(str(maps), categories, videos, has_annotations=True, form='step')


def _video(
    name: str, masks: Sequence[Path], size: tuple[int, int], categories: Sequence[Category]
) -> StepVideo:
    by_id = {category.id: category for category in categories}
    frames = [
        StepFrame(index, ImageEntry(mask.stem, *size, f'{mask.stem}.png'), mask, by_id, crowds=True)
        for index, mask in enumerate(masks)
    ]
    return StepVideo(name, *size, len(frames), frames, annotated=True)


def load_results(
    folder: str | Path, truth: PanopticSet, videos: Mapping[str, Video] | None = None
) -> dict[str, Video]:
    """Find predictions, ``FOLDER/<sequence>/<frame>.png``; they are read when they are used.

    Args:
        folder: folder of the predictions.
        truth: the ground truth.
        videos: which of its sequences to read, by name; default all.

    Returns:
        The sequences with the predictions in place of the annotations.

    Raises:
        UserError: a frame has none.
    """
    categories = {category.id: category for category in truth.categories}
    found = {}
    for name, video in (truth.annotated if videos is None else videos).items():
        masks = [Path(folder, name, frame.map_name) for frame in video.frames]
        if missing := [mask for mask in masks if not mask.is_file()]:
            raise UserError(
                f'{folder}: sequence {name}: {len(missing)} of {len(masks)} frames have no result, '
                f'the first is {missing[0]}; predict all'
            )
        frames = [
            StepFrame(frame.index, frame.image, mask, categories, crowds=False)
            for frame, mask in zip(video.frames, masks, strict=True)
        ]
        found[name] = replace(video, frames=frames)
    return found
