"""Finds every problem of a data set in STEP's form: pictures and maps of sequences."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from mmvseg.errors import UserError, counted
from mmvseg.media.images import read_image_size

from .categories import Category
from .pictures import DeepFrames, bare_rule, frame_rule, outside_rule
from .problems import Level, Problem
from .step import (
    StepSequence,
    find_segments,
    find_sequence,
    list_sequences,
    read_classes,
    read_step_map,
    split_id,
)
from .vspw import list_masks

#: Some readers code a segment as 1000 * class + number.
_DIVISOR = 1000


def check_step(
    maps: str | Path,
    root: str | Path | None,
    version: str | None,
    on_start: Callable[[int], None] = lambda steps: None,
    on_step: Callable[[], None] = lambda: None,
    allow_outside_root: bool = False,
) -> Iterator[Problem]:
    """Read a whole data set.

    Args:
        maps: folder of the sequences' maps.
        root: folder of the sequences' pictures; None: pictures and maps are not opened.
        version: of the classes, see :func:`.step.read_classes`.
        on_start: called with the number of sequences.
        on_step: called after each sequence.
        allow_outside_root: whether links may lead out of both folders.

    Raises:
        UserError: there is no such data set, or the classes are unknown.
    """
    categories = {category.id: category for category in read_classes(maps, version)}
    names = list_sequences(maps)
    on_start(len(names))
    inside = (None, None) if allow_outside_root or root is None else (Path(root), Path(maps))
    deep = DeepFrames()
    with ThreadPoolExecutor() as pool:
        for name in names:
            if root is None:
                yield from _names_alone(Path(maps, name), name)
            else:
                sequence = yield from find_sequence(name, root, maps)
                look = partial(
                    _look_into, sequence, _first_size(sequence), categories, inside, deep
                )
                for problems in pool.map(look, range(len(sequence.frames))):
                    yield from problems
            on_step()
    yield from deep.note(str(maps))


def _names_alone(folder: Path, name: str) -> Iterator[Problem]:
    masks = yield from list_masks(folder, name)
    if not masks:
        yield Problem(str(folder), 'mask', 'no maps (*.png) here', video=name)


def _first_size(sequence: StepSequence) -> tuple[int, int] | None:
    """Height and width of the first frame that can be read."""
    for frame in sequence.frames:
        with suppress(UserError):
            return read_image_size(frame)
    return None


def _look_into(
    sequence: StepSequence,
    size: tuple[int, int] | None,
    categories: Mapping[int, Category],
    inside: tuple[Path | None, Path | None],
    deep: DeepFrames,
    number: int,
) -> list[Problem]:
    """Problems of a frame and its map; no link may leave the folders ``inside`` of either."""
    frame, mask = sequence.frames[number], sequence.masks[number]
    where = dict(video=sequence.name, frame=number)
    problems = []
    if rule := frame_rule(frame, size, 'the first frame has', inside[0], deep):
        problems.append(Problem(str(frame), 'frame', rule, **where))
    if mask is None:
        return problems
    if rule := outside_rule(mask, inside[1]):
        return [*problems, Problem(str(mask), 'mask', rule, **where)]
    try:
        segments = find_segments(read_step_map(mask, size), categories, mask, crowds=True)
    except UserError as error:
        return [*problems, Problem(str(mask), 'mask', bare_rule(error, mask), **where)]
    for segment in segments:
        category_id, instance = split_id(segment.id)
        category = categories[category_id]
        pixels = counted(segment.area, 'pixels')
        rule = None
        if instance and not category.is_thing:
            rule = f'{category.name} is stuff, but has the number {instance}, not 0 ({pixels})'
        elif instance >= _DIVISOR:
            rule = (
                f'{category.name} has the number {instance}; readers that code {_DIVISOR} * class '
                f'+ number end at {_DIVISOR - 1}'
            )
        if rule:
            problems.append(Problem(str(mask), 'mask', rule, level=Level.FLAW, **where))
    return problems
