"""Panoptic and semantic results in folders, and their ground truth: the squares of squares.py."""

import json
from pathlib import Path

import numpy as np
from map_squares import META
from PIL import Image
from squares import square_frame

from mmvseg.media.images import write_image

FRAMES = 3
#: Red, green, wall, floor: as in the file, larger than a byte.
IDS = (70_000, 300, 1, 2)
CATEGORIES = [
    dict(id=category_id, name=name, isthing=int(name in META['thing_classes']), color=list(color))
    for category_id, name, color in zip(
        META['category_ids'], META['classes'], META['palette'], strict=True
    )
]
LABELS = dict(zip(META['classes'], META['category_ids'], strict=True))
#: Category ids in the order of IDS.
CATEGORY_IDS = [LABELS[name] for name in ('red', 'green', 'wall', 'floor')]


def index_map(frame):
    """Index into IDS of each pixel; the last columns are void, 4."""
    image = square_frame(frame)
    index = np.full(image.shape[:2], 2)
    index[24:] = 3
    index[image[..., 0] > 200] = 0
    index[image[..., 1] > 200] = 1
    index[:, -4:] = 4
    return index


def write_png(file, values):
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values.astype(np.uint8)).save(file)


def write_ids(file, index):
    ids = np.array([*IDS, 0])[index]
    write_png(file, np.stack([ids % 256, ids // 256 % 256, ids // 65536], axis=2))


def write_vps():
    """Two videos in the form of VIPSeg and results that are right, in the working folder."""
    truth = dict(videos=[], annotations=[], categories=CATEGORIES)
    results = []
    for video in ('first', 'second'):
        names = [f'{frame:08d}' for frame in range(2, 2 + FRAMES)]
        annotated, predicted = [], []
        for frame, name in enumerate(names):
            index = index_map(frame)
            write_image(f'gt/images/{video}/{name}.jpg', square_frame(frame))
            write_ids(Path(f'gt/panomasksRGB/{video}/{name}.png'), index)
            write_ids(Path(f'pred/pan_pred/{video}/{name}.png'), index)
            segments = [
                dict(id=i, category_id=c, iscrowd=0, area=int((index == n).sum()))
                for n, (i, c) in enumerate(zip(IDS, CATEGORY_IDS, strict=True))
            ]
            annotated.append(dict(file_name=f'{name}.png', image_id=name, segments_info=segments))
            predicted.append(dict(file_name=f'{name}.jpg', segments_info=segments))
        images = [dict(id=n, width=64, height=48, file_name=f'{n}.jpg') for n in names]
        truth['videos'].append(dict(video_id=video, images=images))
        truth['annotations'].append(dict(video_id=video, annotations=annotated))
        results.append(dict(video_id=video, annotations=predicted))
    write_json('gt/panoptic_gt_val.json', truth)
    write_json('pred/pred.json', dict(annotations=results))


def write_vss():
    """Two videos in the form of VSPW and results that are right, in the working folder."""
    for video in ('first', 'second'):
        for frame in range(FRAMES):
            index = index_map(frame)
            root = Path('gt/data', video)
            write_image(root / f'origin/{frame:08d}.jpg', square_frame(frame))
            values = np.array([*(c + 1 for c in CATEGORY_IDS), 255])[index]
            values[0, 0] = 0
            write_png(root / f'mask/{frame:08d}.png', values)
            predicted = np.array([*CATEGORY_IDS, LABELS['wall']])[index]
            write_png(Path('pred', video, f'{frame:08d}.png'), predicted)
    Path('gt/val.txt').write_text('first\nsecond\n')
    write_json('gt/categories.json', CATEGORIES)
    write_json('pred/videos.json', [])


def write_json(name, content):
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(json.dumps(content))
