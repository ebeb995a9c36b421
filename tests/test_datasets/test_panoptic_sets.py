"""Cityscapes-VPS and the STEP sets: clips with masks, windows of all frames, what is refused."""

import shutil

import numpy as np
import pytest
from panoptic_files import edit_json
from panoptic_sets import (
    VOID,
    all_names,
    image_id,
    picture_name,
    pixels,
    write_cityscapes_vps,
    write_step,
    write_step_map,
)

from mmvseg.datasets import (
    CityscapesVPSDataset,
    LoadClip,
    LoadPanopticClip,
    LoadSTEPClip,
    PackClip,
    STEPDataset,
    dataset_metainfo,
)
from mmvseg.errors import UserError

ROAD, PERSON, CAR = 0, 11, 13
STEP_FRAME = pixels([(ROAD, 0), (PERSON, 1), (CAR, 1)], [(CAR, 2), (CAR, 0), (VOID, 0)])
IDS = np.array([[1, 300, 300], [2, 70000, 0]])


@pytest.fixture
def step(tmp_path):
    """Two sequences of different sizes."""
    write_step(tmp_path, {'0002': [STEP_FRAME] * 4, '0010': [STEP_FRAME[:1]] * 3}, split='train')

    def build(**kwargs):
        settings = dict(
            version='kitti_step',
            ann_file='panoptic_maps/train',
            data_root=str(tmp_path),
            data_prefix=dict(img='images/train', mask='panoptic_maps/train'),
            pipeline=[LoadSTEPClip(), PackClip(drop_empty=True)],
            clip=dict(num_frames=2, consecutive=True),
            min_size=1,
        )
        return STEPDataset(**settings | kwargs)

    return build


@pytest.fixture
def cityscapes(tmp_path):
    frames = {'0001': [IDS] * 6, '0005': [IDS] * 6}
    for split in ('train', 'val'):
        write_cityscapes_vps(tmp_path, frames, split, pictures=True)

    def build(split='train', **kwargs):
        settings = dict(
            ann_file=f'panoptic_gt_{split}_city_vps.json',
            data_root=str(tmp_path),
            data_prefix=dict(img=f'{split}/img', mask=f'{split}/panoptic_video'),
            pipeline=[LoadPanopticClip(), PackClip(drop_empty=True)],
            clip=dict(num_frames=3, consecutive=True),
            min_size=1,
        )
        return CityscapesVPSDataset(**settings | kwargs)

    return build


def test_classes_of_step_need_no_file():
    for version, things, total in (('kitti_step', 2, 19), ('motchallenge_step', 1, 7)):
        meta = dataset_metainfo(dict(type='STEPDataset', version=version, ann_file='absent'))
        assert len(meta['classes']) == total
        assert len(meta['thing_classes']) == things
        assert meta['classes'][0] == 'person'
    assert meta['category_ids'] == (4, 0, 1, 2, 3, 5, 6)


def test_classes_of_cityscapes_vps_need_no_file(cityscapes):
    config = dict(type='CityscapesVPSDataset', version='cityscapes_vps', ann_file='absent')
    meta = dataset_metainfo(config)
    assert meta['thing_classes'] == (
        *('person', 'rider', 'car', 'truck', 'bus', 'train', 'motorcycle', 'bicycle'),
    )
    assert (len(meta['classes']), meta['category_ids'][:2]) == (19, (11, 12))
    own = cityscapes()
    own.full_init()
    assert own.metainfo['classes'] == ('person', 'car', 'road', 'vegetation')
    with pytest.raises(UserError, match='category 1 is missing, in Cityscapes-VPS it is sidewalk'):
        cityscapes(version='cityscapes_vps')
    with pytest.raises(UserError, match="version 'vipseg': use 'cityscapes_vps'"):
        cityscapes(version='vipseg')


def test_things_without_track_and_void_are_not_trained_on(step):
    dataset = step()
    assert len(dataset) == 2
    frame = dataset[0]['data_samples'].gt_instances[0]
    names = [dataset.metainfo['classes'][label] for label in frame.labels]
    found = sorted(zip(names, frame.masks.flatten(1).tolist(), strict=True))
    assert found == [
        ('car', [0, 0, 0, 1, 0, 0]),
        ('car', [0, 0, 1, 0, 0, 0]),
        ('person', [0, 1, 0, 0, 0, 0]),
        ('road', [1, 0, 0, 0, 0, 0]),
    ]
    assert dataset[1]['data_samples'].ori_shape == (1, 3)


def test_the_chosen_sequences(step):
    assert step(sequences=['0010']).video_ids == ['0010']
    with pytest.raises(UserError, match='has no sequence 0020, which is one of the 2'):
        step(sequences=['0010', '0020'])


def test_sequences_are_those_with_maps(step, tmp_path):
    """KITTI's folder of pictures holds those of all splits."""
    images = tmp_path / 'images/train'
    images.rename(tmp_path / 'image_02')
    images.symlink_to(tmp_path / 'image_02')
    shutil.copytree(tmp_path / 'image_02/0010', tmp_path / 'image_02/0018')
    assert step().video_ids == ['0002', '0010']
    assert step()[0]['data_samples'].video_id == '0002'


def test_a_test_needs_no_maps(step, tmp_path):
    dataset = step(
        ann_file='images/train',
        data_prefix=dict(img='images/train'),
        pipeline=[LoadClip(), PackClip()],
        test_mode=True,
        window_size=3,
    )
    assert [dataset[i]['data_samples'].frame_ids for i in range(3)] == [[0, 1, 2], [3], [0, 1, 2]]
    assert dataset.counted_frames(dataset.video_record(0)) is None
    with pytest.raises(UserError, match='data_prefix: needs mask'):
        step(data_prefix=dict(img='images/train'))


def test_pictures_and_maps_have_to_belong_together(step, tmp_path):
    mask = tmp_path / 'panoptic_maps/train/0002/000002.png'
    mask.rename(mask.with_stem('000009'))
    with pytest.raises(UserError, match=r'no picture .*0002/000009'):
        step()
    mask.with_stem('000009').unlink()
    with pytest.raises(UserError, match=r'0002, frame 2, mask: no map .*000002\.png; every frame'):
        step()
    (tmp_path / 'images/train/0010').rename(tmp_path / 'away')
    with pytest.raises(UserError, match=r'0010.*: no pictures here'):
        step(sequences=['0010'])


def test_maps_that_do_not_fit(step, tmp_path):
    dataset = step(sequences=['0002'])
    for path in (tmp_path / 'panoptic_maps/train/0002').iterdir():
        write_step_map(path, pixels([(ROAD, 0), (77, 0), (ROAD, 0)]).repeat(2, 0))
    with pytest.raises(UserError, match=r'video 0002, frame .: .*2 pixels of class 77'):
        dataset[0]
    for path in (tmp_path / 'panoptic_maps/train/0002').iterdir():
        write_step_map(path, STEP_FRAME[:1])
    with pytest.raises(UserError, match='3x1 pixels, the frames of the video have 3x2'):
        dataset[0]


def test_a_clip_is_of_neighbouring_labelled_frames(cityscapes, tmp_path):
    dataset = cityscapes()
    assert len(dataset) == 2
    record = dataset.video_record(1)
    root = str(tmp_path / 'train/img')
    assert record['frames'] == [f'{root}/{picture_name("0005", t)}' for t in range(6)]
    sample = dataset[1]['data_samples']
    start = sample.frame_ids[0]
    assert sample.frame_ids == [start, start + 1, start + 2]
    values = dataset[1]['inputs'][:, 0, 0, 0]
    assert (values[1:] - values[:-1] == 10).all()  # each picture has the grey of its number
    found = sample.gt_instances[0]
    assert found.instance_ids.tolist() == [1, 2, 300, 70000]  # void is nothing
    assert dataset.counted_frames(record) is None


def test_a_test_sees_all_frames_and_counts_the_labelled(cityscapes, tmp_path):
    dataset = cityscapes(
        'val',
        all_frames='im_all_info_val_city_vps.json',
        data_prefix=dict(img='val/img_all', mask='val/panoptic_video'),
        pipeline=[LoadClip(), PackClip()],
        test_mode=True,
        window_size=30,
    )
    assert dataset.video_lengths.tolist() == [30, 30]
    window = dataset[1]
    assert window['inputs'][:, 0, 0, 0].tolist() == [2 * t for t in range(30)]
    record = dataset.video_record(1)
    assert [path.rsplit('/', 1)[1] for path in record['frames']] == all_names('0005')
    assert dataset.counted_frames(record) == [4, 9, 14, 19, 24, 29]
    assert record['image_ids'] == [image_id('0005', t) for t in range(6)]
    labelled = cityscapes('val', test_mode=True)
    assert labelled.video_lengths.tolist() == [6, 6]
    assert labelled.counted_frames(labelled.video_record(0)) is None


def test_frames_of_another_split(cityscapes, tmp_path):
    edit_json(
        tmp_path / 'im_all_info_val_city_vps.json',
        lambda content: content.update(images=content['images'][:30]),
    )
    with pytest.raises(UserError, match='0005: 30 of its 30 frames are not listed'):
        cityscapes('val', all_frames='im_all_info_val_city_vps.json', test_mode=True)


def test_without_labels_there_is_nothing_to_train_on(cityscapes, tmp_path):
    path = tmp_path / 'panoptic_gt_train_city_vps.json'
    edit_json(path, lambda content: content.pop('annotations'))
    with pytest.raises(UserError, match='has no annotations to train on'):
        cityscapes()
    assert cityscapes(test_mode=True).video_ids == ['0001', '0005']
