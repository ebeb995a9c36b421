"""What a run says of a video besides pictures, for each task: entries, maps, a summary."""

from collections import Counter
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from mmvseg.errors import UserError, counted, one_line
from mmvseg.results.segmented_video import NOUNS
from mmvseg.structures import VideoInstances, VideoPanoptic, VideoResult, VideoSemantic
from mmvseg.structures.coded_maps import NO_CLASS
from mmvseg.visualization.exports import Color, id_map, map_value
from mmvseg.visualization.overlay import track_color
from mmvseg.visualization.overlay_panoptic import PanopticPainter, segment_color
from mmvseg.visualization.overlay_semantic import by_area, class_areas
from mmvseg.visualization.painters import InstancePainter, Painter, build_painter
from mmvseg.visualization.text import DrawingStyle, upscaling
from mmvseg.visualization.track_colors import colors_beside_truth, segment_colors_beside_truth

#: Tracks below are more often wrong than right, once each object is shown by its best one.
SCORE_THR = 0.2


class Report(Protocol):
    """The result of a video, or of one live frame, without what scores too low.

    Attributes:
        noun: what the entries are: tracks, segments or classes.
        result: what is left.
    """

    noun: str
    result: VideoResult

    def painter(self, style: DrawingStyle) -> Painter:
        """What draws the frames."""
        ...

    def entries(self) -> list[dict]:
        """Entries for a json file."""
        ...

    def line(self) -> list[dict]:
        """What is in the first frame."""
        ...

    def id_map(self, frame: int, size: tuple[int, int]) -> np.ndarray:
        """Ids of a frame of ``size`` as a file holds them, (H, W): a track's is its number + 1."""
        ...

    def colors(self) -> dict[int, Color]:
        """RGB of the ids in the maps."""
        ...

    def describe(self) -> str:
        """How much there is of what."""
        ...


def build_report(
    result: VideoResult,
    metainfo: Mapping[str, Any],
    score_thr: float | None,
    *,
    all_tracks: bool = False,
    labels: Collection[int] | None = None,
    truth: VideoResult | None = None,
) -> Report:
    """The report of a result.

    Args:
        result: of any task.
        metainfo: ``classes``, ``category_ids`` and ``palette``.
        score_thr: tracks or segments of a lower score are left out.
        all_tracks: keep tracks that repeat what better ones show, see
            :meth:`~mmvseg.structures.VideoInstances.distinct`.
        labels: class indices; of what is left then, all other classes are left out.
        truth: what is annotated in the same video; tracks and things take the colours of the
            objects that they show.
    """
    if isinstance(result, VideoInstances):
        return InstanceReport(
            result, metainfo, score_thr, all_tracks=all_tracks, labels=labels, truth=truth
        )
    if isinstance(result, VideoPanoptic):
        return PanopticReport(result, metainfo, score_thr, labels=labels, truth=truth)
    return SemanticReport(result, metainfo, labels=labels)


def score_threshold(task: str, wanted: float | None) -> float | None:
    """The threshold of a task: the user's, or what it is by default.

    Raises:
        UserError: if the task has no scores.
    """
    if task == 'vss' and wanted is not None:
        raise UserError(
            '--score-thr: a semantic model has no scores to compare, every pixel gets a class; '
            'leave it out'
        )
    default = SCORE_THR if task == 'vis' else None
    return default if wanted is None else wanted


def refuse_all_tracks(task: str) -> None:
    """Refuse the option ``--all-tracks`` where it means nothing.

    Raises:
        UserError: if the task has no tracks.
    """
    if task != 'vis':
        raise UserError(
            '--all-tracks: of panoptic and semantic results every pixel is shown once anyway; '
            'leave it out'
        )


def demo_style(task: str, size: tuple[int, int]) -> DrawingStyle:
    """The drawing on frames of ``size`` (H, W); small maps are enlarged, for their many names."""
    return DrawingStyle(scale=1 if task == 'vis' else upscaling(size))


class InstanceReport:
    """Of tubes; see :class:`Report`."""

    noun = NOUNS['vis']

    def __init__(
        self,
        found: VideoInstances,
        metainfo: Mapping[str, Any],
        score_thr: float | None,
        *,
        all_tracks: bool,
        labels: Collection[int] | None,
        truth: VideoInstances | None,
    ) -> None:
        self._meta = metainfo
        self._score_thr = 0.0 if score_thr is None else score_thr
        above = found.above(self._score_thr)
        shown = above if all_tracks else above.distinct()
        self._repeats = len(above) - len(shown)
        self._found, self.result = found, shown
        if labels is not None:
            self._found, self.result = found.of_labels(labels), shown.of_labels(labels)
        self._others = len(shown) - len(self.result)
        self._colors = {track: track_color(track) for track in self.result.track_ids.tolist()}
        if truth is not None:
            self._colors = colors_beside_truth(self.result, truth)

    def painter(self, style: DrawingStyle) -> Painter:
        """Masks, contours and labels."""
        return InstancePainter(self._meta['classes'], style, self._colors)

    def entries(self) -> list[dict]:
        """Entries of an official results file, with class name and track id."""
        entries = self.result.to_youtube_vis(1, self._meta['category_ids'])
        pairs = zip(entries, self.result.labels, self.result.track_ids, strict=True)
        return [
            dict(entry, category=self._meta['classes'][label], track_id=int(track))
            for entry, label, track in pairs
        ]

    def line(self) -> list[dict]:
        """``track_id, category, category_id, score, segmentation`` of each track."""
        keys = ('track_id', 'category', 'category_id', 'score')
        return [
            dict({key: entry[key] for key in keys}, segmentation=entry['segmentations'][0])
            for entry in self.entries()
        ]

    def id_map(self, frame: int, size: tuple[int, int]) -> np.ndarray:
        """Track ids + 1, higher scores on top."""
        return id_map(self.result, frame, size)

    def colors(self) -> dict[int, Color]:
        """Of the tracks."""
        return {map_value(track): color for track, color in self._colors.items()}

    def describe(self) -> str:
        """Tracks of each class."""
        others = f' ({self._others} of other classes left out)' if self._others else ''
        if not len(self.result):
            found = self._found
            if count := int((found.scores >= self._score_thr).sum()):
                what = f'{count} of score >= {self._score_thr:g} show the objects of better ones'
                return f'no track is left: {what} (--all-tracks){others}'
            best = f'; the best of {len(found)} has {found.scores.max():.3f}' if len(found) else ''
            return f'no track has a score >= {self._score_thr:g} (--score-thr){best}{others}'
        listed = _listed(Counter(self._meta['classes'][label] for label in self.result.labels))
        tracks = counted(len(self.result), 'tracks')
        text = f'{tracks} of score >= {self._score_thr:g}: {listed}{others}'
        if self._repeats:
            text += f'; left out: {self._repeats} of the same objects again (--all-tracks)'
        return text


class PanopticReport:
    """Of segments; see :class:`Report`."""

    noun = NOUNS['vps']

    def __init__(
        self,
        found: VideoPanoptic,
        metainfo: Mapping[str, Any],
        score_thr: float | None,
        *,
        labels: Collection[int] | None,
        truth: VideoPanoptic | None,
    ) -> None:
        self._meta, self._score_thr = metainfo, score_thr
        chosen = found if labels is None else found.of_labels(labels)
        self.result = chosen if score_thr is None else chosen.above(score_thr)
        self._others = len(found) - len(chosen)
        self._dropped = len(chosen) - len(self.result)
        palette = metainfo['palette']
        self._colors = {s.id: segment_color(s, palette) for s in self.result.segments}
        if truth is not None:
            self._colors |= segment_colors_beside_truth(self.result, truth)

    def painter(self, style: DrawingStyle) -> Painter:
        """Every pixel, contours and labels."""
        meta = self._meta
        return PanopticPainter(meta['classes'], meta['palette'], style, self._colors)

    def entries(self) -> list[dict]:
        """Class, score and area in each frame of every segment, ``0`` where it is absent."""
        areas = {segment.id: [0] * len(self.result.maps) for segment in self.result.segments}
        for frame, segment_map in enumerate(self.result.maps):
            for segment, area in self.result.segments_in(segment_map):
                areas[segment.id][frame] = area
        return [
            dict(
                segment_id=segment.id,
                category=self._meta['classes'][segment.label],
                category_id=int(self._meta['category_ids'][segment.label]),
                isthing=int(segment.is_thing),
                score=float(segment.score),
                areas=areas[segment.id],
            )
            for segment in self.result.segments
        ]

    def line(self) -> list[dict]:
        """The same with one ``area``, of the segments that are there."""
        entries = [(entry, entry.pop('areas')[0]) for entry in self.entries()]
        return [dict(entry, area=area) for entry, area in entries if area]

    def id_map(self, frame: int, size: tuple[int, int]) -> np.ndarray:
        """Segment ids, 0 for none."""
        segment_map = self.result.maps[frame]
        ids = [segment.id for segment in self.result.segments]
        kept = np.zeros(int(segment_map.max()) + 1, np.int32)
        ids = [segment_id for segment_id in ids if segment_id < len(kept)]
        kept[ids] = ids
        return kept[segment_map]

    def colors(self) -> dict[int, Color]:
        """Of the segments, those of the overlay."""
        return self._colors

    def describe(self) -> str:
        """Things and stuff of each class."""
        classes, segments = self._meta['classes'], self.result.segments
        things = Counter(classes[s.label] for s in segments if s.is_thing)
        stuff = [one_line(classes[s.label]) for s in segments if not s.is_thing]
        if not segments and not self._dropped and not self._others:
            return 'no segment is sure enough (model.test_cfg.object_mask_threshold)'
        text = f'{counted(things.total(), "things")}: {_listed(things) or "none"}; '
        text += f'{counted(len(stuff), "kinds")} of stuff: {", ".join(stuff) or "none"}'
        if self._dropped:
            text += (
                f' ({counted(self._dropped, "segments")} of score < {self._score_thr:g} left out)'
            )
        if self._others:
            text += f' ({counted(self._others, "segments")} of other classes left out)'
        return text


class SemanticReport:
    """Of classes; see :class:`Report`."""

    noun = NOUNS['vss']

    def __init__(
        self,
        found: VideoSemantic,
        metainfo: Mapping[str, Any],
        *,
        labels: Collection[int] | None,
    ) -> None:
        self._meta, self._is_whole = metainfo, labels is None
        self.result = found if labels is None else found.of_labels(labels)

    @cached_property
    def _areas(self) -> np.ndarray:
        """Pixels of each class in each frame, (T, K)."""
        count = len(self._meta['classes'])
        return np.stack([class_areas(class_map, count) for class_map in self.result.maps])

    def painter(self, style: DrawingStyle) -> Painter:
        """Every pixel; the legend lists the classes of the whole video."""
        return build_painter('vss', self._meta, style, by_area(self._areas.sum(0)))

    def entries(self) -> list[dict]:
        """Name, id and area in each frame of every class that occurs, the largest first."""
        return [
            dict(
                category=self._meta['classes'][label],
                category_id=int(self._meta['category_ids'][label]),
                areas=self._areas[:, label].tolist(),
            )
            for label in by_area(self._areas.sum(0))
        ]

    def line(self) -> list[dict]:
        """The same with one ``area``, of the classes that are there."""
        entries = [(entry, entry.pop('areas')[0]) for entry in self.entries()]
        return [dict(entry, area=area) for entry, area in entries if area]

    def id_map(self, frame: int, size: tuple[int, int]) -> np.ndarray:
        """The dataset's ids of the classes; the void id where a class was left out."""
        ids = np.full(NO_CLASS + 1, self._void)
        ids[: len(self._meta['classes'])] = self._meta['category_ids']
        return ids[self.result.maps[frame]]

    def colors(self) -> dict[int, Color]:
        """Of all classes."""
        pairs = zip(self._meta['category_ids'], self._meta['palette'], strict=True)
        colors = {int(category): tuple(color) for category, color in pairs}
        return colors if self._is_whole else colors | {self._void: (0, 0, 0)}

    @property
    def _void(self) -> int:
        """As data sets have it, if no class has this id."""
        return 255 if max(self._meta['category_ids']) < 255 else NO_CLASS

    def describe(self) -> str:
        """The share of each class in the video."""
        areas = self._areas.sum(0)
        pixels = len(self.result.maps) * self.result.maps[0].size
        order = by_area(areas)
        classes = [one_line(name) for name in self._meta['classes']]
        shares = [f'{areas[n] / pixels:.1%} {classes[n]}' for n in order[:8]]
        more = f', {len(order) - 8} more' if len(order) > 8 else ''
        return f'{counted(len(order), "classes")}: {", ".join(shares) or "none"}{more}'


def _listed(counts: Counter) -> str:
    return ', '.join(f'{count} {one_line(name)}' for name, count in counts.most_common())
