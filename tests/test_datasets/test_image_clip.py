"""Images of mmdet's data sets as clips of one frame."""

import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmvseg.datasets.transforms import LoadImageSegments, PackImageClip
from mmvseg.errors import UserError
from mmvseg.registry import DATASETS

SIZE = (48, 64)


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmvseg')


def annotation(number, category, x, y, iscrowd=0):
    """A square of 10 pixels."""
    outline = [[x, y, x + 10, y, x + 10, y + 10, x, y + 10]]
    runs = dict(size=list(SIZE), counts=[x * SIZE[0] + y, 10, SIZE[0] * (SIZE[1] - x) - y - 10])
    return dict(
        id=number,
        image_id=1,
        category_id=category,
        bbox=[x, y, 10, 10],
        area=100,
        segmentation=runs if iscrowd else outline,
        iscrowd=iscrowd,
    )


@pytest.fixture
def coco(tmp_path):
    """A data set of one image, left half red: a person, a dog, a crowd of cars."""
    image = np.zeros((*SIZE, 3), np.uint8)
    image[:, : SIZE[1] // 2, 2] = 200  # BGR
    (tmp_path / 'train2017').mkdir()
    cv2.imwrite(str(tmp_path / 'train2017/1.png'), image)
    content = dict(
        images=[dict(id=1, file_name='1.png', height=SIZE[0], width=SIZE[1])],
        annotations=[
            *(annotation(1, 1, 4, 4), annotation(2, 18, 40, 20)),
            annotation(3, 3, 20, 30, iscrowd=1),
        ],
        categories=[dict(id=1, name='person'), dict(id=3, name='car'), dict(id=18, name='dog')],
    )
    (tmp_path / 'train.json').write_text(json.dumps(content))
    cfg = Config.fromfile('configs/_base_/datasets/eomt_coco_instance_640.py')
    dataset = cfg.train_dataloader.dataset
    dataset.update(data_root=str(tmp_path), ann_file='train.json')
    dataset.metainfo = dict(classes=('person', 'car', 'dog'))
    return dataset


def fixed_size(dataset, side, factor=1.0):
    """No flip, and one size instead of large-scale jitter."""
    _, _, flip, resize, crop, pack = dataset.pipeline
    flip.prob = 0.0
    resize.scale, resize.ratio_range = (side, side), (factor, factor)
    crop.crop_size, pack.size = (side, side), side
    return dataset


def test_an_image_becomes_a_clip_without_its_crowds(coco):
    item = DATASETS.build(fixed_size(coco, 64))[0]
    assert item['inputs'].shape == (1, 3, 64, 64)
    assert item['inputs'].dtype == torch.uint8
    red, green, _ = item['inputs'][0]
    assert (red[:48, :30] == 200).all()
    assert not red[48:].any()  # black below the image
    assert not green.any()
    sample = item['data_samples']
    assert sample.img_shape == sample.ori_shape == SIZE
    (objects,) = sample.gt_instances
    assert objects.labels.tolist() == [0, 2]
    assert objects.instance_ids.tolist() == [0, 1]
    assert objects.masks.shape == (2, 64, 64)
    assert objects.masks[0, 4:14, 4:14].all()
    assert objects.masks.sum((1, 2)).tolist() == [100, 100]


def test_it_is_scaled_and_cropped_with_its_objects(coco):
    np.random.seed(0)
    item = DATASETS.build(fixed_size(coco, 64, factor=2.0))[0]
    assert item['inputs'].shape == (1, 3, 64, 64)
    (objects,) = item['data_samples'].gt_instances
    assert len(objects) >= 1
    assert (objects.masks.sum((1, 2)) > 100).all()  # 400 pixels, or what the crop leaves of them
    small = DATASETS.build(fixed_size(coco, 64, factor=0.5))[0]
    assert small['data_samples'].img_shape == (24, 32)
    assert not small['inputs'][..., 24:, :].any()
    assert small['data_samples'].gt_instances[0].masks.sum((1, 2)).tolist() == [25, 25]


def test_of_an_image_without_objects_nothing_is_made(coco):
    dataset = DATASETS.build(fixed_size(coco, 64))
    results = dataset.pipeline.transforms[0](dataset.get_data_info(0))
    results = dataset.pipeline.transforms[1](results)
    results['gt_masks'].masks[:] = 0
    assert PackImageClip(64)(results) is None
    del results['gt_masks']  # as in tests
    assert '_gt_instances' not in PackImageClip(64)(results)['data_samples']


def test_an_image_must_fit(coco):
    results = dict(img=np.zeros((*SIZE, 3), np.uint8), img_path='a.jpg')
    with pytest.raises(UserError, match=r'PackImageClip\(size=32\): a.jpg is 48 x 64 here'):
        PackImageClip(32)(results)


def test_every_segment_is_an_object_but_crowds(tmp_path):
    ids = np.zeros((*SIZE, 3), np.uint8)  # BGR: id = R + 256 G + 65536 B
    ids[:20, :, 2] = 7
    ids[20:, :, 1] = 2
    ids[40:, 40:] = (0, 0, 9)
    path = tmp_path / '1.png'
    cv2.imwrite(str(path), ids)
    segments = [
        dict(id=7, category=100, is_thing=False),
        dict(id=512, category=3, is_thing=True),
        dict(id=9, category=5, is_thing=False),  # mmdet's mark of a crowd
    ]
    results = LoadImageSegments(num_things=80)(
        dict(height=SIZE[0], width=SIZE[1], seg_map_path=str(path), segments_info=segments)
    )
    assert results['gt_bboxes_labels'].tolist() == [100, 3]
    assert results['gt_masks'].to_ndarray().sum((1, 2)).tolist() == [20 * 64, 28 * 64 - 8 * 24]
    assert results['gt_bboxes'].tensor.tolist() == [[0, 0, 64, 20], [0, 20, 64, 48]]
    results['img'] = np.zeros((*SIZE, 3), np.uint8)
    (objects,) = PackImageClip(64)(results)['data_samples'].gt_instances
    assert objects.labels.tolist() == [100, 3]
