"""Writes splits of Shapes videos in the layout of a published data set, with their statistics."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np

from mmvseg.errors import UserError
from mmvseg.files import write_json
from mmvseg.locks import LOCK_FILE

from .layouts import LAYOUTS, SplitLayout, YouTubeVISLayout
from .textures import THING_CLASSES
from .world import ShapesFrame, ShapesOptions, ShapesWorld

#: Changes when the same arguments would give other files.
GENERATOR_VERSION = 1
#: A pair of objects crosses where they share this part of the smaller one's area.
_CROSSING_OVERLAP = 0.1
_SPLITS = ('train', 'val')


@dataclass(frozen=True)
class ShapesRequest:
    """All arguments that decide what the files contain.

    Attributes:
        options: size, length and difficulty of every video.
        train: number of training videos.
        val: number of validation videos.
        seed: of the whole set; videos of different splits and indices are independent.
        stuff: also write the per-pixel class maps, in the YouTube-VIS layout.
        layout: a key of :data:`LAYOUTS`.
    """

    options: ShapesOptions = field(default_factory=ShapesOptions)
    train: int = 500
    val: int = 100
    seed: int = 0
    stuff: bool = False
    layout: str = 'youtube_vis'

    def open(self, out: Path, split: str) -> SplitLayout:
        """The empty split in a folder."""
        kind = LAYOUTS[self.layout]
        if kind is YouTubeVISLayout:
            return kind(out, split, self.options, self.stuff)
        return kind(out, split, self.options)


def write_shapes(
    out: Path,
    request: ShapesRequest,
    overwrite: bool = False,
    on_video: Callable[[], None] = lambda: None,
) -> dict:
    """Write both splits and ``out/stats.json``.

    A finished set with the same arguments is reused, an unfinished one is made anew.

    Args:
        out: folder of the set.
        request: what to write.
        overwrite: replace a set that was made with other arguments.
        on_video: called after each written video.

    Returns:
        The statistics of each split, as in ``stats.json``.

    Raises:
        UserError: if ``out`` holds something else, or Shapes of other arguments.

    Example:
        >>> request = ShapesRequest(ShapesOptions(length=4), train=2, val=1)
        >>> statistics = write_shapes(Path('tiny'), request)
        >>> statistics['train']['videos'], sorted(path.name for path in Path('tiny').iterdir())
        (2, ['stats.json', 'train', 'train.json', 'val', 'val.json'])
    """
    arguments = dict(version=GENERATOR_VERSION, **asdict(request))
    found = read_stats(out)
    if found is not None and found['arguments'] == arguments and found['complete']:
        return found['splits']
    _clear(out, found, arguments, overwrite)
    write_json(out / 'stats.json', dict(arguments=arguments, complete=False))
    splits = {}
    for index, split in enumerate(_SPLITS):
        splits[split] = _write_split(out, split, index, request, on_video)
    # Written last: its presence says that everything else is there.
    write_json(out / 'stats.json', dict(arguments=arguments, complete=True, splits=splits))
    return splits


def read_stats(out: Path) -> dict | None:
    """The content of ``out/stats.json``, or None where ``out`` is new or empty.

    Raises:
        UserError: if ``out`` holds files that this generator did not write.
    """
    path = out / 'stats.json'
    if path.exists():
        try:
            stats = json.loads(path.read_text())
        except json.JSONDecodeError:
            stats = None
        if isinstance(stats, dict) and {'arguments', 'complete'} <= set(stats):
            return stats
    if out.exists() and (not out.is_dir() or {p.name for p in out.iterdir()} - {LOCK_FILE}):
        raise UserError(f'{out} is not empty and holds no Shapes set: give another --out')
    return None


def _clear(out: Path, found: dict | None, arguments: dict, overwrite: bool) -> None:
    if found is not None:
        if found['complete'] and not overwrite:
            different = _differing(found['arguments'], arguments)
            raise UserError(
                f'{out} holds Shapes made with other arguments ({different}): '
                'give another --out, or --overwrite to replace it'
            )
        for layout in LAYOUTS.values():
            for name in layout.paths:
                for split in _SPLITS:
                    _remove(out / name.format(split=split))
    out.mkdir(parents=True, exist_ok=True)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


def _differing(old: dict, new: dict) -> str:
    flat = [{**args, **args.get('options', {})} for args in (old, new)]
    keys = [key for key in flat[1] if key != 'options' and flat[0].get(key) != flat[1][key]]
    return ', '.join(f'{key} {flat[0].get(key)} instead of {flat[1][key]}' for key in keys)


def _write_split(
    out: Path, split: str, split_index: int, request: ShapesRequest, on_video: Callable[[], None]
) -> dict:
    layout = request.open(out, split)
    statistics = _Statistics()
    shown: list[int] = []
    for index in range(getattr(request, split)):
        world = ShapesWorld(request.options, seed=[request.seed, split_index, index])
        shown += _write_video(layout, index, world, statistics)
        on_video()
    layout.finish()
    return statistics.summary(shown)


def _write_video(
    layout: SplitLayout, index: int, world: ShapesWorld, statistics: '_Statistics'
) -> list[int]:
    """Write a video; returns the classes of the objects that were seen in it."""
    labels = np.array(world.labels, int)
    seen = np.zeros(len(labels), bool)
    statistics.begin(len(labels))
    layout.begin(index, world.labels)
    for t in range(world.options.length):
        frame = world.render(t)
        layout.add(t, frame)
        areas = np.bincount(frame.instances[frame.instances >= 0], minlength=len(labels))
        statistics.add(frame, areas)
        seen |= areas > 0
    return labels[seen].tolist()


class _Statistics:
    """Counts what makes a split hard, frame by frame."""

    def __init__(self) -> None:
        self.videos = self.frames = self.crossings = self.re_entries = self.reappearances = 0
        self.frames_hidden = self.videos_hidden = self.videos_crossing = 0
        self._hidden_parts: list[float] = []

    def begin(self, objects: int) -> None:
        """Start a video."""
        self.videos += 1
        self._touching: set[tuple[int, int]] = set()
        #: Last state of each object: 'unseen', 'visible', 'hidden' or 'outside'.
        self._state = ['unseen'] * objects
        self._counted_hidden = self._counted_crossing = False

    def add(self, frame: ShapesFrame, visible: np.ndarray) -> None:
        """Count a frame with the visible areas (N,) of its objects."""
        self.frames += 1
        full = frame.full_masks.sum(axis=(1, 2))
        inside = full > 0
        self._hidden_parts.extend((1 - visible[inside] / full[inside]).tolist())
        hidden = inside & (visible == 0)
        if hidden.any():
            self.frames_hidden += 1
            self.videos_hidden += not self._counted_hidden
            self._counted_hidden = True
        self._follow(inside, hidden)
        self._cross(frame.full_masks, full)

    def _follow(self, inside: np.ndarray, hidden: np.ndarray) -> None:
        for index, state in enumerate(self._state):
            if not inside[index]:
                new = state if state == 'unseen' else 'outside'
            elif hidden[index]:
                # An object that left and comes back behind another one is still away.
                new = state if state in ('unseen', 'outside') else 'hidden'
            else:
                new = 'visible'
                self.re_entries += state == 'outside'
                self.reappearances += state == 'hidden'
            self._state[index] = new

    def _cross(self, masks: np.ndarray, full: np.ndarray) -> None:
        for pair in combinations(range(len(masks)), 2):
            a, b = pair
            smaller = min(full[a], full[b])
            shared = np.count_nonzero(masks[a] & masks[b]) if smaller else 0
            if smaller and shared >= _CROSSING_OVERLAP * smaller:
                if pair not in self._touching:
                    self.crossings += 1
                    self.videos_crossing += not self._counted_crossing
                    self._counted_crossing = True
                self._touching.add(pair)
            elif not shared:
                self._touching.discard(pair)

    def summary(self, shown: Sequence[int]) -> dict:
        """The numbers of the split, given the class of each object that was seen."""
        counts = np.bincount(np.array(shown, int), minlength=len(THING_CLASSES)).tolist()
        return dict(
            videos=self.videos,
            frames=self.frames,
            instances=len(shown),
            instances_per_class=dict(zip(THING_CLASSES, counts, strict=True)),
            crossings=self.crossings,
            share_of_videos_with_crossing=_share(self.videos_crossing, self.videos),
            share_of_frames_with_full_occlusion=_share(self.frames_hidden, self.frames),
            share_of_videos_with_full_occlusion=_share(self.videos_hidden, self.videos),
            reappearances_after_full_occlusion=self.reappearances,
            re_entries=self.re_entries,
            mean_occlusion=round(float(np.mean(self._hidden_parts or [0.0])), 4),
        )


def _share(part: int, whole: int) -> float:
    return round(part / max(whole, 1), 4)
