"""Training data of configs, made: videos of Shapes as large as YouTube-VIS's, images as COCO's."""

import json
from pathlib import Path

import cv2
from mmengine.config import Config

from mmvseg.datasets import CocoClipDataset, JointClipDataset, VideoDataset
from mmvseg.datasets.shapes import ShapesOptions, ShapesRequest, write_shapes
from mmvseg.datasets.shapes.writer import read_stats
from mmvseg.datasets.youtube_vis import TABLES
from mmvseg.errors import UserError
from mmvseg.formats.categories import load_coco_names, load_table
from mmvseg.media.images import read_image_size
from mmvseg.registry import DATASETS

#: Frames of a video, which hold the longest clip of the configs.
LENGTH = 24
#: Of Shapes: some five objects a frame.
DIFFICULTY = 0.9


def made_dataset(
    cfg: Config,
    folder: Path,
    size: tuple[int, int] = (720, 1280),
    image_size: tuple[int, int] = (480, 640),
    videos: int = 3,
    quality: int = 90,
) -> VideoDataset | JointClipDataset:
    """The training data set of a config, with its own pipelines and classes, on made data.

    Args:
        cfg: the config.
        folder: where the data are made; what an earlier call left there is used again.
        size: (height, width) of the videos.
        image_size: that of the images, if the config trains on COCO's.
        videos: how many; of images eight times as many.
        quality: of the JPEGs, 1 to 100.

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
            root = folder / f'images_q{quality}'
            make_shapes(root, image_size, 1, 8 * videos, quality)
            ann_file = write_coco(root, part.version)
        else:
            root = folder / f'videos_q{quality}'
            make_shapes(root, size, LENGTH, videos, quality)
            ann_file = write_videos(root, part.get('version'))
        prefix = dict(img='train/JPEGImages')
        part.update(data_root=str(root), ann_file=ann_file, data_prefix=prefix)
    dataset = DATASETS.build(settings)
    dataset.full_init()
    return dataset


def parts_of(dataset: VideoDataset | JointClipDataset) -> dict[str, VideoDataset]:
    """The data sets that clips come from."""
    return dataset.datasets if isinstance(dataset, JointClipDataset) else dict(video=dataset)


def make_shapes(root: Path, size: tuple[int, int], length: int, count: int, quality: int) -> None:
    """Videos, or images, unless they are there from an earlier run that came to its end."""
    found = read_stats(root)
    made = found is not None and found['complete']
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
