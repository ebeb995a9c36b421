"""Exports for CVAT: what its importer reads, and that all of it comes back."""

import json
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_fixtures import assert_same, imported, tube_iou, tubes
from label_scenes import random_scene, write
from pycocotools import mask as coco_mask

from mmvseg.apis.export_labels import ExportRequest, export_labels
from mmvseg.apis.import_labels import ImportRequest
from mmvseg.errors import UserError


def scene_of(*masks, hw=(20, 30), label=3):
    """One video with an object for each list of masks."""
    content = random_scene(0, hw, videos=1, frames=len(masks[0]), objects=len(masks))
    for entry, frames in zip(content['annotations'], masks, strict=True):
        rles = [coco_mask.encode(np.asfortranarray(mask, np.uint8)) for mask in frames]
        entry['segmentations'] = [
            dict(size=rle['size'], counts=rle['counts'].decode()) if mask.any() else None
            for rle, mask in zip(rles, frames, strict=True)
        ]
        entry |= dict(category_id=label, bboxes=None, areas=None)
        del entry['bboxes'], entry['areas']
    return content


def square(left, top=4, side=8, hw=(20, 30)):
    mask = np.zeros(hw, bool)
    mask[top : top + side, left : left + side] = True
    return mask


NOTHING = np.zeros((20, 30), bool)


@pytest.fixture
def export(tmp_path):
    """Exports a scene; returns the xml of its first video, and what is said."""

    def run(content, **special):
        out = tmp_path / 'out'
        path = write(tmp_path / 'scene.json', content)
        done = export_labels(ExportRequest('cvat', path, out, special=special))
        with zipfile.ZipFile(sorted(out.glob('*.zip'))[0]) as archive:
            return ElementTree.fromstring(archive.read('annotations.xml')), done.report

    return run


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), masks=st.booleans())
def test_masks_and_exact_polygons_come_back(tmp_path_factory, seed, masks):
    folder = tmp_path_factory.mktemp('scene')
    content = random_scene(seed)
    path = write(folder / 'scene.json', content)
    special = dict(masks=True) if masks else dict(min_iou=1.0)
    export_labels(ExportRequest('cvat', path, folder / 'cvat', special=special))
    back = imported(ImportRequest(source=folder / 'cvat', out=folder / 'back'))
    assert_same(back, content, 1.0)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), least=st.sampled_from([0.98, 0.9]))
def test_simpler_polygons_keep_what_is_stated_in_each_frame(tmp_path_factory, seed, least):
    folder = tmp_path_factory.mktemp('scene')
    content = random_scene(seed)
    path = write(folder / 'scene.json', content)
    export_labels(ExportRequest('cvat', path, folder / 'cvat', special=dict(min_iou=least)))
    back = imported(ImportRequest(source=folder / 'cvat', out=folder / 'back'))
    assert_same(back, content, least)
    ours = tubes(back)
    for key, truth in tubes(content).items():
        for tube in truth:
            best = max(ours[key], key=lambda other, tube=tube: tube_iou(tube, other))
            assert all(
                tube_iou([one], [other]) >= least for one, other in zip(tube, best, strict=True)
            )


def test_an_object_is_a_track_that_ends_where_it_is_gone(export):
    root, report = export(scene_of([square(2), square(3), NOTHING, square(9), square(9)]))
    (track,) = root.findall('track')
    assert track.get('label') == 'dog'
    shown = [(int(s.get('frame')), s.get('outside'), s.get('keyframe')) for s in track]
    assert shown == [(0, '0', '1'), (1, '0', '1'), (2, '1', '1'), (3, '0', '1'), (4, '0', '1')]
    assert track[0].get('points') == '2.00,4.00;10.00,4.00;10.00,12.00;2.00,12.00'
    assert track.get('group_id') is None
    assert report.notes == []


def test_parts_are_tracks_of_one_group_that_go_on_where_they_are_near(export):
    pairs = [square(2) | square(18), square(17) | square(1), square(18), square(2) | square(19)]
    root, _ = export(scene_of(pairs))
    tracks = root.findall('track')
    assert [track.get('group_id') for track in tracks] == ['1', '1']
    lefts = [
        [float(s.get('points').split(',')[0]) for s in track if s.get('outside') == '0']
        for track in tracks
    ]
    assert lefts == [[2, 1, 2], [18, 17, 18, 19]]


def test_an_object_of_number_0_keeps_its_parts_together(export, tmp_path):
    parts = square(2, side=5) | square(18, side=5)
    content = scene_of([parts, parts], [square(9), square(9)])
    for number, entry in enumerate(content['annotations']):
        entry['id'] = number
    root, _ = export(content)
    groups = [track.get('group_id') for track in root.findall('track')]
    assert groups == ['1', '1', None]
    assert {a.text for a in root.iter('attribute') if a.get('name') == 'track_id'} == {'1', '2'}
    back = imported(ImportRequest(source=tmp_path / 'out', out=tmp_path / 'back'))
    assert_same(back, content, 0.98)


def test_an_object_with_a_hole_is_masks_of_one_number(export):
    ring = square(2)
    ring[7:9, 5:7] = False
    root, report = export(scene_of([square(2), ring], [square(18), square(18)]))
    tracks = root.findall('track')
    assert [[shape.tag for shape in track] for track in tracks] == [
        ['mask', 'mask'],  # the second is the copy that is outside
        ['mask'],
        ['polygon', 'polygon'],
    ]
    assert [track[0].get('outside') for track in tracks] == ['0', '0', '0']
    assert tracks[0][1].get('outside') == '1'
    assert {track[0].findtext('attribute') for track in tracks[:2]} == {'1'}
    assert report.notes == ['1 object with a hole in some frame: written as masks']


def test_a_small_hole_may_be_filled(export):
    mask = square(2, 2, 16)
    mask[5, 5] = False
    root, report = export(scene_of([mask]))
    assert root.find('track/polygon') is not None
    assert report.notes == []


def test_masks_are_asked_for(export):
    root, report = export(scene_of([square(2), NOTHING]), masks=True)
    assert root.find('track/mask').get('rle') == '0, 64'
    assert report.notes == []


def test_what_lies_in_front_is_drawn_last(export):
    root, _ = export(scene_of([square(2)], [square(6)]))
    assert [track[0].get('z_order') for track in root.findall('track')] == ['1', '0']


def test_labels_are_declared_with_the_attribute(export, tmp_path):
    root, _ = export(random_scene(1))
    declared = {
        label.findtext('name'): label.findtext('attributes/attribute/name')
        for label in root.iter('label')
    }
    names = ('traffic light', 'Fußgänger', 'dog')
    assert declared == dict.fromkeys(names, 'track_id')
    constructor = json.loads((tmp_path / 'out/labels.json').read_text())
    assert tuple(label['name'] for label in constructor) == names
    assert constructor[0]['attributes'][0]['input_type'] == 'number'


def test_crowds_are_left_out_and_counted(export):
    content = scene_of([square(2)], [square(18)])
    content['annotations'][0]['iscrowd'] = 1
    root, report = export(content)
    assert len(root.findall('track')) == 1
    assert report.ignored == dict(crowd=1)


def test_names_that_xml_cannot_hold_are_refused(export, tmp_path):
    content = scene_of([square(2)])
    content['categories'][0]['name'] = 'a <b> & "c"\td'
    root, _ = export(content)
    assert root.findtext('.//label/name') == 'a <b> & "c"\td'
    content['categories'][0]['name'] = 'a\x01'
    path = write(tmp_path / 'bad.json', content)
    with pytest.raises(UserError, match='a character that xml cannot hold'):
        export_labels(ExportRequest('cvat', path, tmp_path / 'bad'))
    assert not [*(tmp_path / 'bad').iterdir()]
