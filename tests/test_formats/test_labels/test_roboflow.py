"""Roboflow's COCO export."""

import pytest
from label_reading import block, code, read_labels, shown, write_json
from pycocotools import mask as coco_mask

from mmvseg.errors import UserError
from mmvseg.formats.labels.importers import recognise
from mmvseg.formats.labels.roboflow import frame_of
from mmvseg.formats.labels.sources import Source

A = block(0, 0, 4, 4)
CATEGORIES = [dict(id=0, name='project'), dict(id=1, name='car', supercategory='project')]


def image(number, video='street', hash_='abc', ext='mp4'):
    name = f'{video}_{ext}-{number:04d}_jpg.rf.{hash_}.jpg'
    return dict(id=number, file_name=name, height=8, width=12)


def annotation(image_id, track=1, **more):
    known = dict(id=image_id + 1, image_id=image_id, category_id=1, segmentation=code(A))
    return known | ({} if track is None else dict(track_id=track)) | more


def export(images, annotations=None, categories=CATEGORIES):
    if annotations is None:
        annotations = [annotation(one['id']) for one in images]
    return dict(images=images, annotations=annotations, categories=categories)


def write(tmp_path, content, split='train'):
    return write_json(tmp_path / split / '_annotations.coco.json', content)


@pytest.mark.parametrize(
    ('name', 'frame'),
    [
        ('street_mp4-0012_jpg.rf.d8311c2a.jpg', ('street', 12)),
        ('my-street_2_mov-7_png.rf.d8.png', ('my-street_2', 7)),
        ('street_MP4-0012_jpg.rf.a_b-c.jpg', ('street', 12)),
        ('frame_000012_jpg.rf.d8311c2a.jpg', ('frame', 12)),
        ('street-12.jpg', ('street', 12)),
        ('0012_jpg.rf.d8311c2a.jpg', ('', 12)),
        ('street_jpg.rf.d8311c2a.jpg', None),
    ],
)
def test_names_tell_video_and_frame(name, frame):
    assert frame_of(name) == frame


def test_videos_of_a_split_and_the_category_of_the_project(tmp_path):
    images = [image(2), image(0), image(11, 'field')]
    write(tmp_path, export(images))
    assert recognise(Source(tmp_path)) == 'roboflow'
    found = read_labels('roboflow', tmp_path)
    assert found.ids == {'car': 1}
    assert {name: len(video.frames) for name, video in found.videos.items()} == dict(
        street=2, field=1
    )
    assert [frame.name[:15] for frame in found.videos['street'].frames] == [
        'street_mp4-0000',
        'street_mp4-0002',
    ]
    assert shown(found.videos['street']) == {'1': ('car', [0, 1])}


def test_a_category_0_that_is_used_stays(tmp_path):
    write(tmp_path, export([image(0)], [annotation(0, category_id=0)]))
    found = read_labels('roboflow', tmp_path)
    assert found.ids == dict(project=0, car=1)


def test_frames_of_a_video_come_together_from_all_splits(tmp_path):
    write(tmp_path, export([image(0), image(2)]))
    write(tmp_path, export([image(1)]), 'valid')
    found = read_labels('roboflow', tmp_path)
    assert shown(found.videos['street']) == {'1': ('car', [0, 1, 2])}
    (note,) = found.notes
    assert 'video street: its frames are in 2 splits' in note


def test_versions_of_a_frame(tmp_path):
    other = image(0, hash_='xyz') | dict(id=5)
    path = write(tmp_path, export([image(0), other, image(1)], [annotation(0), annotation(5)]))
    with pytest.raises(UserError, match='are versions of one frame; export without') as error:
        read_labels('roboflow', tmp_path)
    assert str(error.value).startswith(f'{path}: video street, frame 0: street_mp4-0000_jpg.rf.abc')
    found = read_labels('roboflow', tmp_path, skip_bad=True)
    assert len(found.left_out) == 1
    assert [frame.name for frame in found.videos['street'].frames] == [
        'street_mp4-0000_jpg.rf.abc.jpg',
        'street_mp4-0001_jpg.rf.abc.jpg',
    ]


def test_without_a_field_of_tracks_a_note_is_loud(tmp_path):
    write(tmp_path, export([image(0), image(1)], [annotation(0, None), annotation(1, None)]))
    found = read_labels('roboflow', tmp_path)
    assert len(found.videos['street'].objects) == 2
    assert 'NO OBJECT IS FOLLOWED OVER FRAMES' in found.notes[0]
    # those of other splits are others
    write(tmp_path, export([image(2)], [annotation(2, None)]), 'valid')
    objects = shown(read_labels('roboflow', tmp_path).videos['street'])
    assert [frames for _, frames in objects.values()] == [[0], [1], [2]]


@pytest.mark.parametrize(('area', 'columns'), [(12, 4), (6, 3), (None, 3)])
def test_polygons_of_pixels_are_told_by_their_areas(tmp_path, area, columns):
    """Pixels 1 to 4 of rows 2 to 4, or what is between their corners."""
    polygon = [[1, 2, 4, 2, 4, 4, 1, 4]]
    parts = [annotation(0, segmentation=polygon, area=area), annotation(1, area=16)]
    write(tmp_path, export([image(0), image(1)], parts))
    found = read_labels('roboflow', tmp_path)
    (labelled,) = found.videos['street'].objects
    mask = coco_mask.decode(labelled.rles[0]) > 0
    assert mask.sum(1).max() == columns
    assert mask.sum() == (12 if area == 12 else 6)
    assert any('outlines of pixels' in note for note in found.notes) == (area == 12)


def test_a_flag_of_crowds_counts_on_request(tmp_path):
    write(tmp_path, export([image(0)], [annotation(0, iscrowd=1)]))
    assert not read_labels('roboflow', tmp_path).videos['street'].objects[0].is_crowd
    kept = read_labels('roboflow', tmp_path, keep_crowd=True)
    assert kept.videos['street'].objects[0].is_crowd


def test_names_without_a_number(tmp_path):
    nameless = dict(id=7, file_name='street_jpg.rf.abc.jpg', height=8, width=12)
    write(tmp_path, export([image(0), nameless]))
    with pytest.raises(UserError, match=r'image street_jpg\.rf\.abc\.jpg: its name has no number'):
        read_labels('roboflow', tmp_path)
    assert len(read_labels('roboflow', tmp_path, skip_bad=True).left_out) == 1


def test_files_of_another_form(tmp_path):
    with pytest.raises(UserError, match=r'there is no _annotations\.coco\.json'):
        read_labels('roboflow', tmp_path)
    path = write(tmp_path, export([image(0)]))
    with pytest.raises(UserError, match='name the format roboflow'):
        read_labels('coco', tmp_path)
    path.write_text('{"images": [')
    with pytest.raises(UserError, match='not valid json'):
        read_labels('roboflow', tmp_path)
