"""Which files, folders and pictures the videos of COCO files are made of."""

import json

import cv2
import numpy as np
import pytest
from coco_scenes import CLASSES, annotation, coco_vid, fault, image, read, without
from label_reading import read_labels, shown, write_json

from mmvseg.errors import UserError
from mmvseg.formats.labels.importers import importer, recognise
from mmvseg.formats.labels.sources import Source


def by_folders(**lists):
    """As CVAT exports COCO: no videos, identity in attributes, every mask flagged."""
    content = without(coco_vid(**lists), 'videos', 'video_id', 'frame_id', 'instance_id')
    for entry in content['annotations']:
        entry |= dict(iscrowd=1, attributes=dict(track_id=2, occluded=False))
    return content


def test_folders_are_videos_where_none_are_listed(tmp_path):
    content = by_folders(images=[image(i, 12 - i) for i in (1, 2, 3)] + [image(4, 0, 2)])
    content['annotations'][2]['category_id'] = 3
    found = read(tmp_path, content)
    assert {name: len(video.frames) for name, video in found.videos.items()} == dict(v1=3, v2=1)
    # natural order of the names
    assert [frame.name for frame in found.videos['v1'].frames] == ['009.jpg', '010.jpg', '011.jpg']
    assert '3 annotations with iscrowd 1' in found.notes[0]
    assert not any(o.is_crowd for v in found.videos.values() for o in v.objects)


def test_images_without_a_folder_are_one_video_if_objects_are_followed(tmp_path):
    content = by_folders()
    for number, entry in enumerate(content['images']):
        entry['file_name'] = f'frame_{number:06d}.PNG'
    del content['annotations'][2]
    found = read(tmp_path, content)
    (video,) = found.videos.values()
    assert video.name == tmp_path.name
    assert len(video.frames) == 4
    for entry in content['annotations']:
        del entry['attributes']
    assert 'not of videos: it has no list videos' in fault(tmp_path, content)


def test_files_of_several_splits_are_read_together(tmp_path):
    train, val = coco_vid(), coco_vid()
    for video in val['videos']:
        video['name'] += '_val'
    write_json(tmp_path / 'annotations/train.json', train)
    write_json(tmp_path / 'annotations/val.json', val)
    write_json(tmp_path / 'annotations/test.json', coco_vid(annotations=[]))
    found = read_labels('coco', tmp_path)
    assert list(found.videos) == ['one', 'two', 'one_val', 'two_val']
    assert found.ids == {'car': 3, 'Fußgänger': 7}
    assert 'test.json: has no annotations' in found.notes[0]
    val['categories'] = [dict(id=3, name='dog'), dict(id=7, name='car')]
    write_json(tmp_path / 'annotations/val.json', val)
    found = read_labels('coco', tmp_path, skip_bad=True)
    assert found.ids == {'car': None, 'Fußgänger': None, 'dog': None}
    assert shown(found.videos['one_val']) == {'5': ('dog', [0, 1])}


def test_a_subset_without_objects_has_videos(tmp_path):
    content = coco_vid()
    del content['videos']
    write_json(tmp_path / 'instances_train.json', content)
    images = [dict(id=1, file_name=name, height=8, width=12) for name in ('empty/0.jpg',)]
    write_json(tmp_path / 'instances_val.json', content | dict(images=images, annotations=[]))
    videos = read_labels('coco', tmp_path).videos
    assert [video.objects for name, video in videos.items() if name == 'empty'] == [[]]
    images[0]['file_name'] = 'loose.jpg'
    write_json(tmp_path / 'instances_val.json', content | dict(images=images, annotations=[]))
    found = read_labels('coco', tmp_path)
    assert found.videos.keys() == videos.keys() - {'empty'}
    assert 'no annotations; images without a folder are left out' in found.notes[0]


def test_files_of_the_same_videos_are_a_question(tmp_path):
    write_json(tmp_path / 'train.json', coco_vid())
    write_json(tmp_path / 'train_with_more.json', coco_vid())
    with pytest.raises(UserError, match='both have the video one; import one of the files'):
        read_labels('coco', tmp_path)
    assert len(read_labels('coco', tmp_path / 'train.json').videos) == 2


def test_pictures_are_found_by_the_end_of_their_path(tmp_path):
    folders = ['images/train', 'images/val']
    for folder in folders:
        for number in (1, 2):
            (tmp_path / folder / f'v{number}').mkdir(parents=True)
            for frame in range(2):
                picture = np.zeros((8, 12, 3), np.uint8)
                path = tmp_path / folder / f'v{number}' / f'{frame:03d}.jpg'
                cv2.imwrite(str(path), picture)
    write_json(tmp_path / 'annotations/instances_val.json', coco_vid())
    video = read_labels('coco', tmp_path).videos['one']
    assert [frame.picture.name for frame in video.frames] == [
        'images/val/v1/000.jpg',
        'images/val/v1/001.jpg',
    ]
    (tmp_path / 'annotations/instances_val.json').rename(tmp_path / 'annotations/all.json')
    with pytest.raises(
        UserError, match=r'v1/000\.jpg could be images/train/v1/000\.jpg or images/val'
    ):
        read_labels('coco', tmp_path)
    given = read_labels('coco', tmp_path / 'annotations/all.json', frames=tmp_path / folders[0])
    assert given.videos['one'].frames[0].picture.path == tmp_path / folders[0] / 'v1/000.jpg'


def test_pictures_that_are_named_without_the_folder_of_their_video(tmp_path):
    content = coco_vid()
    for entry in content['images']:
        entry['file_name'] = entry['file_name'].rpartition('/')[2]
    for name in ('one', 'two'):
        (tmp_path / name).mkdir()
        for entry in content['images']:
            cv2.imwrite(str(tmp_path / name / entry['file_name']), np.zeros((8, 12, 3), np.uint8))
    write_json(tmp_path / 'labels.json', content)
    frames = read_labels('coco', tmp_path).videos['one'].frames
    assert {frame.picture.folder for frame in frames} == {'one'}


def clip(path, count):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 5, (32, 16))
    for _ in range(count):
        writer.write(np.zeros((16, 32, 3), np.uint8))
    writer.release()
    return path


def test_frames_of_a_video_file(tmp_path):
    content = coco_vid(videos=[dict(id=1, name='one')], images=[image(1, 4), image(2, 7)])
    content['annotations'] = content['annotations'][:2]
    write_json(tmp_path / 'labels/a.json', content)
    file = clip(tmp_path / 'one.mp4', 2)
    video = read_labels('coco', tmp_path / 'labels', videos=file).videos['one']
    # the labels have all of its frames, whatever their numbers
    assert [(f.video.path, f.index) for f in video.frames] == [(file, 0), (file, 1)]
    clip(file, 9)
    with pytest.raises(UserError, match='has 9 frames, the labels 2, and do not say which'):
        read_labels('coco', tmp_path / 'labels', videos=file)
    for entry, index in zip(content['images'], (3, 8), strict=True):
        entry['frame_index'] = index  # TAO: of the original video
    write_json(tmp_path / 'labels/a.json', content)
    video = read_labels('coco', tmp_path / 'labels', videos=file).videos['one']
    assert [frame.index for frame in video.frames] == [3, 8]


@pytest.mark.parametrize(
    'content',
    [
        dict(images=[], categories=[], annotations=[]),
        dict(info=dict(a=1), categories=CLASSES, images=[image(1, 0)], annotations=[]),
        dict(annotations=[annotation(1, 1, 1)], images=[]),
    ],
)
def test_what_looks_like_coco(tmp_path, content):
    write_json(tmp_path / 'a.json', content)
    assert recognise(Source(tmp_path)) == 'coco'


@pytest.mark.parametrize(
    'content',
    [
        [dict(image_id=1, category_id=1)],
        dict(videos=dict(a=dict(objects={}))),
        dict(version='5.0', shapes=[], imagePath='a.jpg'),
        dict(info={}, categories=dict(label=dict(labels=[])), items=[]),
    ],
)
def test_what_does_not(tmp_path, content):
    write_json(tmp_path / 'a.json', content)
    assert not importer('coco').recognises(Source(tmp_path))


def test_files_that_are_none_of_it(tmp_path):
    (tmp_path / 'a.json').write_text(json.dumps(coco_vid())[:-40])
    with pytest.raises(UserError, match=r'a\.json: not valid json .*is the file complete'):
        read_labels('coco', tmp_path)
    write_json(tmp_path / 'b.json', coco_vid())
    found = read_labels('coco', tmp_path, skip_bad=True)
    assert len(found.videos) == 2
    assert 'a.json: not valid json' in found.left_out[0]
    (tmp_path / 'a.json').unlink()
    write_json(tmp_path / 'b.json', coco_vid(categories=[]))
    with pytest.raises(UserError, match='has no categories'):
        read_labels('coco', tmp_path)
    write_json(tmp_path / 'b.json', coco_vid() | dict(tracks={}))
    with pytest.raises(UserError, match='tracks is no list'):
        read_labels('coco', tmp_path)
    write_json(tmp_path / 'b.json', coco_vid(annotations=[]))
    with pytest.raises(UserError, match='no json of COCO with annotations'):
        read_labels('coco', tmp_path)


def test_a_byte_order_mark_is_no_content(tmp_path):
    text = json.dumps(coco_vid())
    (tmp_path / 'a.json').write_text(text, encoding='utf-8-sig')
    assert recognise(Source(tmp_path)) == 'coco'
    assert len(read_labels('coco', tmp_path).videos) == 2


def test_names_are_compared_composed(tmp_path):
    content = coco_vid()
    content['categories'][1]['name'] = 'Fußga\u0308nger'
    assert list(read(tmp_path, content).ids) == ['car', 'Fußgänger']
