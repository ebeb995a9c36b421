"""A tiny data set in the official form, free to be broken by a test."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.structures import InstanceData  # noqa: F401 - loads mmengine once
from pycocotools import mask as coco_mask

from mmvseg.datasets import YouTubeVISDataset
from mmvseg.datasets.shapes import ShapesOptions, ShapesRequest, write_shapes

PIPELINE = [dict(type='LoadClip'), dict(type='PackClip')]


def encode(mask: np.ndarray) -> dict:
    """A compressed code as json holds it."""
    code = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return dict(size=list(code['size']), counts=code['counts'].decode())


def make_content(lengths=(4, 3), height=40, width=60) -> dict:
    """Videos with two objects each: one always there, one only in the first frame."""
    videos, annotations = [], []
    for index, length in enumerate(lengths):
        name = f'video_{index}'
        videos.append(
            dict(
                id=10 + index,
                height=height,
                width=width,
                length=length,
                file_names=[f'{name}/{t:05d}.jpg' for t in range(length)],
            )
        )
        for category, frames in ((7, range(length)), (3, range(1))):
            track = dict(segmentations=[None] * length, bboxes=[None] * length)
            track['areas'] = [None] * length
            for t in frames:
                mask = np.zeros((height, width), np.uint8)
                x, y = 5 + 3 * t, 4 + category
                mask[y : y + 10, x : x + 12] = 1
                track['segmentations'][t] = encode(mask)
                track['bboxes'][t] = [x, y, 12, 10]
                track['areas'][t] = 120
            annotations.append(
                dict(
                    id=100 + len(annotations),
                    video_id=10 + index,
                    category_id=category,
                    iscrowd=0,
                    **track,
                )
            )
    categories = [dict(id=7, name='cup'), dict(id=3, name='fork')]
    return dict(videos=videos, annotations=annotations, categories=categories)


@pytest.fixture
def content() -> dict:
    return make_content()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict], Path]:
    """Write a content and its frames; returns the annotation file, frames lie in ``frames``."""

    def _write(content: dict, write_frames: bool = True) -> Path:
        for index, video in enumerate(content['videos'] if write_frames else ()):
            for t, name in enumerate(video['file_names']):
                path = tmp_path / 'frames' / name
                path.parent.mkdir(parents=True, exist_ok=True)
                image = np.full((video['height'], video['width'], 3), 50, np.uint8)
                image[..., 2] = 40 * index + 10 * t  # red, since OpenCV writes BGR
                cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, 100])
        ann_file = tmp_path / 'annotations.json'
        ann_file.write_text(json.dumps(content))
        return ann_file

    return _write


@pytest.fixture
def make_dataset(write: Callable[[dict], Path]) -> Callable[..., YouTubeVISDataset]:
    """Write a content and open it as a data set."""

    def _make(content: dict, write_frames: bool = True, **kwargs) -> YouTubeVISDataset:
        ann_file = write(content, write_frames)
        kwargs = dict(pipeline=PIPELINE, data_prefix=dict(img='frames')) | kwargs
        return YouTubeVISDataset(ann_file=ann_file.name, data_root=str(ann_file.parent), **kwargs)

    return _make


@pytest.fixture(scope='session')
def shapes_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small Shapes set with class maps."""
    out = tmp_path_factory.mktemp('shapes') / 'set'
    options = ShapesOptions(height=48, width=64, length=6)
    write_shapes(out, ShapesRequest(options, train=4, val=2, stuff=True))
    return out
