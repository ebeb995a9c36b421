"""Scenes for measures of tracking, written as a letter a frame."""

import numpy as np
import youtube_vis_content
from pycocotools import mask as coco_mask

from mmvseg.evaluation.functional.tracking import evaluate_tracking

WIDTH = 64


def strip(letter):
    """A mask, a row of pixels, or None for a dot.

    Letters are places that do not overlap, eight pixels each; a capital letter has the first six
    of them, which is an IoU of 0.75. ``0`` is a mask without pixels, ``2`` the places of a and b
    together, ``3`` that of b and half that of a.
    """
    if letter == '.':
        return None
    pixels = np.zeros((1, WIDTH), np.uint8, order='F')
    if letter in '23':
        pixels[:, 0 if letter == '2' else 4 : 16] = 1
    elif letter != '0':
        start = 8 * (ord(letter.lower()) - ord('a'))
        pixels[:, start : start + (6 if letter.isupper() else 8)] = 1
    code = coco_mask.encode(pixels)
    return dict(size=[1, WIDTH], counts=code['counts'].decode())


def entries(texts, **common):
    """Objects or results of video 1 and category 1, such as ``['aa.a', 'bbbb']``."""
    return [
        dict(video_id=1, category_id=1, segmentations=[*map(strip, text)]) | common
        for text in texts
    ]


def content(annotations, lengths, num_categories=1):
    """Ground truth; videos are numbered from 1 and have the given lengths."""
    return dict(
        videos=[
            dict(id=v, height=1, width=WIDTH, file_names=[f'video_{v}/{t}.jpg' for t in range(n)])
            for v, n in enumerate(lengths, 1)
        ],
        categories=[dict(id=c, name=f'class_{c}') for c in range(1, num_categories + 1)],
        annotations=[dict(iscrowd=0) | a | dict(id=i) for i, a in enumerate(annotations, 1)],
    )


def evaluate(truth, results, **options):
    scored = [dict(score=1.0) | result for result in results]
    records = youtube_vis_content.records(truth)
    return evaluate_tracking(records, youtube_vis_content.results(scored), 'results', **options)


def numbers(objects, tracks, **options):
    """Numbers of one class in one video; objects and tracks are texts."""
    truth = content(entries(objects), [len(objects[0])])
    return evaluate(truth, entries(tracks), **options).overall()['class_1']
