"""VSPW's form: lists of videos, folders of frames and class maps, a json of classes.

A list names a video a line. Frames are the pictures of ``data/<video>/origin``; their class maps,
``data/<video>/mask/*.png``, hold 1 + the id of each pixel's class, or VOID or UNLABELLED. Own data
bring a ``categories.json``, a list of ``dict(id, name)``.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import msgspec
from msgspec import Raw

from mmvseg.errors import UserError
from mmvseg.media.frame_files import choose_frames, is_visible_picture
from mmvseg.media.names import natural_key

from .categories import Category, load_table, parse_categories
from .json_files import decode_json, read_json_bytes
from .problems import Findings, Level, Problem, quoted, strictly

#: Values of a map that are no class.
VOID, UNLABELLED = 0, 255
#: A map holds 1 + the id in 8 bits.
LAST_CATEGORY_ID = 253

_BYTE_ORDER_MARK = '\ufeff'
_LONGEST_NAME_BYTES = 255


@dataclass(frozen=True)
class VSPWVideo:
    """Files of a video, in natural order of their names.

    Attributes:
        name: of its folder.
        frames: the pictures.
        masks: class map of each frame, None where it has none; all maps if there are no frames.
    """

    name: str
    frames: list[Path]
    masks: list[Path | None]


def read_video_names(path: str | Path) -> Findings[list[str]]:
    """The videos of a list, one a line.

    Yields:
        Names that occur twice or lead elsewhere, an empty list; what official readers stumble over.

    Raises:
        UserError: it cannot be read or is no text.
    """
    file = str(path)
    try:
        text = Path(path).read_bytes().decode()
    except UnicodeDecodeError as error:
        raise UserError(f'{path}: not a list of videos in UTF-8 ({error})') from error
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, 'strerror', None) or error
        raise UserError(f'{path}: cannot be read ({reason}); check the path') from error
    names: dict[Path, str] = {}
    for number, line in enumerate(StringIO(text, newline='\n'), 1):
        name, official = line.removeprefix(_BYTE_ORDER_MARK).strip(), line[:-1]
        field = f'line {number}'
        if not name:
            yield Problem(file, field, 'is blank', level=Level.FLAW)
        elif rule := _name_rule(name):
            yield Problem(file, field, rule)
        elif Path(name) in names:
            yield Problem(file, field, 'names the video again', video=name)
        else:
            names[Path(name)] = name
            if name != official:
                rule = (
                    f'official readers cut the last character of a line and read {quoted(official)}'
                )
                yield Problem(file, field, rule, video=name, level=Level.FLAW)
    if not names:
        yield Problem(file, 'videos', 'names no video')
    return [*names.values()]


def _name_rule(name: str) -> str | None:
    parts = Path(name).parts
    if '\0' in name or '..' in parts or Path(name).is_absolute() or not parts:
        return f'{quoted(name)} is not the name of a folder below that of the videos'
    if max(len(part.encode()) for part in parts) > _LONGEST_NAME_BYTES:
        return f'{quoted(name)} is longer than the name of a folder can be'
    return None


def find_video(
    listing: str | Path, root: str | Path, name: str, *, masks_suffice: bool = False
) -> Findings[VSPWVideo | None]:
    """The frames and class maps of a video.

    Args:
        listing: list that names the video, for messages.
        root: folder of the videos.
        name: of the video.
        masks_suffice: whether there may be no frames at all, only maps, or not even these.

    Yields:
        A missing folder, missing frames, maps without a frame, pictures that are not read.

    Returns:
        The video; None if it has no folder.
    """
    folder = Path(root) / name
    if not masks_suffice and not os.path.isdir(folder):
        yield Problem(str(listing), 'video', f'there is no folder {folder}', video=name)
        return None
    frames = yield from list_frames(folder / 'origin', name)
    masks = yield from list_masks(folder / 'mask', name)
    if not frames and masks_suffice:
        return VSPWVideo(name, [], [*masks.values()])
    if not frames:
        yield Problem(str(folder / 'origin'), 'frame', 'no *.jpg here', video=name)
    for stem, mask in masks.items():
        if stem not in frames:
            yield Problem(str(mask), 'frame', f'no origin/{stem}.jpg', video=name)
    return VSPWVideo(name, [*frames.values()], [masks.get(stem) for stem in frames])


def _list_files(folder: Path) -> list[Path]:
    names = []
    with suppress(OSError):
        names = sorted(os.listdir(folder), key=natural_key)
    return [folder / name for name in names]


def list_frames(folder: Path, video: str) -> Findings[dict[str, Path]]:
    """The pictures by their names without suffix; yields that there are others, or two of one."""
    try:
        frames, others = choose_frames(_list_files(folder), str(folder))
    except UserError as error:
        yield Problem(str(folder), 'frame', str(error).removeprefix(f'{folder}: '), video=video)
        return {}
    if left_out := [path.name for path in others if is_visible_picture(path)]:
        rule = f'{len(left_out)} pictures are masks by their names and left out: {left_out[0]} ...'
        yield Problem(str(folder), 'frame', rule, video=video, level=Level.FLAW)
    return {path.stem: path for path in frames}


def list_masks(folder: Path, video: str) -> Findings[dict[str, Path]]:
    """The PNGs by their names without suffix; yields that there are other pictures."""
    pictures = [path for path in _list_files(folder) if is_visible_picture(path)]
    found = {path.stem: path for path in pictures if path.suffix.lower() == '.png'}
    if others := {path.suffix for path in pictures if path.suffix.lower() != '.png'}:
        rule = f'*{", *".join(sorted(others))} are not read, only *.png'
        level = Level.FLAW if found else Level.FAULT
        yield Problem(str(folder), 'suffix', rule, video=video, level=level)
    return found


def check_masks(video: VSPWVideo) -> Iterator[Problem]:
    """Yields the frames without a class map, of a video that must have one for each."""
    for number, (frame, mask) in enumerate(zip(video.frames, video.masks, strict=True)):
        if mask is None:
            rule = f'no mask/{frame.stem}.png'
            yield Problem(str(frame), 'mask', rule, video=video.name, frame=number)


def find_categories(ann_file: str | Path, videos: str | Path) -> Path | None:
    """The ``categories.json`` beside the list of videos or their folder; None of VSPW itself."""
    places = (Path(ann_file).parent, Path(videos).parent)
    return next((p / 'categories.json' for p in places if (p / 'categories.json').is_file()), None)


def read_categories(ann_file: str | Path, videos: str | Path) -> Findings[list[Category]]:
    """The classes of a data set; those of own data count as stuff unless ``isthing`` is 1.

    Args:
        ann_file: list of videos.
        videos: their folder.

    Yields:
        Broken entries and ids that a map cannot hold.

    Raises:
        UserError: the ``categories.json`` cannot be read or is no list.
    """
    path = find_categories(ann_file, videos)
    if path is None:
        return load_table('vipseg')
    return (yield from read_category_file(path, LAST_CATEGORY_ID, are_things=False))


def read_category_file(
    path: Path, last_id: int, panoptic: bool = False, are_things: bool = True
) -> Findings[list[Category]]:
    """The classes of a ``categories.json``.

    Args:
        path: the file.
        last_id: highest id that a map can hold.
        panoptic, are_things: see :func:`parse_categories`.

    Yields:
        Broken entries and ids that a map cannot hold.

    Raises:
        UserError: the file cannot be read or is no list.
    """
    try:
        entries = decode_json(read_json_bytes(path), path, list[Raw])
    except msgspec.ValidationError as error:
        raise UserError(f'{path}: not a list of categories') from error
    categories = yield from parse_categories(entries, str(path), panoptic, are_things)
    for category in categories:
        if not 0 <= category.id <= last_id:
            yield Problem(str(path), 'id', f'{category.id} is not from 0 to {last_id}')
    return [category for category in categories if 0 <= category.id <= last_id]


def find_split(folder: str | Path, split: str | None = None) -> Path:
    """The file that lists the videos to evaluate.

    Args:
        folder: the data set, or the file itself.
        split: name of the file without ``.txt``; by default ``val``, or the only one there is.

    Raises:
        UserError: if there is none, or several without ``val``.
    """
    folder = Path(folder)
    if folder.is_file():
        return folder
    found = {path.stem: path for path in sorted(folder.glob('*.txt'))}
    if split is None:
        split = next(iter(found)) if len(found) == 1 else 'val'
    if split not in found:
        names = ', '.join(path.name for path in found.values()) or 'no .txt file'
        raise UserError(
            f'{folder}: has no {split}.txt, which lists the videos, but {names}; give its name '
            'with --split'
        )
    return found[split]


@dataclass(frozen=True)
class SemanticTruth:
    """Ground truth.

    Attributes:
        source: the file that lists the videos, for messages.
        names: name of each class by id.
        masks: the class maps of each video in natural order, by video.
    """

    source: str
    names: dict[int, str]
    masks: dict[str, list[Path]]

    @property
    def num_classes(self) -> int:
        """Ids are below this."""
        return max(self.names) + 1


def load_semantic_truth(ann_file: str | Path, mask_root: str | Path) -> SemanticTruth:
    """Find the class maps of the listed videos.

    Of a video without any frames the maps alone count: the official evaluator needs no frames.

    Args:
        ann_file: list of videos.
        mask_root: folder of the videos.

    Returns:
        The ground truth; without any maps if no video has any.

    Raises:
        UserError: if a file breaks a rule, or only some of the videos have maps.

    Example:
        >>> truth = load_semantic_truth('vspw/val.txt', 'vspw/data')
        >>> truth.num_classes, {video: len(masks) for video, masks in truth.masks.items()}
        (10, {'val_00000': 12, 'val_00001': 12})
    """
    categories = strictly(read_categories(ann_file, mask_root))
    masks = {}
    for name in strictly(read_video_names(ann_file)):
        video = strictly(find_video(ann_file, mask_root, name, masks_suffice=True))
        masks[name] = [mask for mask in video.masks if mask is not None]
    without = [name for name, found in masks.items() if not found]
    if without and len(without) < len(masks):
        raise UserError(
            f'{Path(mask_root, without[0], "mask")}: has no masks (*.png); {len(without)} of '
            f'{len(masks)} videos of {ann_file} lack them'
        )
    names = {category.id: category.name for category in categories}
    return SemanticTruth(str(ann_file), names, {} if without else masks)
