"""Measure how long scoring takes: VPQ, STQ and the semantic metrics, from files, made with a seed.

Each metric is a fresh process of tools/evaluate.py, so that Python's start and reading the files
are in the figures.

Example:
    python tools/analysis/evaluation_speed.py --videos 20 --frames 24
"""

import argparse
import json
import tempfile
from pathlib import Path

import cv2
import numpy as np
from measure import describe, environment, markdown_table, run_script

EVALUATE = Path(__file__).resolve().parents[1] / 'evaluate.py'
NUM_CLASSES, NUM_THINGS = 124, 58
SIZE = (480, 720)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--videos', type=int, default=20)
    parser.add_argument('--frames', type=int, default=24, help='frames a video')
    parser.add_argument('--seed', type=int, default=0)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        make_data(Path(folder), args.videos, args.frames, args.seed)
        for metric in ('vpq', 'stq', 'vss'):
            cpu_s, peak_mb = measure(metric, Path(folder))
            rows.append((metric, args.videos, args.frames, f'{cpu_s:.2f}', f'{peak_mb:.0f}'))
    print(markdown_table(('metric', 'videos', 'frames', 'CPU s', 'peak memory, MB'), rows))
    print(f'\n{SIZE[0]} x {SIZE[1]} pixels. {describe(environment("cpu"))}')


def measure(metric: str, folder: Path) -> tuple[float, float]:
    """CPU seconds and peak memory in 10^6 bytes of scoring with one metric."""
    layout = folder / ('semantic' if metric == 'vss' else 'panoptic')
    usage = run_script(EVALUATE, metric, layout / 'gt', layout / 'pred')
    return usage.cpu_s, usage.peak_bytes / 1e6


# Data: wavy regions of stuff with ellipses of things before them, all moving


def make_data(folder: Path, num_videos: int, num_frames: int, seed: int) -> None:
    """Write the same videos in VIPSeg's and VSPW's layouts, with predictions that are a bit off."""
    rng = np.random.default_rng(seed)
    panoptic, semantic = folder / 'panoptic', folder / 'semantic'
    truth, pred = [], []
    for v in range(num_videos):
        name = f'video_{v:03d}'
        scene = Scene(rng)
        frames = [[], []]
        for t in range(num_frames):
            true, shifted = scene.draw(t, 0), scene.draw(t, 3)
            true[: SIZE[0] // 20] = 0  # void
            for ids, entries, png in (
                (true, frames[0], panoptic / 'gt/panomasksRGB'),
                (shifted, frames[1], panoptic / 'pred/pan_pred'),
            ):
                write_ids(png / name / f'{t:05d}.png', ids)
                entries.append(dict(file_name=f'{t:05d}.png', segments_info=scene.listed(ids)))
            mask = scene.classes(true) + (true > 0)
            write_png(semantic / 'gt/data' / name / 'mask' / f'{t:05d}.png', mask)
            write_png(semantic / 'pred' / name / f'{t:05d}.png', scene.classes(shifted))
        truth.append(dict(video_id=name, annotations=frames[0]))
        pred.append(dict(video_id=name, annotations=frames[1]))
    categories = [
        dict(id=i, name=f'class {i}', isthing=int(i < NUM_THINGS)) for i in range(NUM_CLASSES)
    ]
    videos = [
        dict(
            video_id=name,
            images=[
                dict(id=t, height=SIZE[0], width=SIZE[1], file_name=f'{t:05d}.jpg')
                for t in range(num_frames)
            ],
        )
        for name in (entry['video_id'] for entry in truth)
    ]
    content = dict(videos=videos, annotations=truth, categories=categories)
    (panoptic / 'gt/panoptic_gt_val.json').write_text(json.dumps(content))
    (panoptic / 'pred/pred.json').write_text(json.dumps(dict(annotations=pred)))
    names = ''.join(f'{entry["video_id"]}\n' for entry in truth)
    (semantic / 'gt/val.txt').write_text(names)


class Scene:
    """Segments that move: 4 to 6 of stuff, 4 to 8 of things.

    Args:
        rng: what they are drawn from.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        num_stuff, num_things = rng.integers(4, 7), rng.integers(4, 9)
        num = num_stuff + num_things
        self.ids = rng.choice(2**24 - 1, num, replace=False) + 1
        self.labels = np.concatenate(
            [
                rng.choice(np.arange(NUM_THINGS, NUM_CLASSES), num_stuff, replace=False),
                rng.integers(0, NUM_THINGS, num_things),
            ]
        )
        self.centers = rng.random((num, 2)) * SIZE
        self.speed = rng.normal(0, 4, (num, 2))
        self.radii = rng.uniform(20, 90, (num, 2))
        self.num_stuff = num_stuff

    def draw(self, frame: int, offset: int) -> np.ndarray:
        """Ids of a frame, moved by an offset in pixels, (H, W)."""
        y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
        centers = self.centers + self.speed * frame + offset
        waves = 30 * np.sin(x / 17 + frame / 5) + 30 * np.sin(y / 11)
        distances = [
            np.hypot(y - cy, x - cx) + (i % 2) * waves
            for i, (cy, cx) in enumerate(centers[: self.num_stuff])
        ]
        places = np.argmin(distances, axis=0)
        for i, (cy, cx) in enumerate(centers[self.num_stuff :], self.num_stuff):
            ry, rx = self.radii[i]
            places[((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1] = i
        return self.ids[places]

    def classes(self, ids: np.ndarray) -> np.ndarray:
        """Class of each pixel, 0 where there is no segment."""
        labels = np.zeros(ids.shape, np.uint8)
        for segment_id, label in zip(self.ids, self.labels, strict=True):
            labels[ids == segment_id] = label
        return labels

    def listed(self, ids: np.ndarray) -> list[dict]:
        """The segments of a frame as the json lists them."""
        areas = [int((ids == segment_id).sum()) for segment_id in self.ids]
        return [
            dict(id=int(segment_id), category_id=int(label), iscrowd=0, area=area)
            for segment_id, label, area in zip(self.ids, self.labels, areas, strict=True)
            if area
        ]


def write_ids(path: Path, ids: np.ndarray) -> None:
    write_png(path, np.stack([ids >> 16, ids >> 8 & 255, ids & 255], axis=-1).astype(np.uint8))


def write_png(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


if __name__ == '__main__':
    main()
