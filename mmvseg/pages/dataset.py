"""The page of a data set: its videos with their objects, statistics, and what a checker found."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmvseg.files import write_bytes

from .records import Color
from .rendering import files_in, render, write_assets
from .script_data import call, hex_color

#: Folder of the pictures.
SHEETS = 'sheets'
#: The file by which a folder is known to hold such a page.
DATA = 'dataset.js'
#: What the page shares with those of results.
_SHARED_ASSETS = [
    f'assets/{name}'
    for name in ('style.css', 'theme.js', 'state.js', 'elements.js', 'card_list.js')
]
#: More of a video, or of the whole file, nobody reads on a page.
_MOST_PROBLEMS = 200


@dataclass(frozen=True)
class BrowsedProblem:
    """What a checker has to say.

    Attributes:
        place: where; empty where the rule says it all.
        rule: what is wrong.
        is_note: whether it is only worth knowing.
    """

    place: str
    rule: str
    is_note: bool = False


@dataclass(frozen=True)
class BrowsedObject:
    """One annotated object.

    Attributes:
        id: in the file.
        category: position of its class in those of the data set.
        spans: first and last frame, both inclusive, of each stretch in which it is seen; 0-based.
        area: mean pixels of its masks; 0 without one.
        occlusion: how much of it is hidden, in [0, 1]; None where the file does not say.
        is_crowd: whether it stands for several objects.
    """

    id: int
    category: int
    spans: Sequence[tuple[int, int]]
    area: float
    occlusion: float | None = None
    is_crowd: bool = False


@dataclass(frozen=True)
class BrowsedVideo:
    """One video.

    Attributes:
        name: as the data set calls it.
        page: name for links, see :func:`.page_names`.
        size: (height, width) of its frames.
        length: number of frames.
        sheet: file in :data:`SHEETS`.
        sheet_size: (height, width) of that picture.
        objects: in the order in which they have their colours.
        problems: that concern it.
    """

    name: str
    page: str
    size: tuple[int, int]
    length: int
    sheet: str
    sheet_size: tuple[int, int]
    objects: Sequence[BrowsedObject]
    problems: Sequence[BrowsedProblem]


@dataclass(frozen=True)
class DatasetInfo:
    """What concerns the whole data set.

    Attributes:
        source: name of the annotation file.
        root: folder of the frames; None where none was given.
        classes: their names.
        colors: RGB of the first, second, ... object of every video.
        opened: a sentence that says which frames the checker has seen.
        problems: that concern no video of the page.
        has_annotations: whether anything is annotated.
    """

    source: str
    root: str | None
    classes: Sequence[str]
    colors: Sequence[Color]
    opened: str
    problems: Sequence[BrowsedProblem]
    has_annotations: bool


def write_dataset_page(folder: Path, info: DatasetInfo, videos: Sequence[BrowsedVideo]) -> None:
    """Write ``index.html`` and what it needs besides the pictures, which are there already.

    Args:
        folder: where to.
        info: of the data set.
        videos: in the order of the file.

    Raises:
        UserError: a file cannot be written.
    """
    objects = [item for video in videos for item in video.objects]
    page = render(
        'browse.html',
        root='',
        info=info,
        numbers=dict(
            videos=len(videos),
            frames=sum(video.length for video in videos),
            objects=len(objects),
            masks=sum(end - start + 1 for item in objects for start, end in item.spans),
        ),
        num_faulty=sum(_num_faults(video) > 0 for video in videos),
        problems=info.problems[:_MOST_PROBLEMS],
        num_more=max(0, len(info.problems) - _MOST_PROBLEMS),
    )
    write_assets(folder, [*_SHARED_ASSETS, *files_in('browse')])
    write_bytes(folder / DATA, call('registerDataset', _data(info, videos)))
    write_bytes(folder / 'index.html', page)


def _data(info: DatasetInfo, videos: Sequence[BrowsedVideo]) -> dict[str, Any]:
    return dict(
        classes=list(info.classes),
        colors=[hex_color(color) for color in info.colors],
        sheets=SHEETS,
        videos=[_video_data(video) for video in videos],
    )


def _video_data(video: BrowsedVideo) -> dict[str, Any]:
    """What the script knows of a video: short, as there may be thousands."""
    return dict(
        name=video.name,
        page=video.page,
        size=list(video.size),
        length=video.length,
        sheet=[video.sheet, *video.sheet_size[::-1]],
        objects=[_object_data(item) for item in video.objects],
        problems=[
            [int(problem.is_note), problem.place, problem.rule]
            for problem in video.problems[:_MOST_PROBLEMS]
        ],
        faults=_num_faults(video),
        more=max(0, len(video.problems) - _MOST_PROBLEMS),
    )


def _num_faults(video: BrowsedVideo) -> int:
    return sum(not problem.is_note for problem in video.problems)


def _object_data(item: BrowsedObject) -> list:
    """``[id, class, area, occlusion, crowd, first, last, first, last, ...]``."""
    bounds = [frame for span in item.spans for frame in span]
    occlusion = None if item.occlusion is None else round(item.occlusion, 3)
    return [item.id, item.category, round(item.area, 1), occlusion, int(item.is_crowd), *bounds]
