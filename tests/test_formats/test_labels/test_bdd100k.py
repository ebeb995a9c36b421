"""BDD100K: Scalabel json and bit masks."""

import copy

import cv2
import numpy as np
import pytest
from label_reading import block, code, masks, read_labels, shown, write_json
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.formats.labels.importers import recognise
from mmvseg.formats.labels.records import LabelClass
from mmvseg.formats.labels.sources import Source

A, B = block(0, 0, 4, 4), block(2, 5, 7, 12)
OUTLINE = [[5, 2], [12, 2], [12, 7], [5, 7]]
SIZE = dict(width=12, height=8)


def label(id_='1', category='car', **more):
    known = dict(id=id_, category=category, attributes=dict(crowd=False, ignored=False))
    return known | (more or dict(rle=code(A), poly2d=None, box2d=None))


def poly(vertices=OUTLINE, types='LLLL', closed=True):
    return dict(vertices=vertices, types=types, closed=closed)


def frame(index, *labels, video='v', **more):
    known = dict(name=f'{video}-{index:07d}.jpg', videoName=video, frameIndex=index, size=SIZE)
    return known | dict(labels=list(labels)) | more


def scalabel():
    return [frame(0, label()), frame(1, label(rle=code(B))), frame(0, label(), video='w')]


def read(tmp_path, content, name='labels.json', **options):
    write_json(tmp_path / name, content)
    return read_labels('bdd100k', tmp_path, **options)


def fault(tmp_path, content, **options):
    with pytest.raises(UserError) as error:
        read(tmp_path, content, **options)
    return str(error.value)


@pytest.mark.parametrize('wrapped', [False, True])
def test_frames_in_a_list_or_under_a_key(tmp_path, wrapped):
    config = dict(categories=[dict(name='car'), dict(name='dog')])
    content = dict(frames=scalabel(), config=config) if wrapped else scalabel()
    found = read(tmp_path, content)
    assert recognise(Source(tmp_path)) == 'bdd100k'
    assert found.ids == (dict(car=None, dog=None) if wrapped else None)
    assert shown(found.videos['v']) == {'1': ('car', [0, 1])}
    assert shown(found.videos['w']) == {'1': ('car', [0])}
    np.testing.assert_array_equal(masks(found.videos['v'].objects[0])[1], B)


def test_a_file_for_each_video(tmp_path):
    for video in 'vw':
        frames = [frame(index, label(), video=video) for index in range(2)]
        write_json(tmp_path / f'{video}.json', frames)
    found = read_labels('bdd100k', tmp_path)
    assert [shown(video) for video in found.videos.values()] == [{'1': ('car', [0, 1])}] * 2


@pytest.mark.parametrize('labels', [None, [], ...])
def test_frames_without_labels_are_frames(tmp_path, labels):
    empty = frame(2, labels=labels)
    if labels is ...:
        del empty['labels']
    found = read(tmp_path, [*scalabel(), empty])
    assert len(found.videos['v'].frames) == 3
    assert shown(found.videos['v']) == {'1': ('car', [0, 1])}


def test_frames_are_in_the_order_of_their_index_or_names(tmp_path):
    numbered = [frame(30, label()), frame(7, label(rle=code(B)))]
    video = read(tmp_path, numbered).videos['v']
    assert [one.name for one in video.frames] == ['v-0000007.jpg', 'v-0000030.jpg']
    np.testing.assert_array_equal(masks(video.objects[0])[0], B)
    named = [frame(i, label(), frameIndex=None, name=f'v-{i}.jpg') for i in (10, 9)]
    video = read(tmp_path, named).videos['v']
    assert [one.name for one in video.frames] == ['v-9.jpg', 'v-10.jpg']


def test_the_video_may_be_in_the_name_or_be_the_file(tmp_path):
    inside = [frame(0, label(), videoName=None, name='x/0.jpg')]
    assert list(read(tmp_path, inside).videos) == ['x']
    bare = [frame(0, label(), videoName=None, name='0.jpg')]
    assert 'no videoName says which video it is of' in fault(tmp_path, bare)
    write_json(tmp_path / 'other.json', bare)
    assert list(read_labels('bdd100k', tmp_path).videos) == ['labels', 'other']


def test_polygons_are_corners_and_parts(tmp_path):
    parts = [poly([[5, 2], [9, 2], [9, 7], [5, 7]]), poly([[9, 2], [12, 2], [12, 7], [9, 7]])]
    found = read(tmp_path, [frame(0, label(poly2d=parts))])
    np.testing.assert_array_equal(masks(found.videos['v'].objects[0])[0], B)


def test_curves_bulge(tmp_path):
    # a half disc of radius 24 on a line, its arc of two cubic curves
    k = 24 * 0.5523
    vertices = [[8, 40], [8, 40 - k], [32 - k, 16], [32, 16], [32 + k, 16], [56, 40 - k], [56, 40]]
    size = dict(width=64, height=48)
    curve = poly(vertices, 'LCCLCCL')
    found = read(tmp_path, [frame(0, label(poly2d=[curve]), size=size)])
    (mask,) = masks(found.videos['v'].objects[0])
    y, x = np.mgrid[:48, :64] + 0.5
    disc = ((x - 32) ** 2 + (y - 40) ** 2 < 24**2) & (y < 40)
    assert (mask & disc).sum() / (mask | disc).sum() > 0.98


def test_what_is_open_has_no_area(tmp_path):
    lane = label('2', poly2d=[poly(closed=False)])
    found = read(tmp_path, [frame(0, label(), lane)])
    assert shown(found.videos['v']) == {'1': ('car', [0])}
    assert found.ignored == {'open poly2d': 1}


@pytest.mark.parametrize('flag', ['crowd', 'ignored'])
def test_flags_of_people_are_crowds(tmp_path, flag):
    flagged = label('2', rle=code(B)) | dict(attributes={flag: True})
    found = read(tmp_path, [frame(0, label(), flagged)])
    assert [one.is_crowd for one in found.videos['v'].objects] == [False, True]
    assert 'crowd or ignored became crowds' in found.notes[0]


def test_classes_of_a_tree_and_from_a_file(tmp_path):
    tree = [dict(name='vehicle', subcategories=[dict(name='bus'), dict(name='car')])]
    content = dict(frames=scalabel(), config=dict(categories=tree))
    assert list(read(tmp_path, content).ids) == ['bus', 'car']
    given = read_labels('bdd100k', tmp_path, classes=[LabelClass('car', 3)])
    assert given.ids == dict(car=3)
    with pytest.raises(UserError, match="the class 'car' is none of the file or of --classes"):
        read_labels('bdd100k', tmp_path, classes=[LabelClass('dog', 3)])


def test_size_of_the_configuration_or_of_pictures(tmp_path):
    frames = [frame(0, label(), size=None)]
    assert 'its frames have no size' in fault(tmp_path, frames)
    config = dict(imageSize=SIZE)
    assert 'v' in read(tmp_path, dict(frames=frames, config=config)).videos
    (tmp_path / 'images/v').mkdir(parents=True)
    cv2.imwrite(str(tmp_path / 'images/v/v-0000000.jpg'), np.zeros((8, 12, 3), np.uint8))
    assert read(tmp_path, frames).videos['v'].frames[0].picture is not None


FAULTS = {
    'video v, track 2, frame 1: it has no category': label('2', None),
    "video v, track 1, frame 1: has the class 'dog', and 'car' before": label('1', 'dog'),
    'video v, track 2, frame 1: has neither rle nor poly2d': label('2', box2d=dict(x1=0)),
    'video v, track 2, frame 1: the size [4, 4] is not': label('2', rle=code(A[:4, :4])),
    'video v, track 2, frame 1: a polygon of 2 points': label(
        '2', poly2d=[poly([[0, 0], [1, 1]], 'LL')]
    ),
    'poly2d has 4 vertices and 3 types': label('2', poly2d=[poly(types='LLL')]),
    "poly2d has types 'LLXL'": label('2', poly2d=[poly(types='LLXL')]),
    'poly2d ends within a curve': label('2', poly2d=[poly(types='LLLC')]),
    'video v: frames[1].labels[0]: missing id': dict(category='car'),
    'frames[1].labels[0].rle: ': label('2', rle='x'),
    'frames[1].labels[0].poly2d: ': label('2', poly2d=[dict(vertices=[[1]])]),
}


@pytest.mark.parametrize('rule', FAULTS)
def test_what_is_broken_is_named_and_can_be_left_out(tmp_path, rule):
    content = [frame(0, label()), frame(1, copy.deepcopy(FAULTS[rule]))]
    message = fault(tmp_path, content)
    assert message.startswith(str(tmp_path / 'labels.json'))
    assert rule in message
    found = read_labels('bdd100k', tmp_path, skip_bad=True)
    assert any(rule in line for line in found.left_out)
    assert shown(found.videos['v']) == {'1': ('car', [0])}


@pytest.mark.parametrize(
    ('change', 'rule'),
    [
        (dict(frameIndex=0), 'v-0000000.jpg and v-0000001.jpg have the same frameIndex'),
        (dict(size=dict(width=9, height=8)), '8 x 9, the first frame has 8 x 12'),
        (dict(name=None), 'frames[1].name: None is not a text'),
    ],
)
def test_frames_that_do_not_fit(tmp_path, change, rule):
    content = scalabel()
    content[1] |= change
    assert rule in fault(tmp_path, content)
    found = read_labels('bdd100k', tmp_path, skip_bad=True)
    assert shown(found.videos['v']) == {'1': ('car', [0])}


def test_a_broken_file_among_others(tmp_path):
    (tmp_path / 'a.json').write_text('[{"name": "v-0.jpg", "videoName": "v", ')
    assert 'a.json: not valid json' in fault(tmp_path, scalabel())
    found = read_labels('bdd100k', tmp_path, skip_bad=True)
    assert list(found.videos) == ['v', 'w']


CLASSES = [LabelClass('car', 1), LabelClass('dog', 3)]


def bit_mask(path, *objects, size=(8, 12)):
    """A bit mask of (mask, class, flags, id) each."""
    values = np.zeros((*size, 4), np.uint8)
    for mask, class_, flags, id_ in objects:
        values[mask] = class_, flags, id_ >> 8, id_ & 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values, 'RGBA').save(path)


def bit_masks(tmp_path):
    folder = tmp_path / 'bitmasks/val/v'
    bit_mask(folder / 'v-1.png', (A, 1, 8, 256), (B, 3, 4, 1))
    bit_mask(folder / 'v-2.png', (A, 1, 0, 256))
    return folder


def test_bytes_of_bit_masks_are_numbers(tmp_path):
    folder = bit_masks(tmp_path)
    bit_mask(folder / 'v-3.png')
    assert recognise(Source(tmp_path)) == 'bdd100k'
    video = read_labels('bdd100k', tmp_path, classes=CLASSES).videos['v']
    # 256 has the alpha 0
    assert shown(video) == {'256': ('car', [0, 1]), '1': ('dog', [0])}
    assert len(video.frames) == 3
    assert not any(labelled.is_crowd for labelled in video.objects)


@pytest.mark.parametrize('flags', [1, 2])
def test_flags_of_bit_masks(tmp_path, flags):
    bit_mask(tmp_path / 'bitmasks/v/v-1.png', (A, 1, flags, 5), (B, 1, 12, 6))
    found = read_labels('bdd100k', tmp_path, classes=CLASSES)
    assert {one.track: one.is_crowd for one in found.videos['v'].objects} == {'5': True, '6': False}
    assert 'crowd or ignored became crowds' in found.notes[0]


def test_pictures_of_bit_masks(tmp_path):
    bit_masks(tmp_path)
    (tmp_path / 'images/val/v').mkdir(parents=True)
    for number in (1, 2):
        path = tmp_path / f'images/val/v/v-{number}.jpg'
        cv2.imwrite(str(path), np.zeros((8, 12, 3), np.uint8))
    video = read_labels('bdd100k', tmp_path, classes=CLASSES).videos['v']
    assert [frame.picture.name for frame in video.frames] == [
        'images/val/v/v-1.jpg',
        'images/val/v/v-2.jpg',
    ]


def test_pictures_say_how_large_bit_masks_are(tmp_path):
    folder = bit_masks(tmp_path)
    (tmp_path / 'images/v').mkdir(parents=True)
    for number in (1, 2):
        cv2.imwrite(str(tmp_path / f'images/v/v-{number}.jpg'), np.zeros((8, 12, 3), np.uint8))
    bit_mask(folder / 'v-1.png', size=(4, 12))
    with pytest.raises(UserError, match=r'v-1.png: 12x4 pixels, the frames of the video have 12x8'):
        read_labels('bdd100k', tmp_path, classes=CLASSES)


def test_pictures_without_a_bit_mask_are_said(tmp_path):
    bit_masks(tmp_path)
    (tmp_path / 'images/v').mkdir(parents=True)
    for number in (1, 2, 3):
        cv2.imwrite(str(tmp_path / f'images/v/v-{number}.jpg'), np.zeros((8, 12, 3), np.uint8))
    found = read_labels('bdd100k', tmp_path, classes=CLASSES)
    assert len(found.videos['v'].frames) == 2
    assert found.notes == ['video v: 1 picture without a bit mask: left out']


def test_bit_masks_need_names_of_classes(tmp_path):
    bit_masks(tmp_path)
    with pytest.raises(UserError, match='give their names with --classes'):
        read_labels('bdd100k', tmp_path)


@pytest.mark.parametrize(
    ('mask', 'rule'),
    [
        ((A, 2, 0, 5), 'track 5, frame 2: the class 2 has no name in --classes'),
        ((A, 0, 1, 5), 'track 5, frame 2: the class 0 has no name in --classes'),
        ((A, 1, 0, 0), "frame 2: an object of the class 'car' has the id 0"),
        ((A, 3, 0, 256), "track 256, frame 2: has the class 'dog', and 'car' before"),
        (None, 'v-3.png: 13x8 pixels, the frames of the video have 12x8'),
        ('grey', 'three 8-bit channels and alpha (RGBA), this is grey 8 bit'),
    ],
)
def test_bit_masks_that_are_broken(tmp_path, mask, rule):
    path = bit_masks(tmp_path) / 'v-3.png'
    if mask is None:
        bit_mask(path, size=(8, 13))
    elif mask == 'grey':
        Image.fromarray(np.zeros((8, 12), np.uint8)).save(path)
    else:
        bit_mask(path, mask)
    with pytest.raises(UserError) as error:
        read_labels('bdd100k', tmp_path, classes=CLASSES)
    assert rule in str(error.value)
    assert str(path) in str(error.value)
    found = read_labels('bdd100k', tmp_path, classes=CLASSES, skip_bad=True)
    assert shown(found.videos['v'])['256'] == ('car', [0, 1])
    assert len(found.left_out) == 1


def test_which_of_several_forms_is_read(tmp_path):
    bit_masks(tmp_path)
    write_json(tmp_path / 'polygons/v.json', [frame(0, label(poly2d=[poly()]))])
    found = read_labels('bdd100k', tmp_path, classes=CLASSES)
    assert len(found.videos['v'].objects) == 2
    assert 'read from the bit masks' in found.notes[0]
    write_json(tmp_path / 'rles/v.json', [frame(0, label())])
    found = read_labels('bdd100k', tmp_path)
    np.testing.assert_array_equal(masks(found.videos['v'].objects[0])[0], A)
    assert f'read from {tmp_path / "rles/v.json"}' in found.notes[0]


def test_nothing_of_it(tmp_path):
    with pytest.raises(UserError, match='neither json of Scalabel nor a folder bitmasks'):
        read_labels('bdd100k', tmp_path)
