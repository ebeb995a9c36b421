"""Writes splits of Shapes videos in the official YouTube-VIS format, with their statistics."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from mmvseg.errors import UserError

from .textures import STUFF_CLASSES, THING_CLASSES
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
        stuff: also write the per-pixel class maps.
    """

    options: ShapesOptions = field(default_factory=ShapesOptions)
    train: int = 500
    val: int = 100
    seed: int = 0
    stuff: bool = False


def write_shapes(
    out: Path,
    request: ShapesRequest,
    overwrite: bool = False,
    on_video: Callable[[], None] = lambda: None,
) -> dict:
    """Write ``out/{train,val}/JPEGImages``, ``out/{train,val}.json`` and ``out/stats.json``.

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
    """
    arguments = dict(version=GENERATOR_VERSION, **asdict(request))
    found = read_stats(out)
    if found is not None and found['arguments'] == arguments and found['complete']:
        return found['splits']
    _clear(out, found, arguments, overwrite)
    _write_json(out / 'stats.json', dict(arguments=arguments, complete=False))
    splits = {}
    for index, split in enumerate(_SPLITS):
        splits[split] = _write_split(out, split, index, request, on_video)
    # Written last: its presence says that everything else is there.
    _write_json(out / 'stats.json', dict(arguments=arguments, complete=True, splits=splits))
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
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
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
        for split in _SPLITS:
            shutil.rmtree(out / split, ignore_errors=True)
            for name in (f'{split}.json', f'{split}_stuff.json'):
                (out / name).unlink(missing_ok=True)
    out.mkdir(parents=True, exist_ok=True)


def _differing(old: dict, new: dict) -> str:
    flat = [{**args, **args.get('options', {})} for args in (old, new)]
    keys = [key for key in flat[1] if key != 'options' and flat[0].get(key) != flat[1][key]]
    return ', '.join(f'{key} {flat[0].get(key)} instead of {flat[1][key]}' for key in keys)


def _write_split(
    out: Path, split: str, split_index: int, request: ShapesRequest, on_video: Callable[[], None]
) -> dict:
    videos, annotations = [], []
    statistics = _Statistics()
    for index in range(getattr(request, split)):
        world = ShapesWorld(request.options, seed=[request.seed, split_index, index])
        video, tracks = _write_video(out, split, index, world, statistics, request.stuff)
        videos.append(video)
        for track in tracks:
            annotations.append(dict(id=len(annotations) + 1, **track))
        on_video()
    things = _categories(THING_CLASSES, first=1, isthing=1)
    content = dict(
        info=dict(description=f'Shapes, {split} split'),
        licenses=[],
        videos=videos,
        categories=things,
        annotations=annotations,
    )
    _write_json(out / f'{split}.json', content)
    if request.stuff:
        stuff = _categories(STUFF_CLASSES, first=len(things) + 1, isthing=0)
        content = dict(videos=videos, categories=things + stuff)
        _write_json(out / f'{split}_stuff.json', content)
    return statistics.summary(annotations)


def _categories(names: tuple[str, ...], first: int, isthing: int) -> list[dict]:
    kind = 'thing' if isthing else 'stuff'
    return [
        dict(id=first + index, name=name, supercategory=kind, isthing=isthing)
        for index, name in enumerate(names)
    ]


def _write_video(
    out: Path,
    split: str,
    index: int,
    world: ShapesWorld,
    statistics: '_Statistics',
    stuff: bool,
) -> tuple[dict, list[dict]]:
    options = world.options
    name = f'shapes_{index:05d}'
    folder = out / split / 'JPEGImages' / name
    folder.mkdir(parents=True)
    tracks = [
        dict(
            video_id=index + 1,
            category_id=label + 1,
            iscrowd=0,
            height=options.height,
            width=options.width,
            segmentations=[],
            bboxes=[],
            areas=[],
        )
        for label in world.labels
    ]
    statistics.begin(len(tracks))
    for t in range(options.length):
        frame = world.render(t)
        _write_image(folder / f'{t:05d}.jpg', frame.image[..., ::-1])
        if stuff:
            path = out / split / 'class_maps' / name / f'{t:05d}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_image(path, class_map(frame, world.labels))
        statistics.add(frame, _annotate(frame, tracks))
    video = dict(
        id=index + 1,
        height=options.height,
        width=options.width,
        length=options.length,
        file_names=[f'{name}/{t:05d}.jpg' for t in range(options.length)],
    )
    return video, [track for track in tracks if any(track['areas'])]


def class_map(frame: ShapesFrame, labels: list[int]) -> np.ndarray:
    """Category id of each pixel, things before stuff, (H, W) uint8; 0 does not occur."""
    ids = np.array([*(label + 1 for label in labels), 0], np.uint8)
    stuff = frame.stuff + np.uint8(len(THING_CLASSES) + 1)
    return np.where(frame.instances >= 0, ids[frame.instances], stuff)


def _annotate(frame: ShapesFrame, tracks: list[dict]) -> np.ndarray:
    """Append this frame to every track; returns the visible areas (N,)."""
    visible = frame.instances[..., None] == np.arange(len(tracks))
    codes = coco_mask.encode(np.asfortranarray(visible, np.uint8))
    areas = coco_mask.area(codes)
    boxes = coco_mask.toBbox(codes)
    for track, code, area, box in zip(tracks, codes, areas, boxes, strict=True):
        rle = dict(size=list(code['size']), counts=code['counts'].decode('ascii'))
        track['segmentations'].append(rle if area else None)
        track['bboxes'].append(box.tolist() if area else None)
        track['areas'].append(int(area) if area else None)
    return areas


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

    def summary(self, annotations: list[dict]) -> dict:
        """The numbers of the split, given its final annotations."""
        counts = [0] * len(THING_CLASSES)
        for annotation in annotations:
            counts[annotation['category_id'] - 1] += 1
        return dict(
            videos=self.videos,
            frames=self.frames,
            instances=len(annotations),
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


def _write_image(path: Path, image: np.ndarray) -> None:
    extension = path.suffix
    options = [cv2.IMWRITE_JPEG_QUALITY, 95] if extension == '.jpg' else []
    done, data = cv2.imencode(extension, image, options)
    if not done:
        raise UserError(f'{path}: OpenCV cannot encode {extension} (see tools/doctor.py)')
    path.write_bytes(data.tobytes())


def _write_json(path: Path, content: dict) -> None:
    temporary = path.with_suffix('.json.tmp')
    temporary.write_text(json.dumps(content, separators=(',', ':')))
    os.replace(temporary, path)
