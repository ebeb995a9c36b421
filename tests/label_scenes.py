"""Small scenes in the form of YouTube-VIS, to be exported and imported again."""

import json

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from mmvseg.formats.youtube_vis_writer import annotation_lists

CLASSES = ('traffic light', 'Fußgänger', 'dog')


def random_mask(rng, hw):
    """Some blobs: parts, holes, specks, or nothing."""
    if rng.random() < 0.2:
        return np.zeros(hw, bool)
    noise = cv2.GaussianBlur(rng.random(hw), (0, 0), rng.choice([1, 2, 4]))
    return noise > np.quantile(noise, rng.choice([0.6, 0.8, 0.95]))


def random_scene(seed, hw=(24, 36), videos=2, frames=5, objects=3):
    """Content of an annotation file: every object is somewhere."""
    rng = np.random.default_rng(seed)
    entries, annotations = [], []
    for number in range(1, videos + 1):
        names = [f'clip {number}/{frame:03d}.jpg' for frame in range(frames)]
        size = dict(height=hw[0], width=hw[1], length=frames)
        entries.append(dict(id=number, file_names=names, **size))
        for _ in range(objects):
            masks = [random_mask(rng, hw) for _ in range(frames)]
            masks[rng.integers(frames)][3:9, 4:12] = True
            rles = [coco_mask.encode(np.asfortranarray(m, np.uint8)) for m in masks]
            shown = [rle if mask.any() else None for rle, mask in zip(rles, masks, strict=True)]
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    video_id=number,
                    category_id=int(rng.integers(3)) + 1,
                    iscrowd=0,
                    **annotation_lists(shown),
                )
            )
    categories = [dict(id=number, name=name) for number, name in enumerate(CLASSES, start=1)]
    return dict(videos=named(entries), categories=categories, annotations=annotations)


def named(entries):
    """Videos with the names that an import gives them."""
    return [dict(name=entry['file_names'][0].split('/')[0], **entry) for entry in entries]


def results_of(content, scores):
    """The objects as official results, with a score each."""
    return [
        dict(
            video_id=entry['video_id'],
            category_id=entry['category_id'],
            score=score,
            segmentations=entry['segmentations'],
        )
        for entry, score in zip(content['annotations'], scores, strict=True)
    ]


def write(path, content):
    """Write json; returns the path."""
    path.write_text(json.dumps(content))
    return path
