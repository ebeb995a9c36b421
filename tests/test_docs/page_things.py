"""Small files under the names that the pages use; each is made once, when it is asked for."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from helpers import REPOSITORY
from mmdet.datasets import CocoDataset
from PIL import Image
from squares import square_frame, write_checkpoint, write_config, write_frames

from mmvseg.datasets.shapes import ShapesOptions, ShapesRequest, write_shapes
from mmvseg.examples import CLIP
from mmvseg.media import VideoWriter, open_source

SIZE, FRAMES = (48, 64), 6
#: Name on the pages, and the function here that writes it to a path.
THINGS: dict[str, Callable[[Path], None]] = {}


def thing(*names: str) -> Callable:
    def register(make: Callable[[Path], None]) -> Callable[[Path], None]:
        THINGS.update(dict.fromkeys(names, make))
        return make

    return register


@thing('street.mp4', 'day.mp4', 'night.mp4', 'VIDEO')
def clip(path: Path, frames: int = 8) -> None:
    source = open_source(CLIP)
    with VideoWriter(path.with_suffix('.mp4'), source.fps) as writer:
        for index, _, image in source:
            if index < frames:
                writer.write(image)
    if path.suffix != '.mp4':
        path.with_suffix('.mp4').rename(path)


@thing('videos')
def folder_of_videos(path: Path) -> None:
    path.mkdir(parents=True)
    clip(path / 'first.mp4', 4)
    clip(path / 'second.mp4', 4)


@thing('frames')
def folder_of_frames(path: Path) -> None:
    path.mkdir(parents=True)
    for index, _, image in open_source(CLIP):
        if index < 4:
            Image.fromarray(image).save(path / f'{index:05d}.png')


def shapes(path: Path, **options) -> None:
    request = ShapesRequest(ShapesOptions(*SIZE, length=FRAMES), train=6, val=4, **options)
    write_shapes(path, request)


@thing('data/shapes')
def shapes_of_instances(path: Path) -> None:
    shapes(path)


def official(path: Path, table: str, names: dict[str, str], frames: str) -> None:
    """Shapes in the form and with the classes of a published set; ``names`` of its two splits."""
    made = path / 'made'
    shapes(made)
    categories = json.loads((REPOSITORY / f'mmvseg/formats/categories/{table}.json').read_text())
    for split, name in names.items():
        content = json.loads((made / f'{split}.json').read_text())
        for entry in content['annotations']:
            entry['category_id'] = categories[entry['category_id'] % len(categories)]['id']
        content['categories'] = categories
        if split == 'val':  # released without
            del content['annotations']
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(json.dumps(content))
        target = path / frames.format(split='valid' if split == 'val' else split)
        target.parent.mkdir(parents=True, exist_ok=True)
        (made / split / 'JPEGImages').rename(target)
    shutil.rmtree(made)


@thing('data/youtube_vis_2019')
def youtube_vis_2019(path: Path) -> None:
    official(path, 'ytvis_2019', dict(train='train.json', val='valid.json'), '{split}/JPEGImages')


@thing('data/youtube_vis_2021')
def youtube_vis_2021(path: Path) -> None:
    official(path, 'ytvis_2021', dict(train='train.json', val='valid.json'), '{split}/JPEGImages')


@thing('data/ovis')
def ovis(path: Path) -> None:
    names = {
        s: f'annotations/annotations_{n}.json' for s, n in dict(train='train', val='valid').items()
    }
    official(path, 'ovis', names, '{split}')


@thing('data/youtube_vis_2022')
def youtube_vis_2022(path: Path) -> None:
    path.mkdir(parents=True)
    for name in ('gt_short.json', 'gt_long.json'):
        annotations(path / name)


@thing('data/coco')
def coco(path: Path) -> None:
    names = CocoDataset.METAINFO['classes']
    categories = [dict(id=number, name=name) for number, name in enumerate(names, 1)]
    content = dict(images=[], annotations=[], categories=categories)
    for number in (1, 2, 3):
        name = f'{number:012d}.jpg'
        for split in ('train2017', 'val2017'):
            (path / split).mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((*SIZE, 3), 40 * number, np.uint8)).save(path / split / name)
        content['images'].append(dict(id=number, file_name=name, height=SIZE[0], width=SIZE[1]))
        corners = [8, 8, 40, 8, 40, 32, 8, 32]
        content['annotations'].append(
            dict(id=number, image_id=number, category_id=categories[0]['id'], iscrowd=0)
            | dict(segmentation=[corners], bbox=[8, 8, 32, 24], area=768)
        )
    (path / 'annotations').mkdir()
    for split in ('train2017', 'val2017'):
        (path / f'annotations/instances_{split}.json').write_text(json.dumps(content))


#: Classes of the annotations below, and names of their first two videos.
CLASSES = ('person', 'dog', 'red car', 'van', 'car', 'cup')
VIDEOS = ('kitchen', 'yard')


@thing('GT.json', 'valid.json', 'val.json', 'train.json', 'ann.json', 'monday.json')
@thing('annotations.json', 'val_instances.json')
def annotations(path: Path, videos: tuple[str, ...] = VIDEOS) -> None:
    """Annotations of six videos, with OVIS's occlusion; frames_of_annotations fit them."""
    made = path.parent / f'{path.name}.made'
    shapes(made)
    text = (made / 'train.json').read_text()
    shutil.rmtree(made)
    for number, name in enumerate(videos):
        text = text.replace(f'shapes_{number:05d}', name)
    content = json.loads(text)
    for category, name in zip(content['categories'], CLASSES, strict=True):
        category['name'] = name
    for entry in (*content['videos'], *content['annotations']):
        key = 'video_id' if 'video_id' in entry else 'id'
        entry[key] = 17 if entry[key] == 2 else entry[key]
    levels = ('no_occlusion', 'slight_occlusion', 'severe_occlusion')
    for number, entry in enumerate(content['annotations']):
        masks = entry['segmentations']
        entry['occlusion'] = [levels[number % 3] if mask else None for mask in masks]
    path.write_text(json.dumps(content))


@thing('tuesday.json')
def annotations_of_other_videos(path: Path) -> None:
    annotations(path, tuple(f'tuesday_{number}' for number in range(6)))


@thing('FRAMES', 'val/JPEGImages')
def frames_of_annotations(path: Path) -> None:
    made = path.parent / f'{path.name}.made'
    shapes(made)
    (made / 'train/JPEGImages').rename(path)
    for number, name in enumerate(VIDEOS):
        (path / f'shapes_{number:05d}').rename(path / name)
    shutil.rmtree(made)


@thing('data/a', 'data/b')
def labelled(path: Path) -> None:
    path.mkdir(parents=True)
    annotations(path / 'annotations.json')
    frames_of_annotations(path / 'frames')


@thing('names.json')
def names_of_classes(path: Path) -> None:
    names = {'red car': 'car', 'van': 'truck', 'cup': None}
    path.write_text(json.dumps(names))


@thing('distractors.json', 'common_classes.json')
def ids_of_classes(path: Path) -> None:
    path.write_text('[6]' if path.name == 'distractors.json' else '[1, 2]')


@thing('RESULTS.json', 'results.json', 'a/results.json', 'run_1/results.json')
def results(path: Path) -> None:
    truth = path.parent / f'{path.name}.truth'
    annotations(truth)
    write_results(path, truth)
    truth.unlink()


@thing('b/results.json', 'run_2/results.json', 'run_3/results.json')
def other_results(path: Path) -> None:
    truth = path.parent / f'{path.name}.truth'
    annotations(truth)
    write_results(path, truth, first=1)
    truth.unlink()


def write_results(path: Path, truth: Path, first: int = 0) -> None:
    """What a model might find: some objects miss frames, some have another class."""
    content, found = json.loads(truth.read_text()), []
    ids = [category['id'] for category in content['categories']]
    for number, entry in enumerate(content['annotations'], first):
        masks = list(entry['segmentations'])
        if number % 3 == 0:
            masks[:2] = [None, None]
        category = entry['category_id'] if number % 5 else ids[number % len(ids)]
        score = 0.95 - 0.01 * (number % 40)
        found.append(
            dict(video_id=entry['video_id'], category_id=category)
            | dict(score=score, segmentations=masks)
        )
    path.write_text(json.dumps(found))


@thing('work_dirs/tevit_msgshift/results/results.json')
def results_of_val(path: Path) -> None:
    shapes(path.parent / 'made')
    write_results(path, path.parent / 'made/val.json')
    shutil.rmtree(path.parent / 'made')


@thing('work_dirs/first', 'work_dirs/second')
def training(path: Path) -> None:
    """The log of a training."""
    folder = path / '20260101_000000/vis_data'
    folder.mkdir(parents=True)
    rows = [dict(loss=9 / step, lr=0.1 / step, step=step, iter=step) for step in (10, 20, 30)]
    rows.append({'youtube_vis/AP': 0.3, 'step': 30})
    (folder / 'scalars.json').write_text(''.join(f'{json.dumps(row)}\n' for row in rows))


@thing('work_dirs/quickstart')
def quickstart(path: Path) -> None:
    """What tools/quickstart.sh leaves, of the val videos of data/shapes."""
    path.mkdir(parents=True)
    shapes(path / 'made')
    write_results(path / 'results.json', path / 'made/val.json')
    shutil.rmtree(path / 'made')
    (path / 'last_checkpoint').write_text('work_dirs/quickstart/iter_1000.pth')


def squares(folder: Path) -> None:
    """Two videos of squares and a model that finds them, in each frame by itself."""
    write_config(folder / 'squares.py', live=True)
    write_checkpoint(folder / 'squares.pth')
    for name in ('street', 'yard'):
        write_frames(folder / name)
    with VideoWriter(folder / 'street.mp4', 25, crf=1) as writer:
        for index in range(7):
            writer.write(square_frame(index))
