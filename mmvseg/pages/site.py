"""The files of a site: one page a video, and the page that lists them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from mmvseg.files import write_bytes

from .records import ShownError, ShownRun, ShownTube, ShownVideo, SiteInfo
from .rendering import files_in, render, write_assets
from .script_data import call, hex_color, label, video_data
from .timeline import Bar, annotated_bars, object_bars, ticks, track_bars

#: Folder of the files of each video.
VIDEOS = 'videos'
#: Width of the pictures of the list, in pixels.
THUMB_WIDTH = 320


@dataclass(frozen=True)
class _Row:
    """A tube of the timeline: what it is, and its lanes, one below the other."""

    tube: ShownTube
    text: str
    color: str
    lanes: list[list[Bar]]


@dataclass(frozen=True)
class _Group:
    """Rows under one title; the script knows them by ``name``."""

    name: str
    title: str
    tubes: list[_Row]
    none: str


@dataclass(frozen=True)
class _Panel:
    """A picture of the page, drawn with the tubes of a group."""

    group: str
    title: str
    source: str


@dataclass(frozen=True)
class _NumberedError:
    """An error of a run as the page counts it."""

    number: int
    run: int
    error: ShownError


class Site:
    """Writes pages; the list of videos comes last, so that it names only what is there.

    Args:
        folder: where to.
        info: of the site.
    """

    def __init__(self, folder: Path, info: SiteInfo) -> None:
        self._folder, self._info = folder, info
        self._entries: list[dict[str, Any]] = []

    def path(self, page: str, suffix: str) -> Path:
        """A file of a video."""
        return self._folder / VIDEOS / f'{page}{suffix}'

    def add_video(self, video: ShownVideo) -> None:
        """Write the page of a video and its data; its ``.mp4`` and ``.jpg`` are there already."""
        numbered = _numbered_errors(video)
        by_frame = sorted(numbered, key=lambda item: item.error.frame)
        markers = groupby(by_frame, key=lambda item: item.error.frame)
        page = render(
            'video.html',
            root='../',
            info=self._info,
            video=video,
            panels=self._panels(video),
            groups=self._groups(video),
            ticks=ticks(video.length),
            errors=numbered,
            markers=[(frame, list(items)) for frame, items in markers],
            costs=[f'{run.cost:.2f}' for run in video.runs],
            colors_text=_colors_text(video, self._info.noun),
        )
        write_bytes(self.path(video.page, '.js'), call('registerVideo', video_data(video)))
        write_bytes(self.path(video.page, '.html'), page)
        self._entries.append(_entry(video))

    def finish(self) -> None:
        """Write the list, and what all pages share."""
        write_assets(self._folder, files_in('assets'))
        content = dict(
            runs=list(self._info.runs),
            noun=self._info.noun,
            kinds=list(self._info.kinds),
            videos=self._entries,
        )
        write_bytes(self._folder / 'videos.js', call('registerVideos', content))
        categories = {name for entry in self._entries for name in entry['categories']}
        page = render(
            'index.html',
            root='',
            info=self._info,
            titles=self._titles,
            count=len(self._entries),
            categories=sorted(categories, key=str.casefold),
        )
        write_bytes(self._folder / 'index.html', page)

    @property
    def _titles(self) -> Sequence[str]:
        """Of the runs."""
        return ('Prediction',) if len(self._info.runs) == 1 else ('A', 'B')

    def _panels(self, video: ShownVideo) -> list[_Panel]:
        panels = [_Panel('input', 'Input', '')]
        if video.objects is not None:
            panels.append(_Panel('truth', 'Truth', self._info.source))
        for number, name in enumerate(self._info.runs):
            panels.append(_Panel(str(number), self._titles[number], name))
        return panels

    def _groups(self, video: ShownVideo) -> list[_Group]:
        groups = []
        if video.objects is not None:
            rows = [
                _row(tube, _object_lanes(video, position))
                for position, tube in enumerate(video.objects)
            ]
            groups.append(_Group('truth', 'Truth', rows, 'Nothing is annotated in this video.'))
        for number, run in enumerate(video.runs):
            rows = [
                _row(tube, [track_bars(video, position, run)])
                for position, tube in enumerate(run.tracks)
            ]
            none = f'No {self._info.noun} in this video.'
            groups.append(_Group(str(number), self._titles[number], rows, none))
        return groups


def _row(tube: ShownTube, lanes: list[list[Bar]]) -> _Row:
    return _Row(tube, label(tube), hex_color(tube.color), lanes)


def _object_lanes(video: ShownVideo, position: int) -> list[list[Bar]]:
    compared = [run for run in video.runs if run.owners is not None]
    if not compared:
        return [annotated_bars(video.objects[position])]
    return [object_bars(video, position, run) for run in compared]


def _numbered_errors(video: ShownVideo) -> list[_NumberedError]:
    """The costliest first."""
    errors = [(number, error) for number, run in enumerate(video.runs) for error in run.errors]
    errors.sort(key=lambda pair: -pair[1].cost)
    return [_NumberedError(n, run, error) for n, (run, error) in enumerate(errors)]


def _entry(video: ShownVideo) -> dict[str, Any]:
    """What the list knows of a video."""
    tubes = [*(video.objects or ()), *(tube for run in video.runs for tube in run.tracks)]
    height, width = video.size
    return dict(
        name=video.name,
        page=video.page,
        length=video.length,
        objects=None if video.objects is None else len(video.objects),
        tracks=[sum(not tube.is_hidden for tube in run.tracks) for run in video.runs],
        categories=sorted({tube.category for tube in tubes}),
        thumb=[THUMB_WIDTH, max(1, round(height * THUMB_WIDTH / width))],
        errors=[entry for n, run in enumerate(video.runs) for entry in _error_sums(n, run)],
    )


def _error_sums(number: int, run: ShownRun) -> Iterable[list]:
    """``[run, kind, category, count, cost]`` of all that differ in the first three."""
    sums: dict[tuple[str, str], list[float]] = defaultdict(list)
    for error in run.errors:
        sums[error.kind, error.category].append(error.cost)
    for (kind, category), costs in sums.items():
        yield [number, kind, category, len(costs), round(sum(costs), 6)]


def _colors_text(video: ShownVideo, noun: str) -> str:
    if video.objects is None:
        return f'Bars show in which frames the {noun} are.'
    if any(run.owners is None for run in video.runs):
        return f'Bars show in which frames the objects and the {noun} are.'
    return (
        'The bar of an object has the colour of the track that shows it: a change of colour is a '
        'switch, a thin red line a gap. With two results files, the upper bar is of the first. The '
        'bar of a track has the colour of the object that it shows, and is thin where it shows '
        'none. A mask shows an object from an IoU of 0.5 on.'
    )
