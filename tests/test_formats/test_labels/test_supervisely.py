"""Supervisely: figures as masks, objects of a video, and where its frames are."""

import base64
import io
import json
import zlib

import numpy as np
import pytest
from label_reading import box_mask, masks_of, picture, read_labels, video_file
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.formats.labels.footage import Footage
from mmvseg.formats.labels.importers import importer, recognise
from mmvseg.formats.labels.options import ImportOptions
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.labels.sources import Source

SIZE = 16, 32
SQUARE = [[4, 5], [9, 5], [9, 8], [4, 8]]


def png(mask, mode='1'):
    """A PNG in one of the ways in which masks are stored."""
    grey = Image.fromarray(mask.astype(np.uint8) * 255)
    if mode == 'RGBA':
        image = Image.merge('RGBA', [Image.new('L', grey.size)] * 3 + [grey])
    elif mode == 'P':
        image = Image.fromarray(mask.astype(np.uint8)).copy()
        image.putpalette([0, 0, 0, 255, 255, 255])
        image.info['transparency'] = 0
    else:
        image = grey.convert(mode)
    data = io.BytesIO()
    image.save(data, 'PNG')
    return data.getvalue()


def bitmap(mask, origin=(4, 5), mode='1', pack=zlib.compress):
    data = base64.b64encode(pack(png(mask, mode))).decode()
    return figure('bitmap', dict(bitmap=dict(origin=list(origin), data=data)))


def figure(kind, geometry, key='k1'):
    return dict(key='f', objectKey=key, geometryType=kind, geometry=geometry)


def polygon(exterior=SQUARE, *interior, kind='polygon', key='k1'):
    return figure(kind, dict(points=dict(exterior=exterior, interior=list(interior))), key)


def write(folder, frames, objects=(('k1', 'cup'),), name='clip.mp4', dataset='ds0', **more):
    """A project with a video."""
    meta = dict(classes=[dict(title='cup', shape='any'), dict(title='dog')], projectType='videos')
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'meta.json').write_text(json.dumps(meta))
    annotation = dict(
        size=dict(height=SIZE[0], width=SIZE[1]),
        framesCount=3,
        objects=[dict(key=key, classTitle=title) for key, title in objects],
        frames=[dict(index=index, figures=figures) for index, figures in frames],
    )
    path = folder / dataset / 'ann' / f'{name}.json'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(annotation | more))


def mask_of(tmp_path, *figures):
    """The mask of figures of one object."""
    write(tmp_path, [(1, figures)])
    video = read_labels('supervisely', tmp_path).videos['clip']
    (labelled,) = video.objects
    assert [rle is not None for rle in labelled.rles] == [False, True, False]
    return masks_of(labelled, video)[1]


@pytest.mark.parametrize('mode', ['1', 'L', 'P', 'RGBA', 'LA', 'RGB'])
def test_a_bitmap_of_any_kind(tmp_path, mode):
    inside = np.random.default_rng(0).random((4, 6)) > 0.5
    if mode == 'LA':
        data = io.BytesIO()
        alpha = Image.fromarray(inside.astype(np.uint8) * 255)
        Image.merge('LA', [Image.new('L', alpha.size, 255), alpha]).save(data, 'PNG')
        packed = base64.b64encode(zlib.compress(data.getvalue())).decode()
        found = mask_of(tmp_path, figure('bitmap', dict(bitmap=dict(origin=[4, 5], data=packed))))
    else:
        found = mask_of(tmp_path, bitmap(inside, mode=mode))
    assert (found[5:9, 4:10] == inside).all()
    assert found.sum() == inside.sum()


def test_a_bitmap_that_is_not_packed(tmp_path):
    assert mask_of(tmp_path, bitmap(np.ones((2, 3), bool), pack=bytes)).sum() == 6


def test_outlines_belong_to_polygons_and_holes(tmp_path):
    assert (mask_of(tmp_path, polygon()) == box_mask(SIZE, 4, 5, 10, 9)).all()
    around = [[2, 2], [20, 2], [20, 12], [2, 12]]
    ring = box_mask(SIZE, 2, 2, 21, 13) & ~box_mask(SIZE, 4, 5, 10, 9)
    assert (mask_of(tmp_path, polygon(around, SQUARE)) == ring).all()


def test_points_between_pixels_lie_in_the_pixel(tmp_path):
    points = [[4.9, 5.2], [9.7, 5.9], [9.1, 8.5], [4.4, 8.9]]
    assert (mask_of(tmp_path, polygon(points)) == box_mask(SIZE, 4, 5, 10, 9)).all()


def test_a_rectangle_has_two_corners(tmp_path):
    rectangle = polygon([[9, 8], [4, 5]], kind='rectangle')
    assert (mask_of(tmp_path, rectangle) == box_mask(SIZE, 4, 5, 10, 9)).all()


def test_figures_of_any_kind_are_parts_of_an_object(tmp_path):
    other = bitmap(np.ones((2, 3), bool), (20, 1))
    expected = box_mask(SIZE, 4, 5, 10, 9) | box_mask(SIZE, 20, 1, 23, 3)
    assert (mask_of(tmp_path, polygon(), other) == expected).all()


def test_objects_are_told_by_key_or_by_id(tmp_path):
    second = polygon() | dict(objectKey=None, objectId=7)
    objects = [dict(key='k1', classTitle='dog'), dict(id=7, classTitle='cup')]
    write(tmp_path, [(0, [polygon()]), (2, [second])], objects=())
    path = tmp_path / 'ds0/ann/clip.mp4.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | dict(objects=objects)))
    found = read_labels('supervisely', tmp_path).videos['clip'].objects
    assert [(o.track, o.label) for o in found] == [('k1', 'dog'), ('7', 'cup')]


def test_classes_are_those_of_the_project_with_its_ids(tmp_path):
    write(tmp_path, [(0, [polygon()])])
    assert [(c.name, c.id) for c in read_labels('supervisely', tmp_path).classes] == [
        ('cup', None),
        ('dog', None),
    ]
    meta = dict(classes=[dict(title='cup', id=12), dict(title='dog', id=11)])
    (tmp_path / 'meta.json').write_text(json.dumps(meta))
    assert [c.id for c in read_labels('supervisely', tmp_path).classes] == [12, 11]


def test_datasets_may_be_nested_and_have_videos_of_one_name(tmp_path):
    for dataset in ('ds0', 'ds0/datasets/ds1'):
        write(tmp_path / 'project', [(0, [polygon()])], dataset=dataset, name='my.clip.mp4')
    source = Source(tmp_path)
    assert recognise(source) == 'supervisely'
    assert [*read_labels('supervisely', tmp_path).videos] == ['my.clip']


def test_frames_come_from_pictures_or_the_video_of_the_project(tmp_path):
    write(tmp_path, [(0, [polygon()])])
    frames = read_labels('supervisely', tmp_path).videos['clip'].frames
    assert len(frames) == 3
    assert frames[0].picture is frames[0].video is None
    video_file(tmp_path / 'ds0/video/clip.mp4', 4, size=SIZE)
    frames = read_labels('supervisely', tmp_path).videos['clip'].frames
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert frames[0].video.path == tmp_path / 'ds0/video/clip.mp4'
    for index in range(3):
        picture(tmp_path / f'../pictures/clip/{index}.png', SIZE)
    read = read_labels('supervisely', tmp_path, frames=tmp_path / '../pictures')
    assert [frame.name for frame in read.videos['clip'].frames] == ['0.png', '1.png', '2.png']


def test_given_frames_go_by_the_dataset_and_must_be_there(tmp_path):
    for dataset in ('ds0', 'ds1'):
        write(tmp_path / 'project', [(0, [polygon()])], dataset=dataset)
        for index in range(3):
            picture(tmp_path / f'frames/{dataset}/clip/{dataset}_{index}.png', SIZE)
    source = Source(tmp_path / 'project')
    options = ImportOptions(Footage(source, Source(tmp_path / 'frames')))
    videos = importer('supervisely').read(source, options, ImportReport()).videos
    assert [video.read().frames[2].name for video in videos] == ['ds0_2.png', 'ds1_2.png']
    picture(tmp_path / 'others/street/0.png', SIZE)
    with pytest.raises(UserError, match='the frames of clip are needed and not there'):
        read_labels('supervisely', tmp_path / 'project', frames=tmp_path / 'others')


def test_pictures_must_be_all_frames(tmp_path):
    write(tmp_path, [(0, [polygon()])])
    picture(tmp_path / 'frames/clip/0.png', SIZE)
    with pytest.raises(UserError, match='framesCount is 3, there are 1 picture'):
        read_labels('supervisely', tmp_path)


def test_without_frames_the_labels_must_say_how_many_there_are(tmp_path):
    write(tmp_path, [(0, [polygon()])], framesCount=None)
    with pytest.raises(UserError, match=r'the frames of .* are needed'):
        read_labels('supervisely', tmp_path)


def test_what_has_no_area_is_counted(tmp_path):
    point = figure('point', dict(points=dict(exterior=[[1, 1]], interior=[])))
    line = figure('line', dict(points=dict(exterior=[[1, 1], [2, 2]], interior=[])), 'k2')
    write(tmp_path, [(0, [polygon(), point, line])], [('k1', 'cup'), ('k2', 'dog')])
    read = read_labels('supervisely', tmp_path)
    assert read.report.ignored == dict(point=1, line=1)
    assert [labelled.track for labelled in read.videos['clip'].objects] == ['k1']


BROKEN = [
    ([polygon(key='k9')], 'track k9, frame 0: a figure of an object that is not in objects'),
    ([polygon([[1, 1], [2, 2]])], 'frame 0: a polygon of 2 points'),
    ([polygon(SQUARE, [[1, 1], [2, 2]])], 'a polygon of 2 points'),
    ([polygon([[1, 1], [2, 2], [1e9, 3]])], 'far outside'),
    ([polygon([[1, 1], [2], [3, 3]])], 'points.exterior'),
    ([polygon([[1, 1]], kind='rectangle')], 'a rectangle of 1 corners'),
    ([figure('alpha_mask', {})], 'type alpha_mask, which is not read'),
    ([figure('bitmap', {})], 'bitmap'),
    ([figure('bitmap', dict(bitmap=dict(origin=[0, 0], data='abcd')))], 'cannot be unpacked'),
    ([bitmap(np.ones((4, 6), bool), pack=lambda png: zlib.compress(png)[:-5])], 'cut off'),
    ([bitmap(np.ones((4, 6), bool), pack=lambda png: zlib.compress(png + bytes(10**7)))], 'cut'),
    ([bitmap(np.ones((4, 6), bool), pack=lambda png: zlib.compress(b'no'))], 'no PNG'),
    ([bitmap(np.ones((4, 6), bool), (27, 0))], '6x4 pixels at 27, 0 reaches out of the 32x16'),
    ([bitmap(np.ones((4, 6), bool), (-1, 0))], 'reaches out'),
    ([7], '7 is not an object'),
]


@pytest.mark.parametrize(('figures', 'message'), BROKEN)
def test_a_broken_figure_is_named_and_can_be_left_out(tmp_path, figures, message):
    write(tmp_path, [(0, figures), (1, [polygon()])])
    with pytest.raises(UserError, match=message) as error:
        read_labels('supervisely', tmp_path)
    assert 'ds0/ann/clip.mp4.json' in str(error.value)
    assert 'video clip' in str(error.value)
    assert 'frame 0' in str(error.value)
    read = read_labels('supervisely', tmp_path, skip_bad=True)
    (labelled,) = read.videos['clip'].objects
    assert [rle is not None for rle in labelled.rles] == [False, True, False]
    assert len(read.report.left_out) == 1


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(frames=[(3, [polygon()])]), 'track k1, frame 3: there is no such frame'),
        (dict(objects=[('k1', 'cup'), ('k2', 'dog')]), 'track k2: has no figure in any frame'),
        (dict(objects=[('k1', 'cat')]), "track k1: its class 'cat' is not in meta.json"),
        (
            dict(objects=[('k1', 'cup'), ('k1', 'dog')]),
            "track k1: has the class 'dog', and 'cup' before",
        ),
        (dict(objects=[('k1', 'cup'), (None, 'dog')]), r'objects\[1\]: an object \(dog\) without'),
        (
            dict(frames=[(0, [polygon(), polygon(key=None)])]),
            'frame 0: a figure without an objectKey',
        ),
        (dict(size=7), 'size'),
    ],
)
def test_broken_videos(tmp_path, change, message):
    write(tmp_path, **dict(frames=[(0, [polygon()])]) | change)
    with pytest.raises(UserError, match=message) as error:
        read_labels('supervisely', tmp_path)
    assert 'video clip' in str(error.value)
    assert read_labels('supervisely', tmp_path, skip_bad=True).report.left_out


def test_projects_of_pictures_are_refused(tmp_path):
    write(tmp_path, [])
    (tmp_path / 'meta.json').write_text(json.dumps(dict(classes=[], projectType='images')))
    with pytest.raises(UserError, match='a project of images'):
        read_labels('supervisely', tmp_path)


def test_a_project_without_its_parts(tmp_path):
    with pytest.raises(UserError, match=r'no meta.json'):
        read_labels('supervisely', tmp_path)
    (tmp_path / 'meta.json').write_text(json.dumps(dict(classes=[])))
    with pytest.raises(UserError, match='no <dataset>/ann'):
        read_labels('supervisely', tmp_path)
