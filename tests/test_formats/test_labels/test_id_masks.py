"""Id masks: kinds of pictures and tables, and what is wrong with them."""

import json
import shutil
from functools import partial

import numpy as np
import pytest
import random_labels
from label_reading import shown
from PIL import Image
from random_labels import read_labels

from mmvseg.errors import UserError
from mmvseg.formats.labels.importers import recognise
from mmvseg.formats.labels.records import LabelClass
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.labels.sources import Source
from mmvseg.media.images import write_image

SIZE = 6, 8


def ids(*values, type_=np.uint8):
    """A row of each value, from the top."""
    array = np.zeros(SIZE, type_)
    for row, value in enumerate(values):
        array[row] = value
    return array


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)


def mask(path, *values, type_=np.uint8):
    save(path, Image.fromarray(ids(*values, type_=type_)))


def pictures(folder, *names, size=SIZE):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        write_image(folder / name, np.zeros((*size, 3), np.uint8))


def table(root, *rows, header='video,id,class'):
    root.mkdir(parents=True, exist_ok=True)
    (root / 'classes.csv').write_text('\n'.join([header, *rows]) + '\n', encoding='utf-8-sig')


refused = partial(random_labels.refused, 'masks')


def palette(*values):
    image = Image.fromarray(ids(*values))
    image.putpalette([255 - n // 3 for n in range(768)])
    return image


@pytest.mark.parametrize(
    ('image', 'value'),
    [
        (Image.fromarray(ids(0, 7)), 7),
        (Image.fromarray(ids(0, 300, type_=np.uint16)), 300),
        (palette(0, 200), 200),
        (Image.fromarray(ids(0, 1, type_=bool)), 1),
    ],
    ids=['8 bit', '16 bit', 'palette', '1 bit'],
)
def test_kinds_of_masks(tmp_path, image, value):
    save(tmp_path / 'masks/a/0.png', image)
    pictures(tmp_path / 'images/a', '0.jpg')
    table(tmp_path, f'a,{value},car')
    assert recognise(Source(tmp_path)) == 'masks'
    classes, (video,) = read_labels('masks', tmp_path)
    assert classes == [LabelClass('car')]
    assert shown(video) == {str(value): ('car', [0])}


def test_colours_as_numbers(tmp_path):
    rgb = np.zeros((*SIZE, 3), np.uint8)
    rgb[2] = 1, 2, 3
    save(tmp_path / 'masks/a/0.png', Image.fromarray(rgb))
    value = 1 + 256 * 2 + 65536 * 3
    table(tmp_path, f'a,{value},car')
    _, (video,) = read_labels('masks', tmp_path, rgb_ids=True)
    assert shown(video) == {str(value): ('car', [0])}
    refused(tmp_path, r'0.png: has colours; --rgb-ids takes them as numbers')
    mask(tmp_path / 'masks/a/0.png', 1)
    refused(tmp_path, 'three 8-bit channels', rgb_ids=True)


def test_a_table_for_all_videos_and_rows_for_one(tmp_path):
    for name in ('a', 'b', 'day/c'):
        mask(tmp_path / f'masks/{name}/0.png', 1, 2)
    table(tmp_path, ',1,Fu\u0308r', ',2,traffic light', 'b,1,dog', 'day/c,2,dog')
    classes, videos = read_labels('masks', tmp_path)
    assert [c.name for c in classes] == ['F\u00fcr', 'traffic light', 'dog']
    assert {video.name: [*shown(video).values()] for video in videos} == {
        'a': [('F\u00fcr', [0]), ('traffic light', [0])],
        'b': [('dog', [0]), ('traffic light', [0])],
        'day/c': [('F\u00fcr', [0]), ('dog', [0])],
    }


def test_a_table_in_json(tmp_path):
    mask(tmp_path / 'masks/a/0.png', 1)
    content = {'a': {'1': 'Fu\u0308r'}, '': {'2': 'dog'}}
    (tmp_path / 'classes.json').write_text(json.dumps(content))
    classes, (video,) = read_labels('masks', tmp_path)
    assert [c.name for c in classes] == ['F\u00fcr', 'dog']
    assert shown(video) == {'1': ('F\u00fcr', [0])}


def test_frames_without_a_mask_are_frames_without_objects(tmp_path):
    pictures(tmp_path / 'images/a', 'f9.jpg', 'f10.jpg', 'f11.png')
    mask(tmp_path / 'masks/a/f10.png', 1)
    mask(tmp_path / 'masks/a/f11.png')
    table(tmp_path, ',1,car')
    _, (video,) = read_labels('masks', tmp_path)
    assert [frame.picture.base for frame in video.frames] == ['f9.jpg', 'f10.jpg', 'f11.png']
    assert shown(video) == {'1': ('car', [1])}


def test_videos_without_masks_are_left_out_which_is_said(tmp_path):
    mask(tmp_path / 'masks/a/0.png', 1)
    table(tmp_path, ',1,car')
    for name in ('a', 'b', 'c'):
        pictures(tmp_path / 'images' / name, '0.jpg')
    report = ImportReport()
    read_labels('masks', tmp_path, report)
    (note,) = report.notes
    assert note.endswith('left out, as they have no masks: 2 videos of images (b, c)')


def test_masks_without_pictures(tmp_path):
    mask(tmp_path / 'masks/a/f9.png', 1)
    mask(tmp_path / 'masks/a/f10.png', 1)
    table(tmp_path, ',1,car')
    _, (video,) = read_labels('masks', tmp_path)
    assert [(frame.name, frame.picture) for frame in video.frames] == [
        ('f9.png', None),
        ('f10.png', None),
    ]


def test_a_single_video(tmp_path):
    root = tmp_path / 'street'
    pictures(root / 'images', '0.jpg', '1.jpg')
    mask(root / 'masks/1.png', 1)
    table(root, 'street,1,car')
    _, (video,) = read_labels('masks', root)
    assert (video.name, len(video.frames), shown(video)) == ('street', 2, {'1': ('car', [1])})


def test_frames_that_are_given(tmp_path):
    mask(tmp_path / 'labels/masks/a/1.png', 1)
    table(tmp_path / 'labels', ',1,car')
    pictures(tmp_path / 'frames/a', '0.jpg', '1.jpg')
    _, (video,) = read_labels('masks', tmp_path / 'labels', frames=tmp_path / 'frames')
    assert shown(video) == {'1': ('car', [1])}


def test_a_value_without_a_class(tmp_path):
    mask(tmp_path / 'masks/a/0.png', 1, 5)
    table(tmp_path, ',1,car', 'b,5,car')
    message = r'0.png: video a, track 5, frame 0: the value has no class in classes.csv'
    (video,) = refused(tmp_path, message)
    assert shown(video) == {'1': ('car', [0])}


def test_a_class_for_an_id_that_is_nowhere_is_noted(tmp_path):
    mask(tmp_path / 'masks/a/0.png', 1)
    mask(tmp_path / 'masks/b/0.png', 3)
    table(tmp_path, ',1,car', ',3,car', ',9,dog', 'a,5,dog', 'a,12,dog', 'c,1,dog')
    report = ImportReport()
    read_labels('masks', tmp_path, report)
    file = tmp_path / 'classes.csv'
    assert report.notes[1:] == [
        f'{file}: of video a, these ids are in no mask: 5, 12',
        f'{file}: of all videos, these ids are in no mask: 9',
        f'{file}: of video c, these ids are in no mask: 1',
    ]


def test_a_folder_in_an_archive(tmp_path):
    pictures(tmp_path / 'labels/mine/images/a', '0.jpg')
    mask(tmp_path / 'labels/mine/masks/a/0.png', 1)
    table(tmp_path / 'labels/mine', ',1,car')
    shutil.make_archive(str(tmp_path / 'labels'), 'zip', tmp_path / 'labels')
    assert recognise(Source(tmp_path / 'labels.zip')) == 'masks'
    _, (video,) = read_labels('masks', tmp_path / 'labels.zip')
    assert (video.name, shown(video)) == ('a', {'1': ('car', [0])})
    assert video.frames[0].picture is not None


def test_several_sets_are_read_together(tmp_path):
    for name, row in (('one', 'a,1,car'), ('two', 'a,1,dog')):
        mask(tmp_path / name / 'masks/a/0.png', 1)
        table(tmp_path / name, row)
    assert recognise(Source(tmp_path)) == 'masks'
    classes, videos = read_labels('masks', tmp_path)
    assert [one.name for one in classes] == ['car', 'dog']
    assert [shown(video) for video in videos] == [{'1': ('car', [0])}, {'1': ('dog', [0])}]
    for name in ('one', 'two'):
        (tmp_path / name / 'masks/a/0.png').rename(tmp_path / name / 'masks/0.png')
        table(tmp_path / name, f'{name},1,car')
    assert [video.name for video in read_labels('masks', tmp_path)[1]] == ['one', 'two']


def test_masks_that_do_not_fit(tmp_path):
    table(tmp_path, ',1,car')
    pictures(tmp_path / 'images/a', '0.jpg', '1.jpg')
    mask(tmp_path / 'masks/a/0.png', 1)
    save(tmp_path / 'masks/a/1.png', Image.fromarray(np.ones((5, 5), np.uint8)))
    (video,) = refused(tmp_path, 'video a, frame 1: .*1.png: 5x5 pixels, the frames .* have 8x6')
    assert shown(video) == {'1': ('car', [0])}
    (tmp_path / 'masks/a/1.png').write_bytes(b'')
    refused(tmp_path, r'video a, frame 1: .*1.png: not a readable image')
    (tmp_path / 'masks/a/1.png').unlink()
    mask(tmp_path / 'masks/a/2.png', 1)
    refused(tmp_path, r'2.png: video a: there is no picture of this frame')
    shutil.rmtree(tmp_path / 'images')
    pictures(tmp_path / 'images/a', 'x.jpg', 'y.jpg')
    (tmp_path / 'masks/a/0.png').rename(tmp_path / 'masks/a/z.png')
    assert refused(tmp_path, 'video a: its frames have other names than the masks') == []


@pytest.mark.parametrize(
    ('rows', 'header', 'message'),
    [
        (['a,x,car'], 'video,id,class', 'line 2: must have video, id and class'),
        (['a,1,car', 'a,2'], 'video,id,class', 'line 3: must have'),
        (['a,1,car'], 'video,object,class', 'line 2: must have'),
        (['a,1,'], 'video,id,class', 'line 2: the class of id 1 has no name'),
        (['a,1,car', 'a,1,dog'], 'video,id,class', "line 3: id 1 is 'dog', and 'car' before"),
    ],
)
def test_tables_that_are_broken(tmp_path, rows, header, message):
    mask(tmp_path / 'masks/a/0.png', 1)
    table(tmp_path, *rows, header=header)
    with pytest.raises(UserError, match=message):
        read_labels('masks', tmp_path)


@pytest.mark.parametrize(
    'content', [[], {'a': 'car'}, {'a': {'x': 'car'}}, {'a': {'1': 2}}, {'a': {'1': ''}}]
)
def test_tables_in_json_of_another_form(tmp_path, content):
    mask(tmp_path / 'masks/a/0.png', 1)
    (tmp_path / 'classes.json').write_text(json.dumps(content))
    with pytest.raises(UserError, match=r'classes.json: must be \{video: \{id: class\}\}'):
        read_labels('masks', tmp_path)


def test_a_table_of_another_encoding(tmp_path):
    mask(tmp_path / 'masks/a/0.png', 1)
    (tmp_path / 'classes.csv').write_bytes('video,id,class\n,1,Fu\u00df\n'.encode('latin-1'))
    with pytest.raises(UserError, match=r'classes.csv: is no text in UTF-8'):
        read_labels('masks', tmp_path)


def test_a_table_is_missing(tmp_path):
    mask(tmp_path / 'masks/a/0.png', 1)
    with pytest.raises(UserError, match=r'no classes.csv or classes.json, which says what'):
        read_labels('masks', tmp_path)


def test_masks_are_missing(tmp_path):
    table(tmp_path, ',1,car')
    with pytest.raises(UserError, match='no PNGs in masks'):
        read_labels('masks', tmp_path)
