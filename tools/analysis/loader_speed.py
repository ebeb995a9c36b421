"""Measure how fast the training data of configs are made: CPU time of one process, clip by clip.

The data are made: videos of Shapes in the size of YouTube-VIS's, images in that of COCO's, masks as
run-length codes, with the classes of the config. The pipelines are the config's own.

Example:
    python tools/analysis/loader_speed.py configs/tevit/tevit_msgshift.py --clips 40
"""

import argparse
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from benchmark import parse_size
from measure import describe, environment, markdown_table
from mmengine.config import Config

from mmvseg.commands.cfg_options import add_cfg_options
from mmvseg.commands.parser import Parser
from mmvseg.datasets import CocoClipDataset, JointClipDataset, VideoDataset
from mmvseg.datasets.shapes import ShapesOptions, ShapesRequest, write_shapes
from mmvseg.datasets.video_dataset import ClipIndex
from mmvseg.datasets.youtube_vis import TABLES
from mmvseg.engine.config import load_config
from mmvseg.errors import UserError, command_line
from mmvseg.formats.categories import load_coco_names, load_table
from mmvseg.media.images import read_image_size
from mmvseg.registry import DATASETS

#: Frames of a video, which hold the longest clip of the configs.
LENGTH = 24
#: Of Shapes: some five objects a frame.
DIFFICULTY = 0.9


def parse_args() -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument('configs', nargs='+')
    parser.add_argument('--size', type=parse_size, default=(720, 1280), help='of the videos, HxW')
    parser.add_argument('--image-size', type=parse_size, default=(480, 640), help="of COCO's, HxW")
    parser.add_argument('--quality', type=int, default=90, help='of the JPEGs, 1..100 (default 90)')
    parser.add_argument('--videos', type=int, default=3, help='that are made (default 3)')
    parser.add_argument('--clips', type=int, default=20, help='of each data set (default 20)')
    parser.add_argument('--data', type=Path, help='keep the made data here, and use them again')
    add_cfg_options(parser)
    args = parser.parse_args()
    if min(args.videos, args.clips) < 1:
        parser.error('--videos and --clips must be at least 1')
    if not 1 <= args.quality <= 100:
        parser.error('--quality must be from 1 to 100')
    return args


@command_line
def main() -> None:
    args = parse_args()
    cv2.setNumThreads(0)  # as in workers, see env_cfg of the configs
    speeds, steps = [], []
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.data or Path(temporary)
        for path in args.configs:
            dataset = made_dataset(load_config(path, args.cfg_options), folder, args)
            times = {
                name: measure_clips(part, args.clips) for name, part in parts_of(dataset).items()
            }
            speeds.append(speed_row(path, dataset, times))
            steps += [step_row(path, name, seconds) for name, seconds in times.items()]
        sizes = ' '.join(map(describe_frames, sorted(folder.iterdir())))
    print(describe(environment('cpu')))
    print(f'{args.clips} clips of each data set. {sizes}\n')
    print(markdown_table(('config', 'frames', 'CPU ms a clip', 'clips a second and core'), speeds))
    header = ('config', 'data set', 'CPU ms a clip by step', 'all')
    print('\n' + markdown_table(header, steps))


def parts_of(dataset: VideoDataset | JointClipDataset) -> dict[str, VideoDataset]:
    """The data sets that clips come from."""
    return dataset.datasets if isinstance(dataset, JointClipDataset) else dict(video=dataset)


def speed_row(path: str, dataset: Any, times: dict[str, dict[str, float]]) -> tuple:
    """CPU time of a clip, the data sets drawn from as often as the config says."""
    parts = parts_of(dataset)
    weights = dataset.weights if isinstance(dataset, JointClipDataset) else np.ones(1)
    sums = [sum(steps.values()) for steps in times.values()]
    seconds = float((weights / weights.sum()) @ sums)
    frames = next(iter(parts.values())).clip.num_frames
    return Path(path).stem, frames, f'{1000 * seconds:.1f}', f'{1 / seconds:.2f}'


def step_row(path: str, name: str, seconds: dict[str, float]) -> tuple:
    """CPU time of a clip of one data set by step of its pipeline."""
    shown = ', '.join(f'{step} {1000 * value:.1f}' for step, value in seconds.items())
    return Path(path).stem, name, shown, f'{1000 * sum(seconds.values()):.1f}'


def measure_clips(dataset: VideoDataset, count: int) -> dict[str, float]:
    """Mean CPU seconds of a clip by step: the item's record, then each transform."""
    seconds: dict[str, float] = defaultdict(float)
    transforms = dataset.pipeline.transforms
    dataset.pipeline.transforms = [Timed(transform, seconds) for transform in transforms]
    order = np.random.default_rng(0).permutation(len(dataset))
    start = time.process_time()
    for draw, index in zip(range(count), cycle_of(order), strict=False):
        dataset.prepare_data(ClipIndex(int(index), 0, draw))
    whole = time.process_time() - start
    dataset.pipeline.transforms = transforms
    rest = dict(record=whole - sum(seconds.values()))
    return {step: value / count for step, value in (rest | seconds).items()}


class Timed:
    """A transform that adds the CPU time of its calls to its name's."""

    def __init__(self, transform: Any, seconds: dict[str, float]) -> None:
        self.transform = transform
        self.seconds = seconds

    def __call__(self, results: dict) -> Any:
        start = time.process_time()
        results = self.transform(results)
        self.seconds[type(self.transform).__name__] += time.process_time() - start
        return results


def cycle_of(order: np.ndarray) -> Iterator[int]:
    """The numbers over and over."""
    while True:
        yield from order.tolist()


def made_dataset(
    cfg: Config, folder: Path, args: argparse.Namespace
) -> VideoDataset | JointClipDataset:
    """The training data set of a config, on made data.

    Raises:
        UserError: it has no instances of YouTube-VIS's format.
    """
    settings = cfg.train_dataloader.dataset
    parts = settings.get('datasets') or dict(video=settings)
    for part in parts.values():
        kind = DATASETS.get(part.type)
        if part.type not in ('YouTubeVISDataset', 'CocoClipDataset'):
            raise UserError(f'{cfg.filename}: {part.type} is not measured, only instances are')
        if kind is CocoClipDataset:
            root = folder / f'images_q{args.quality}'
            make_shapes(root, args.image_size, 1, 8 * args.videos, args.quality)
            ann_file = write_coco(root, part.version)
        else:
            root = folder / f'videos_q{args.quality}'
            make_shapes(root, args.size, LENGTH, args.videos, args.quality)
            ann_file = write_videos(root, part.version)
        prefix = dict(img='train/JPEGImages')
        part.update(data_root=str(root), ann_file=ann_file, data_prefix=prefix)
    dataset = DATASETS.build(settings)
    dataset.full_init()
    return dataset


def make_shapes(
    root: Path, size: tuple[int, int], length: int, count: int, quality: int
) -> None:
    """Videos, or images, unless they are there from an earlier run."""
    made = (root / 'stats.json').exists()
    write_shapes(root, ShapesRequest(ShapesOptions(*size, length, DIFFICULTY), count, val=0))
    for path in [] if made else frame_files(root):
        cv2.imwrite(str(path), cv2.imread(str(path)), [cv2.IMWRITE_JPEG_QUALITY, quality])


def frame_files(root: Path) -> list[Path]:
    """All frames of a set."""
    return sorted((root / 'train/JPEGImages').glob('*/*.jpg'))


def describe_frames(root: Path) -> str:
    """Size and number of objects of the frames of a set."""
    paths = frame_files(root)
    height, width = read_image_size(paths[0])
    tracks = json.loads((root / 'train.json').read_text())['annotations']
    masks = sum(mask is not None for track in tracks for mask in track['segmentations'])
    kilobytes = sum(path.stat().st_size for path in paths) / len(paths) / 1000
    return (
        f'{root.name}: frames of {height}x{width}, {kilobytes:.0f} kB, '
        f'{masks / len(paths):.1f} objects each.'
    )


def write_videos(root: Path, version: str | None) -> str:
    """The annotation file with the classes of a published data set; its name."""
    if version is None:
        return 'train.json'
    content = json.loads((root / 'train.json').read_text())
    table = load_table(TABLES[str(version)])
    content['categories'] = [dict(id=category.id, name=category.name) for category in table]
    for annotation in content['annotations']:
        annotation['category_id'] = table[annotation['category_id'] % len(table)].id
    return write_json(root, f'train_{version}.json', content)


def write_coco(root: Path, version: str) -> str:
    """The videos of one frame as images of COCO's format; the name of the file."""
    content = json.loads((root / 'train.json').read_text())
    names = list(load_coco_names(TABLES[str(version)]))
    images = [
        dict(id=v['id'], file_name=v['file_names'][0], height=v['height'], width=v['width'])
        for v in content['videos']
    ]
    annotations = [
        dict(
            id=track['id'],
            image_id=track['video_id'],
            category_id=1 + track['category_id'] % len(names),
            segmentation=track['segmentations'][0],
            bbox=track['bboxes'][0],
            area=track['areas'][0],
        )
        for track in content['annotations']
        if track['segmentations'][0] is not None
    ]
    categories = [dict(id=number, name=name) for number, name in enumerate(names, 1)]
    coco = dict(images=images, annotations=annotations, categories=categories)
    return write_json(root, f'coco_{version}.json', coco)


def write_json(root: Path, name: str, content: dict) -> str:
    (root / name).write_text(json.dumps(content))
    return name


if __name__ == '__main__':
    main()
