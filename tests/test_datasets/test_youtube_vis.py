import copy
import json

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask

from mmvseg.datasets import (
    ClipIndex,
    YouTubeVISDataset,
    dataset_metainfo,
    has_annotations,
    load_table,
    read_categories,
)
from mmvseg.errors import UserError


def test_published_tables():
    assert len(load_table('ytvis_2019')) == len(load_table('ytvis_2021')) == 40
    assert len(load_table('ovis')) == 25
    assert load_table('ytvis_2019')[5].name == 'sedan'
    assert load_table('ytvis_2021')[4] == (5, 'car', (0, 0, 142), True)


def test_own_classes_come_from_the_file(content, make_dataset):
    metainfo = make_dataset(content).metainfo
    assert metainfo['classes'] == ('cup', 'fork')
    assert metainfo['category_ids'] == (7, 3)
    assert len(set(metainfo['palette'])) == 2


def test_chosen_classes(content, make_dataset):
    dataset = make_dataset(content, metainfo=dict(classes=('fork',)))
    assert dataset.metainfo['category_ids'] == (3,)
    assert len(dataset) == 2  # the forks are in the first frames only
    sample = dataset[ClipIndex(0, 0, 0)]['data_samples']
    assert sample.gt_instances[0].labels.tolist() == [0]
    with pytest.raises(UserError, match=r'no categories named spoon.*it has cup, fork'):
        make_dataset(content, metainfo=dict(classes=('fork', 'spoon')))


@pytest.mark.parametrize('version', ['2019', '2021'])
def test_published_versions_are_checked(content, make_dataset, version):
    table = load_table(f'ytvis_{version}')
    content['categories'] = [dict(id=c.id, name=c.name) for c in reversed(table)]
    dataset = make_dataset(content, version=version)
    assert dataset.metainfo['classes'] == tuple(c.name for c in table)
    sample = dataset[ClipIndex(0, 0, 0)]['data_samples']
    assert sample.gt_instances[0].labels.tolist() == [6, 2]

    content['categories'][0]['name'] = 'unicorn'
    content['categories'][1]['id'], content['categories'][2]['id'] = 38, 39
    with pytest.raises(UserError) as error:
        make_dataset(content, version=version)
    assert f'missing: {table[-1].name}' in str(error.value)
    assert f'not in {version}: unicorn' in str(error.value)
    assert f'{table[-2].name} has id 38, not 39' in str(error.value)


def test_unknown_version(content, make_dataset):
    with pytest.raises(UserError, match='2019, 2021, ovis'):
        make_dataset(content, version='2020')
    with pytest.raises(UserError, match='2019, 2021, ovis'):
        dataset_metainfo(dict(version='2020', ann_file='x.json'))
    assert dataset_metainfo(dict(version=2021)) == dataset_metainfo(dict(version='2021'))


def test_metainfo_without_building(content, write):
    ann_file = write(content)
    config = dict(data_root=str(ann_file.parent), ann_file=ann_file.name)
    assert dataset_metainfo(config)['classes'] == ('cup', 'fork')
    config['metainfo'] = dict(classes=['fork'])
    assert dataset_metainfo(config)['category_ids'] == (3,)
    assert len(dataset_metainfo(dict(version='2021', ann_file='nowhere.json'))['classes']) == 40
    assert [c.id for c in read_categories(ann_file)] == [7, 3]


def test_all_spellings_of_masks_give_the_same_clips(content, make_dataset):
    spelled = {}
    for name in ('compressed', 'runs', 'polygons'):
        variant = copy.deepcopy(content)
        for annotation in variant['annotations']:
            for t, box in enumerate(annotation['bboxes']):
                if box is not None:
                    annotation['segmentations'][t] = spell(annotation, t, name)
        item = make_dataset(variant)[ClipIndex(0, 0, 0)]
        spelled[name] = [frame.masks for frame in item['data_samples'].gt_instances]
    for name in ('runs', 'polygons'):
        for a, b in zip(spelled['compressed'], spelled[name], strict=True):
            assert torch.equal(a, b)


def spell(annotation: dict, t: int, name: str) -> dict | list:
    code = annotation['segmentations'][t]
    if name == 'compressed':
        return code
    if name == 'polygons':
        x, y, w, h = annotation['bboxes'][t]
        return [[x, y, x + w, y, x + w, y + h, x, y + h]]
    flat = coco_mask.decode(code).flatten(order='F')
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *edges.tolist(), flat.size]).tolist()
    return dict(size=code['size'], counts=runs)


def test_boxes_and_areas_may_be_left_to_the_masks(content, make_dataset):
    given = make_dataset(content)[ClipIndex(0, 0, 0)]['data_samples'].gt_instances
    for annotation in content['annotations']:
        del annotation['bboxes'], annotation['areas']
    measured = make_dataset(content)[ClipIndex(0, 0, 0)]['data_samples'].gt_instances
    for a, b in zip(given, measured, strict=True):
        assert torch.equal(a.bboxes, b.bboxes)


@pytest.mark.parametrize('change', ['null', 'missing', 'empty'])
def test_files_without_annotations(content, write, make_dataset, change):
    if change == 'missing':
        del content['annotations']
    else:
        content['annotations'] = None if change == 'null' else []
    assert not has_annotations(write(content))
    assert len(make_dataset(content, test_mode=True)) == 2
    with pytest.raises(UserError, match='nothing to train on'):
        make_dataset(content)


def test_reads_shapes(shapes_dir):
    dataset = YouTubeVISDataset(
        ann_file='train.json',
        data_root=str(shapes_dir),
        data_prefix=dict(img='train/JPEGImages'),
        pipeline=[dict(type='LoadClip'), dict(type='PackClip')],
    )
    assert len(dataset.metainfo['classes']) == 6
    item = dataset[ClipIndex(3, 0, 0)]
    assert item['inputs'].shape == (5, 3, 48, 64)
    assert all(len(frame.labels) for frame in item['data_samples'].gt_instances)


def break_category(content):
    content['categories'][1]['id'] = 7


def break_category_name(content):
    del content['categories'][0]['name']


def no_categories(content):
    content['categories'] = []


def coco_images(content):
    content['images'] = content.pop('videos')


def no_frames(content):
    content['videos'][1]['file_names'] = []


def double_video(content):
    content['videos'][1]['id'] = 10


def no_height(content):
    del content['videos'][0]['height']


def short_list(content):
    content['annotations'][0]['segmentations'].pop()


def short_boxes(content):
    content['annotations'][1]['bboxes'].append(None)


def wrong_size(content):
    content['annotations'][0]['segmentations'][2]['size'] = [60, 40]


def no_such_video(content):
    content['annotations'][3]['video_id'] = 99


def box_without_mask(content):
    content['annotations'][0]['segmentations'][1] = None


def no_segmentations(content):
    del content['annotations'][0]['segmentations']


@pytest.mark.parametrize(
    ('damage', 'words'),
    [
        (break_category, 'category id 7 occurs twice'),
        (break_category_name, "without 'id' or 'name'"),
        (no_categories, "'categories' is empty"),
        (coco_images, 'COCO image file'),
        (no_frames, r'video 11 has no frames \(file_names is empty\)'),
        (double_video, 'video id 10 occurs twice'),
        (no_height, 'video 10 has no height'),
        (short_list, 'video 10, annotation 100: 3 segmentations, but the video lists 4 frames'),
        (short_boxes, 'video 10, annotation 101: 5 bboxes, but the video lists 4 frames'),
        (wrong_size, r'annotation 100, frame 2: RLE size \[60, 40\] is not'),
        (no_such_video, 'video 99, annotation 103: there is no such video'),
        (box_without_mask, 'annotation 100, frame 1: a box without a segmentation'),
        (no_segmentations, 'an annotation has no segmentations'),
    ],
)
def test_contradictions_stop_with_their_place(content, write, damage, words):
    ann_file = write(content)
    damage(content)
    ann_file.write_text(json.dumps(content))
    with pytest.raises(UserError, match=words) as error:
        YouTubeVISDataset(ann_file=str(ann_file))
    assert 'annotations.json' in str(error.value)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('{"videos": [', 'not valid json'),
        ('[]', 'a results file is not an annotation file'),
        ('{}', "no list 'videos'"),
        (json.dumps(dict(videos=[])), "no list 'categories'"),
    ],
)
def test_other_files(tmp_path, text, words):
    path = tmp_path / 'some.json'
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        YouTubeVISDataset(ann_file=str(path))


def test_missing_file():
    with pytest.raises(UserError, match=r'nowhere\.json: cannot be read \(No such file'):
        YouTubeVISDataset(ann_file='nowhere.json', data_root='')


@pytest.mark.parametrize('damage', ['missing', 'truncated', 'text', 'size'])
def test_broken_frames_are_named(content, write, make_dataset, tmp_path, damage):
    dataset = make_dataset(content, test_mode=True)
    path = tmp_path / 'frames/video_0/00002.jpg'
    if damage == 'missing':
        path.unlink()
    elif damage == 'truncated':
        path.write_bytes(path.read_bytes()[:-200])
    elif damage == 'text':
        path.write_text('no picture')
    else:
        path.write_bytes((tmp_path / 'frames/video_0/00001.jpg').read_bytes())
        content['videos'][0]['height'] = 41
        dataset = YouTubeVISDataset(
            ann_file=str(tmp_path / 'other.json'),
            data_prefix=dict(img=str(tmp_path / 'frames')),
            pipeline=[dict(type='LoadClip')],
            test_mode=True,
            lazy_init=True,
        )
        (tmp_path / 'other.json').write_text(json.dumps(content))
        dataset.full_init()
    with pytest.raises(UserError, match=r'video 10, frame \d: .*video_0/0000\d\.jpg'):
        dataset[0]


def test_broken_mask_code_is_named(content, make_dataset):
    content['annotations'][0]['segmentations'][1]['counts'] = '12'
    dataset = make_dataset(content, clip=dict(num_frames=4))
    with pytest.raises(UserError, match='video 10, frame 1: RLE runs do not add up'):
        dataset[ClipIndex(0, 0, 0)]


@pytest.mark.parametrize(
    ('part', 'field', 'value', 'words'),
    [
        ('videos', 'id', [10], r'video \[10\]: id \[10\] is neither'),
        ('videos', 'height', '4', "video 10: height '4' is not a number of pixels"),
        ('videos', 'width', 0, 'video 10: width 0 is not'),
        ('videos', 'file_names', 'a.jpg', 'video 10: file_names is not a list of file names'),
        ('videos', 'file_names', [None], 'video 10: file_names is not a list of file names'),
        ('categories', 'id', [7], r'category \[7\]: id \[7\] is neither'),
        ('categories', 'name', 5, 'category 7: name 5 is not a text'),
        ('categories', 'color', 5, r'category 7: color 5 is not \[red'),
        ('annotations', 'category_id', [1], r'annotation 100: category_id \[1\] is neither'),
        ('annotations', 'video_id', {}, r'annotation 100: video_id \{\} is neither'),
        ('annotations', 'segmentations', None, 'video 10, annotation 100: segmentations is not a'),
        ('annotations', 'segmentations', 'abcd', 'annotation 100: segmentations is not a list'),
        ('annotations', 'areas', 5, 'video 10, annotation 100: areas is not a list'),
        ('annotations', 'areas', ['x'] * 4, "annotation 100, frame 0: areas has 'x'"),
        ('annotations', 'bboxes', {}, 'annotation 100: bboxes is not a list'),
        ('annotations', 'bboxes', [None, [1, 2, 3]], r'frame 1: bboxes has \[1, 2, 3\], not'),
        ('annotations', 'bboxes', [[1, 2, 3, float('nan')]], r'frame 0: bboxes has .*nan\], not'),
    ],
)
def test_malformed_fields_are_named(content, write, part, field, value, words):
    ann_file = write(content)
    content[part][0][field] = value
    ann_file.write_text(json.dumps(content))
    with pytest.raises(UserError, match=words) as error:
        YouTubeVISDataset(ann_file=str(ann_file))
    assert 'annotations.json' in str(error.value)


def test_annotations_that_are_no_list(content, write):
    content['annotations'] = 5
    with pytest.raises(UserError, match="'annotations' is neither a list nor null"):
        YouTubeVISDataset(ann_file=str(write(content)))


def test_a_published_version_leaves_no_choice_of_classes():
    config = dict(version='2019', ann_file='x.json', metainfo=dict(classes=('person',)))
    for build in (dataset_metainfo, lambda config: YouTubeVISDataset(**config)):
        with pytest.raises(UserError, match=r"version '2019' fixes the classes.*metainfo\.classes"):
            build(config)
