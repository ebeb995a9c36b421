"""The form of Cityscapes-VPS: grouping, names, all frames, results by name."""

import json

import numpy as np
import pytest
from panoptic_files import edit_json
from panoptic_sets import (
    all_names,
    image_id,
    mask_name,
    picture_name,
    write_cityscapes_predictions,
    write_cityscapes_vps,
)

from mmvseg.errors import UserError
from mmvseg.formats import cityscapes_vps
from mmvseg.formats.cityscapes_vps import (
    read_all_frames,
    read_categories,
    read_cityscapes_vps,
)
from mmvseg.formats.cityscapes_vps_results import load_results
from mmvseg.formats.panoptic import (
    find_truth,
    frame_folder,
    mask_folder,
    panoptic_form,
    read_panoptic,
)

FRAME = np.array([[1, 300, 300], [2, 70000, 0]])


@pytest.fixture
def path(tmp_path):
    return write_cityscapes_vps(tmp_path, {'0001': [FRAME] * 6, '0005': [FRAME] * 6})


def read(path):
    return read_cityscapes_vps(path, path.parent / 'val/panoptic_video')


def test_a_video_is_the_first_four_characters(path):
    def mix(content):
        content['images'] = content['images'][::-1]
        content['annotations'] = content['annotations'][3:] + content['annotations'][:3]

    edit_json(path, mix)
    truth = read(path)
    assert [(v.name, v.length, v.annotated) for v in truth.videos.values()] == [
        ('0001', 6, True),
        ('0005', 6, True),
    ]
    for name, video in truth.videos.items():
        assert [f.image.file_name for f in video.frames] == [
            picture_name(name, t) for t in range(6)
        ]
        assert [f.mask.name for f in video.frames] == [mask_name(name, t) for t in range(6)]
        assert [len(f.segments) for f in video.frames] == [4] * 6
        assert all(f.mask.is_file() for f in video.frames)
    assert panoptic_form(path) == truth.form == 'cityscapes_vps'


def test_both_kinds_of_names():
    assert cityscapes_vps.mask_name('0005_0028_bonn_000002_000023_leftImg8bit.png') == (
        '0005_0028_bonn_000002_000023_gtFine_color.png'
    )
    assert cityscapes_vps.mask_name('0005_0025_bonn_000002_000008_newImg8bit.png') == (
        '0005_0025_bonn_000002_000008_final_mask.png'
    )
    assert cityscapes_vps.mask_name('a.png') == 'a.png'
    for ending in ('leftImg8bit', 'newImg8bit', 'gtFine_color', 'final_mask'):
        assert cityscapes_vps.image_id(f'0005_0025_bonn_000002_000008_{ending}.png') == (
            '0005_0025_bonn_000002_000008'
        )


def test_files_are_found_beside_the_json(path, tmp_path):
    assert mask_folder(path) == tmp_path / 'val/panoptic_video'
    assert frame_folder(path) == tmp_path / 'val/img'
    assert find_truth(tmp_path) == path
    write_cityscapes_vps(tmp_path, {'0001': [FRAME] * 6}, split='train')
    assert find_truth(tmp_path) == path
    other = path.rename(tmp_path / 'gt.json')
    with pytest.raises(UserError, match='its name does not say the split'):
        mask_folder(other)


def test_the_spelling_of_a_class_is_the_usual_one(path):
    assert [c.name for c in read_categories(path)] == ['road', 'vegetation', 'person', 'car']


def test_labelled_frames_are_every_fifth_of_all(path, tmp_path):
    def reverse(content):
        content['images'].reverse()

    everything = tmp_path / 'im_all_info_val_city_vps.json'
    edit_json(everything, reverse)  # nothing depends on the order
    found = read_all_frames(everything, read(path).videos.values())
    assert found['0005'].labelled == [4, 9, 14, 19, 24, 29]
    assert found['0005'].names == all_names('0005')


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (
            lambda c: c['images'].pop(7),
            '0001: 1 of its 30 frames are not listed, the first is bonn_000002_000047',
        ),
        (lambda c: c.pop('images'), 'lists no pictures'),
        (lambda c: c['images'][3].pop('file_name'), r'images\[3\].*missing file_name'),
    ],
)
def test_all_frames_have_to_be_listed(path, tmp_path, change, words):
    everything = tmp_path / 'im_all_info_val_city_vps.json'
    edit_json(everything, change)
    with pytest.raises(UserError, match=words):
        read_all_frames(everything, read(path).videos.values())


def test_names_that_do_not_say_where_a_frame_is(path, tmp_path):
    everything = tmp_path / 'im_all_info_val_city_vps.json'
    video = read(path).videos['0001']
    video.frames[2].image.id = '0001_0003_bonn'
    with pytest.raises(UserError, match="'0001_0003_bonn' is not VIDEO_FRAME_CITY"):
        read_all_frames(everything, [video])
    video.frames[2].image.id = '0001_0003_ulm_000002_000054'
    with pytest.raises(UserError, match='are not of one recording'):
        read_all_frames(everything, [video])


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda c: c.pop('images'), 'not a file of the form of Cityscapes-VPS'),
        (lambda c: c['images'].clear(), 'images: is empty'),
        (lambda c: c['images'][1].pop('width'), r'images\[1\]: missing width'),
        (lambda c: c['images'][1].update(id=7), r'images\[1\]\.id: 7 is not a text'),
        (lambda c: c['images'][1].update(c['images'][0]), r'images\[1\]: .* occurs twice'),
        (lambda c: c['images'][1].update(file_name='../a.png'), 'leaves the folder'),
        (lambda c: c['images'][1].update(id='a/b'), "'a/b' is not the name of a file"),
        (lambda c: c['images'][2].update(height=9), '0001, frame 2, height, width: 9 x 3'),
        (lambda c: c['annotations'].pop(), '0005, annotations: 1 picture'),
        (lambda c: c['annotations'][1].update(image_id='x'), "'x': no such picture"),
        (
            lambda c: c['annotations'].append(c['annotations'][0]),
            r'annotations\[12\]: .* annotated twice',
        ),
        (
            lambda c: c['annotations'][0]['segments_info'][0].update(category_id=3),
            '0001, frame 0, segment 1, category_id: unknown category 3',
        ),
        (lambda c: c['categories'][0].pop('isthing'), 'isthing is missing'),
    ],
)
def test_broken_files(path, change, words):
    edit_json(path, change)
    with pytest.raises(UserError, match=words):
        read(path)


def test_a_split_without_annotations(path):
    edit_json(path, lambda content: content.pop('annotations'))
    truth = read(path)
    assert not truth.has_annotations
    assert not truth.annotated
    assert len(truth.videos) == 2
    assert not read_panoptic(path).has_annotations


@pytest.fixture
def pred(tmp_path):
    write_cityscapes_predictions(tmp_path / 'pred', {'0001': [FRAME] * 6, '0005': [FRAME] * 6})
    return tmp_path / 'pred'


def test_results_are_told_by_the_names_of_pictures(path, pred):
    def shuffle(content):
        entries = content['annotations']
        for position, entry in enumerate(entries):
            if position % 2:  # either name does
                entry['file_name'] = f'{entry.pop("image_id")}_newImg8bit.png'
        entries[2]['segments_info'].pop()
        entries.reverse()
        entries.append(dict(image_id='not labelled', segments_info=[]))

    edit_json(pred / 'pred.json', shuffle)
    found = load_results(pred, read(path))
    assert [len(frame.segments) for frame in found['0001'].frames] == [4, 4, 3, 4, 4, 4]
    assert found['0005'].frames[1].mask == pred / 'pan_pred' / f'{image_id("0005", 1)}.png'
    assert found['0005'].frames[1].mask.is_file()


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (
            lambda c: c['annotations'][3].pop('image_id'),
            r'annotations\[3\]: has neither image_id nor file_name',
        ),
        (
            lambda c: c['annotations'].pop(8),
            '1 of 12 labelled pictures .* are missing, the first is 0005_0027',
        ),
        (lambda c: c['annotations'].append(c['annotations'][0]), 'is listed twice'),
        (lambda c: c['annotations'][0].update(file_name='b.png'), "image_id .*, but file_name 'b"),
        (lambda c: c.pop('annotations'), 'not a list of predictions'),
        (
            lambda c: c['annotations'][0]['segments_info'][0].update(category_id=3),
            'video 0001_0001_bonn_000002_000044, segment 1, category_id: unknown category 3',
        ),
    ],
)
def test_broken_results(path, pred, change, words):
    edit_json(pred / 'pred.json', change)
    with pytest.raises(UserError, match=words):
        load_results(pred, read(path))


def test_results_of_some_videos(path, pred):
    truth = read(path)
    content = json.loads((pred / 'pred.json').read_text())
    content['annotations'] = content['annotations'][6:]
    (pred / 'pred.json').write_text(json.dumps(content))
    assert [*load_results(pred, truth, {'0005': truth.videos['0005']})] == ['0005']
