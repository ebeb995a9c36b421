import copy
import json
import warnings

import cv2
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
    assert load_table('ytvis_2021')[4] == (5, 'car', (0, 0, 142), True, None)
    assert load_table('lv_vis')[5] == (6, 'airplane', None, True, 0)
    assert load_table('object') == [(1, 'object', None, True, None)]


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


def test_data_sets_of_one_class(content, make_dataset):
    content['categories'] = [dict(id=1, name='object')]
    for annotation in content['annotations']:
        annotation['category_id'] = 1
    metainfo = make_dataset(content, version='object').metainfo
    assert (metainfo['classes'], metainfo['category_ids']) == (('object',), (1,))
    content['categories'][0]['name'] = 'dog'
    with pytest.raises(UserError, match='missing: object; not in object: dog'):
        make_dataset(content, version='object')


def test_classes_of_lv_vis_need_no_file_and_have_colors():
    metainfo = dataset_metainfo(dict(version='lvvis', ann_file='nowhere.json'))
    assert len(metainfo['classes']) == len(metainfo['palette']) == 1196
    assert metainfo['classes'][0] == 'accordion'


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


def test_the_json_may_lie_in_the_folder_of_its_split(content, write):
    ann_file = write(content)
    inside = ann_file.parent / 'valid/instances.json'
    inside.parent.mkdir()
    ann_file.rename(inside)
    options = dict(data_root=str(ann_file.parent), ann_file='valid.json')
    dataset = YouTubeVISDataset(**options, data_prefix=dict(img='frames'))
    assert dataset.video_ids == [10, 11]
    assert dataset_metainfo(options)['classes'] == ('cup', 'fork')
    assert has_annotations(ann_file.with_name('valid.json'))
    with pytest.raises(UserError, match=r'train\.json: cannot be read'):
        read_categories(ann_file.with_name('train.json'))
    # a file of the name itself comes first
    other = dict(content, videos=content['videos'][:1], annotations=None)
    ann_file.with_name('valid.json').write_text(json.dumps(other))
    assert not has_annotations(ann_file.with_name('valid.json'))


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


def test_a_range_of_values(content, write, tmp_path):
    ann_file = str(write(content))
    for name in content['videos'][0]['file_names']:
        done, data = cv2.imencode('.png', np.full((40, 60), 2048, np.uint16))
        assert done
        (tmp_path / 'frames' / name).write_bytes(data)
    for options, value in (({}, 8), (dict(value_range=(0, 4095)), 128)):
        dataset = YouTubeVISDataset(
            ann_file=ann_file,
            data_prefix=dict(img=str(tmp_path / 'frames')),
            pipeline=[dict(type='LoadClip', **options), dict(type='PackClip')],
            test_mode=True,
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            assert set(dataset[0]['inputs'].flatten().tolist()) == {value}
        said = any('16 bits are divided by 256' in str(warning.message) for warning in caught)
        assert said == (not options)


def test_annotations_that_are_no_list(content, write):
    content['annotations'] = 5
    with pytest.raises(UserError, match="'annotations' is neither a list nor null"):
        YouTubeVISDataset(ann_file=str(write(content)))


def test_a_published_version_leaves_no_choice_of_classes():
    config = dict(version='2019', ann_file='x.json', metainfo=dict(classes=('person',)))
    for build in (dataset_metainfo, lambda config: YouTubeVISDataset(**config)):
        with pytest.raises(UserError, match=r"version '2019' fixes the classes.*metainfo\.classes"):
            build(config)
