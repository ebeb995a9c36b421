import json

import cv2
import numpy as np
import pytest

from mmvseg.datasets import ClipIndex, CocoClipDataset, load_coco_names, load_table
from mmvseg.errors import UserError
from mmvseg.formats.dataset_checker import check_dataset

PIPELINE = [dict(type='LoadClip'), dict(type='PackClip')]
NAMES = sorted(
    {name for table in ('ytvis_2019', 'ytvis_2021', 'ovis') for name in load_coco_names(table)}
)


def square(x, y, side=8):
    return [[x, y, x + side, y, x + side, y + side, x, y + side]]


@pytest.fixture
def coco(tmp_path):
    """Content of an instance file of two images; the second has only a thing without a class."""
    categories = [dict(id=5 + i, name=name) for i, name in enumerate(NAMES)]
    categories.append(dict(id=90, name='toothbrush'))
    ids = {category['name']: category['id'] for category in categories}
    images = [dict(id=i, height=40, width=50, file_name=f'{i}.png') for i in (7, 3)]
    annotations = []

    def add(image, name, segmentation, iscrowd=0):
        annotations.append(
            dict(
                id=900 - len(annotations),
                image_id=image,
                category_id=ids[name],
                segmentation=segmentation,
                bbox=[0, 0, 1, 8]
                if isinstance(segmentation, dict)
                else [*segmentation[0][:2], 8, 8],
                area=64,
                iscrowd=iscrowd,
            )
        )

    add(7, 'toothbrush', square(1, 1))
    add(7, 'skis', square(4, 5))
    add(7, 'person', dict(size=[40, 50], counts=[0, 8, 1992]), iscrowd=1)
    add(7, 'snowboard', [*square(20, 10), [1, 2, 3, 4]])
    add(3, 'toothbrush', square(1, 1))
    for image in images:
        cv2.imwrite(str(tmp_path / image['file_name']), np.full((40, 50, 3), 90, np.uint8))
    return dict(images=images, annotations=annotations, categories=categories, info={})


@pytest.fixture
def open_coco(tmp_path):
    def _open(content, version='2019', **kwargs):
        (tmp_path / 'coco.json').write_text(json.dumps(content))
        kwargs = dict(clip=dict(num_frames=3, consecutive=True)) | kwargs
        dataset = CocoClipDataset(
            ann_file='coco.json',
            data_root=str(tmp_path),
            version=version,
            pipeline=PIPELINE,
            lazy_init=True,
            **kwargs,
        )
        dataset.full_init()
        return dataset

    return _open


def test_an_image_becomes_a_clip(coco, open_coco):
    dataset = open_coco(coco)
    assert len(dataset) == 1  # the other image has no object of the classes
    assert dataset.item_is_wide.tolist() == [True]
    assert len(dataset.metainfo['classes']) == 40
    item = dataset[ClipIndex(0, seed=0, draw=0)]
    sample = item['data_samples']
    assert item['inputs'].shape == (3, 3, 40, 50)
    assert sample.video_id == 7
    assert sample.frame_ids == [0, 0, 0]
    snowboard = dataset.metainfo['classes'].index('snowboard')
    for frame in sample.gt_instances:
        assert frame.instance_ids.tolist() == [0, 2]  # 1 is the crowd
        assert frame.labels.tolist() == [snowboard, snowboard]
        assert frame.bboxes.tolist() == [[4, 5, 12, 13], [20, 10, 28, 18]]
        assert frame.masks[0, 5:13, 4:12].all()
        assert frame.masks.sum((1, 2)).tolist() == [64, 64]


@pytest.mark.parametrize(
    ('table', 'count', 'pairs'),
    [
        ('ytvis_2019', 21, dict(bicycle='motorbike', motorcycle='motorbike', car='sedan')),
        ('ytvis_2021', 23, dict(frisbee='flying_disc', bird='bird', car='car', skis='snowboard')),
        ('ovis', 17, dict(car='Vehical', bus='Vehical', truck='Vehical', bicycle='Bicycle')),
    ],
)
def test_tables_name_classes_of_both_sides(table, count, pairs):
    names = load_coco_names(table)
    assert len(names) == count
    assert set(names.values()) <= {category.name for category in load_table(table)}
    assert pairs.items() <= names.items()
    # What has the same name means the same.
    lower = {category.name.lower(): category.name for category in load_table(table)}
    assert all(target == lower.get(name, target) for name, target in names.items())


def test_classes_of_another_version(coco, open_coco):
    coco['annotations'].append(
        dict(coco['annotations'][1], id=1, category_id=5 + NAMES.index('bus'))
    )
    dataset = open_coco(coco, version='ovis')
    labels = dataset[0]['data_samples'].gt_instances[0].labels.tolist()
    assert [dataset.metainfo['classes'][label] for label in labels] == ['Vehical']


def test_version_is_needed(coco, open_coco):
    with pytest.raises(UserError, match='use one of 2019, 2021, ovis'):
        open_coco(coco, version=None)
    with pytest.raises(UserError, match='use one of 2019, 2021, ovis'):
        open_coco(coco, version='lvvis')


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda c: c.pop('images'), "coco.json: not a COCO instance file (no list 'images')"),
        (lambda c: c['categories'].pop(NAMES.index('skis')), 'no categories named skis'),
        (lambda c: c['images'][0].pop('file_name'), 'video 7, images[0]: missing file_name'),
        (lambda c: c['annotations'][1].pop('image_id'), 'annotations[1]: missing image_id'),
        (lambda c: c['annotations'][1].update(segmentation=[[1, 2]]), 'annotation 899, frame 0'),
        (
            lambda c: c['annotations'][1].update(bbox=[1, 2]),
            'bbox: [1, 2] is not [x, y',
        ),
    ],
)
def test_broken_files(coco, open_coco, spoil, message):
    spoil(coco)
    with pytest.raises(UserError) as error:
        open_coco(coco)
    assert message in str(error.value)


def test_no_json(tmp_path, coco, open_coco):
    with pytest.raises(UserError, match=r'coco\.json: not a COCO instance file'):
        open_coco([coco])
    dataset = CocoClipDataset(ann_file=str(tmp_path / 'no.json'), version='ovis', lazy_init=True)
    with pytest.raises(UserError, match=r'no\.json: cannot be read'):
        dataset.full_init()


def test_the_checker_reads_coco(tmp_path, coco):
    path = tmp_path / 'coco.json'
    path.write_text(json.dumps(coco))
    assert [p.field for p in check_dataset(path, tmp_path)] == ['iscrowd']  # a note
    coco['annotations'][1]['bbox'] = [45, 5, 8, 8]
    coco['annotations'][3]['category_id'] = 1000
    coco['images'][1]['height'] = 41
    path.write_text(json.dumps(coco))
    problems = [(p.field, p.video) for p in check_dataset(path, tmp_path) if not p.is_note]
    assert problems == [('bboxes', 7), ('category_id', 7), ('frame', 3)]
