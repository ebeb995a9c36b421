"""Exports as COCO with videos."""

import json

import cv2
import numpy as np
import pytest
from label_reading import block, read_labels, shown
from pycocotools.coco import COCO

from mmvseg.errors import UserError
from mmvseg.formats.label_exports.coco import write
from mmvseg.formats.label_exports.options import Export, ExportOptions
from mmvseg.formats.labels.outlines import encode
from mmvseg.formats.labels.records import Frame, LabelClass, LabelledObject, LabelledVideo
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.labels.sources import SourceFile

A, B = block(0, 0, 4, 4), block(2, 5, 7, 12)
CLASSES = [LabelClass('car', 7), LabelClass('Fußgänger', 3)]


def video(name='a', objects=(), pictures=None):
    frames = [
        Frame(f'{i}.png', pictures and SourceFile(f'{i}.png', pictures / f'{i}.png'), index=i)
        for i in range(2)
    ]
    return LabelledVideo(name, 8, 12, frames, list(objects))


def labelled(track, name, *masks, **more):
    return LabelledObject(track, name, [m if m is None else encode(m) for m in masks], **more)


def written(tmp_path, *videos, **options):
    export = Export(CLASSES, iter(videos), len(videos))
    write(export, tmp_path, ExportOptions(**options), ImportReport())
    return tmp_path / 'annotations/instances_default.json'


def two_videos():
    first = labelled('x', 'Fußgänger', A, B, extra=dict(score=0.5))
    second = labelled('y', 'car', None, A)
    return video(objects=[first, second]), video('b', [labelled('x', 'car', B, None)])


def test_pycocotools_reads_every_mask(tmp_path):
    coco = COCO(str(written(tmp_path, *two_videos())))
    assert {id_: entry['name'] for id_, entry in coco.cats.items()} == {7: 'car', 3: 'Fußgänger'}
    found = {
        (coco.imgs[entry['image_id']]['file_name'], entry['instance_id']): coco.annToMask(entry)
        for entry in coco.anns.values()
    }
    expected = {('a/0.png', 1): A, ('a/1.png', 1): B, ('a/1.png', 2): A, ('b/0.png', 3): B}
    assert found.keys() == expected.keys()
    for key, mask in expected.items():
        np.testing.assert_array_equal(found[key], mask)
    assert coco.getAnnIds(areaRng=[15, 17]) == [1, 3]
    assert coco.anns[2]['bbox'] == [5, 2, 7, 5]


def test_the_importer_reads_it(tmp_path):
    written(tmp_path, *two_videos())
    found = read_labels('coco', tmp_path)
    assert found.ids == {'car': 7, 'Fußgänger': 3}
    assert shown(found.videos['a']) == {'1': ('Fußgänger', [0, 1]), '2': ('car', [1])}
    assert shown(found.videos['b']) == {'3': ('car', [0])}
    assert [len(one.frames) for one in found.videos.values()] == [2, 2]
    assert not found.notes


def test_fields_of_cocovid(tmp_path):
    content = json.loads(written(tmp_path, *two_videos()).read_text(encoding='utf-8'))
    assert content['videos'][1] == dict(id=2, name='b', height=8, width=12)
    last = dict(id=4, video_id=2, frame_id=1, file_name='b/1.png', height=8, width=12)
    assert content['images'][3] == last
    first = content['annotations'][0]
    assert first['attributes'] == dict(track_id=1)
    assert (first['video_id'], first['score'], first['iscrowd']) == (1, 0.5, 0)
    assert 'score' not in content['annotations'][2]


def test_crowds_stay_crowds(tmp_path):
    written(tmp_path, video(objects=[labelled('x', 'car', A, A, is_crowd=True)]))
    found = read_labels('coco', tmp_path, keep_crowd=True)
    assert found.videos['a'].objects[0].is_crowd


@pytest.mark.parametrize('with_frames', [False, True])
def test_frames_lie_where_coco_has_them(tmp_path, with_frames):
    pictures = tmp_path / 'pictures'
    pictures.mkdir()
    for index in range(2):
        cv2.imwrite(str(pictures / f'{index}.png'), np.full((8, 12, 3), index, np.uint8))
    out = tmp_path / 'out'
    out.mkdir()
    written(
        out, video(objects=[labelled('x', 'car', A, A)], pictures=pictures), with_frames=with_frames
    )
    frames = read_labels('coco', out).videos['a'].frames
    if with_frames:
        assert frames[1].picture.path == out / 'images/default/a/1.png'
        assert frames[1].picture.read_bytes() == (pictures / '1.png').read_bytes()
    else:
        assert frames[1].picture is None


def test_frames_that_are_not_known_cannot_be_copied(tmp_path):
    with pytest.raises(UserError, match='its picture is needed'):
        written(tmp_path, video(), with_frames=True)


def test_a_file_without_objects_is_json(tmp_path):
    content = json.loads(written(tmp_path, video()).read_text())
    assert content['annotations'] == []
    assert len(content['images']) == 2
