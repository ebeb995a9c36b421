"""Small data sets in the forms of STEP and of Cityscapes-VPS, and predictions for them."""

import json

import cv2
import numpy as np
from panoptic_files import listed, write_ids

VOID = 255
#: As in the file of Cityscapes-VPS, with the script's spelling of a class.
CATEGORIES = [
    dict(id=0, name='road', isthing=0, color=[128, 64, 128]),
    dict(id=8, name='vegitation', isthing=0, color=[107, 142, 35]),
    dict(id=11, name='person', isthing=1, color=[220, 20, 60]),
    dict(id=13, name='car', isthing=1, color=[0, 0, 142]),
]
#: Category of segment ids in the maps of Cityscapes-VPS.
SEGMENTS = {1: 0, 2: 8, 300: 11, 70000: 13, 70001: 13}


def pixels(*rows):
    """A STEP map of (class, number) pairs, (H, W, 2)."""
    return np.array(rows)


def write_step_map(path, pairs):
    pairs = np.asarray(pairs)
    category, number = pairs[..., 0], pairs[..., 1]
    bgr = np.stack([number % 256, number // 256, category], -1).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), bgr)


def write_step_maps(folder, sequences):
    """Write maps, of the ground truth or predicted: a list of :func:`pixels` by sequence."""
    for name, frames in sequences.items():
        for number, pairs in enumerate(frames):
            write_step_map(folder / name / f'{number:06d}.png', pairs)


def write_step(root, sequences, split='val'):
    """Write ``images`` and ``panoptic_maps``; returns the folder of the latter."""
    maps = root / 'panoptic_maps' / split
    write_step_maps(maps, sequences)
    for name, frames in sequences.items():
        folder = root / 'images' / split / name
        folder.mkdir(parents=True, exist_ok=True)
        for number, pairs in enumerate(frames):
            gray = np.full((*np.shape(pairs)[:2], 3), 10 * number, np.uint8)
            cv2.imwrite(str(folder / f'{number:06d}.png'), gray)
    return maps


def picture_name(video, labelled):
    """Name of a labelled picture, counted from 0; the fourth of a video is Cityscapes' own."""
    suffix = 'leftImg8bit' if labelled == 3 else 'newImg8bit'
    return f'{image_id(video, labelled)}_{suffix}.png'


def mask_name(video, labelled):
    suffix = 'gtFine_color' if labelled == 3 else 'final_mask'
    return f'{image_id(video, labelled)}_{suffix}.png'


def image_id(video, labelled):
    number = 6 * (int(video) - 1) + labelled + 1
    return f'{video}_{number:04d}_bonn_000002_{_first(video) + 4 + 5 * labelled:06d}'


def _first(video):
    return 40 * int(video)


def all_names(video, labelled=6):
    """Names of all frames up to the last labelled one."""
    return [f'bonn_000002_{_first(video) + t:06d}_leftImg8bit.png' for t in range(5 * labelled)]


def write_cityscapes_vps(root, videos, split='val', pictures=False):
    """Write ground truth: a list of the ids of the labelled frames, (H, W), by video.

    Returns:
        The json; beside it lies ``im_all_info_<split>_city_vps.json``.
    """
    root.mkdir(parents=True, exist_ok=True)
    content = dict(images=[], annotations=[], categories=CATEGORIES)
    everything = []
    for video, frames in videos.items():
        everything += all_names(video, len(frames))
        for t, ids in enumerate(frames):
            ids = np.asarray(ids)
            write_ids(root / split / 'panoptic_video' / mask_name(video, t), ids)
            height, width = ids.shape
            picture = dict(id=image_id(video, t), file_name=picture_name(video, t))
            content['images'].append(dict(picture, height=height, width=width))
            content['annotations'].append(
                dict(
                    image_id=image_id(video, t),
                    file_name=mask_name(video, t),
                    segments_info=listed(ids, SEGMENTS),
                )
            )
            if pictures:
                gray = np.full((height, width, 3), 10 * t, np.uint8)
                write_picture(root / split / 'img' / picture_name(video, t), gray)
        if pictures:
            for t, name in enumerate(all_names(video, len(frames))):
                gray = np.full((*np.shape(frames[0]), 3), 2 * t, np.uint8)
                write_picture(root / split / 'img_all' / name, gray)
    entries = [dict(id=n, file_name=name) for n, name in enumerate(everything)]
    path = root / f'im_all_info_{split}_city_vps.json'
    path.write_text(json.dumps(dict(images=entries)))
    path = root / f'panoptic_gt_{split}_city_vps.json'
    path.write_text(json.dumps(content))
    return path


def write_picture(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def write_cityscapes_predictions(folder, videos):
    """The same for predictions, in the order of the ground truth."""
    entries = []
    for video, frames in videos.items():
        for t, ids in enumerate(frames):
            write_ids(folder / 'pan_pred' / f'{image_id(video, t)}.png', ids)
            segments = listed(np.asarray(ids), SEGMENTS)
            entries.append(dict(image_id=image_id(video, t), segments_info=segments))
    (folder / 'pred.json').write_text(json.dumps(dict(annotations=entries)))
