"""MOTS: numbers in PNGs and lines of run-length codes, and what is wrong with them."""

from functools import partial

import numpy as np
import pytest
import random_labels
from label_reading import shown
from random_labels import read_labels

from mmvseg.errors import UserError
from mmvseg.formats.labels.importers import importer, recognise
from mmvseg.formats.labels.outlines import encode
from mmvseg.formats.labels.records import LabelClass
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.labels.sources import Source
from mmvseg.media.images import write_image

SIZE = 4, 6


def png(path, *values, type_=np.uint16):
    """A map with a row of each value, from the top."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = np.zeros(SIZE, type_)
    for row, value in enumerate(values):
        ids[row] = value
    write_image(path, ids)


def pictures(folder, *names, size=SIZE):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        write_image(folder / name, np.zeros((*size, 3), np.uint8))


def line(frame, id_, class_, row=0, size=SIZE):
    mask = np.zeros(size, bool)
    mask[row] = True
    counts = encode(mask)['counts'].decode()
    return f'{frame} {id_} {class_} {size[0]} {size[1]} {counts}\n'


def text(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(lines))


refused = partial(random_labels.refused, 'mots')


# ------------------------------------------------------------------- pictures of numbers


def test_frames_without_a_png_are_frames_without_objects(tmp_path):
    pictures(tmp_path / 'v/images', *(f'{i:05d}.jpg' for i in range(4)))
    png(tmp_path / 'v/instances/00001.png', 1001, 2003)
    png(tmp_path / 'v/instances/00003.png', 1001)
    text(tmp_path / 'v/instances/labels.txt', 'traffic light\nFu\u0308r\n')
    classes, (video,) = read_labels('mots', tmp_path)
    assert classes == [LabelClass('traffic light', 1), LabelClass('F\u00fcr', 2)]
    assert [frame.picture.base for frame in video.frames][::3] == ['00000.jpg', '00003.jpg']
    assert shown(video) == {'1001': ('traffic light', [1, 3]), '2003': ('F\u00fcr', [1])}


def test_a_video_of_pictures_without_objects_has_no_png(tmp_path):
    for name in ('v10', 'v9'):
        pictures(tmp_path / name / 'images', '0.jpg', '1.jpg')
        text(tmp_path / name / 'instances/labels.txt', 'car\n')
    png(tmp_path / 'v10/instances/0.png', 1001)
    _, videos = read_labels('mots', tmp_path)
    found = [(video.name, len(video.frames), len(video.objects)) for video in videos]
    assert found == [('v9', 2, 0), ('v10', 2, 1)]


def test_the_original_set(tmp_path):
    """Frames lie elsewhere; 10000 is to be ignored; classes have the names of the set."""
    png(tmp_path / 'instances/0002/000001.png', 2001, 10000)
    png(tmp_path / 'instances/0002/000002.png', 3001)
    pictures(tmp_path / 'training/image_02/0002', '000001.jpg', '000002.jpg', '000003.jpg')
    report = ImportReport()
    classes, (video,) = read_labels('mots', tmp_path, report)
    assert video.name == '0002'
    assert [frame.picture.base for frame in video.frames][-1] == '000003.jpg'
    assert shown(video) == {'2001': ('pedestrian', [0]), '3001': ('class_3', [1])}
    assert report.ignored == {'region to be ignored (class 10)': 1}
    assert classes(['pedestrian', 'class_3']) == [
        LabelClass('car', 1),
        LabelClass('pedestrian', 2),
        LabelClass('class_3', 3),
    ]


def test_frames_that_are_given(tmp_path):
    png(tmp_path / 'labels/instances/0002/000001.png', 2001)
    pictures(tmp_path / 'frames/0002', '000000.png', '000001.png')
    _, (video,) = read_labels('mots', tmp_path / 'labels', frames=tmp_path / 'frames')
    assert shown(video) == {'2001': ('pedestrian', [1])}


def test_ten_classes_have_no_region_to_be_ignored(tmp_path):
    png(tmp_path / 'v/instances/0.png', 10000, 10001)
    text(tmp_path / 'v/instances/labels.txt', '\n'.join('abcdefghij'))
    report = ImportReport()
    _, (video,) = read_labels('mots', tmp_path, report)
    assert shown(video) == {'10000': ('j', [0]), '10001': ('j', [0])}
    assert not report.ignored


def test_names_that_are_given(tmp_path):
    png(tmp_path / 'v/instances/0.png', 1001, 5001)
    text(tmp_path / 'v/instances/labels.txt', 'wrong\n')
    given = [LabelClass('car', 1), LabelClass('bus', 5)]
    classes, (video,) = read_labels('mots', tmp_path, classes=given)
    assert classes == given
    assert shown(video) == {'1001': ('car', [0]), '5001': ('bus', [0])}


def test_folders_of_one_task(tmp_path):
    """CVAT: all frames of a task are in ``default``, with the folders that they were in."""
    for name, length in (('a', 1), ('b', 2)):
        for frame in range(length):
            png(tmp_path / f'default/instances/{name}/{frame}.png', 1001)
            pictures(tmp_path / f'default/images/{name}', f'{frame}.png')
    text(tmp_path / 'default/instances/labels.txt', 'car')
    _, videos = read_labels('mots', tmp_path)
    assert [(video.name, len(video.frames)) for video in videos] == [('a', 1), ('b', 2)]
    assert videos[1].frames[0].picture.name == 'default/images/b/0.png'


@pytest.mark.parametrize('top', ['', 'export', 'a/b'])
def test_names_of_videos_are_those_of_their_folders(tmp_path, top):
    for name in ('crossing', 'street'):
        png(tmp_path / f'labels/{top}/{name}/instances/0.png', 1001)
    _, videos = read_labels('mots', tmp_path / 'labels')
    assert [video.name for video in videos] == ['crossing', 'street']


def test_a_single_video(tmp_path):
    png(tmp_path / 'street/instances/0.png', 1001)
    pictures(tmp_path / 'street/images', '0.jpg', '1.jpg')
    _, (video,) = read_labels('mots', tmp_path / 'street')
    assert (video.name, len(video.frames)) == ('street', 2)


def test_classes_of_two_tasks_that_number_them_in_their_own_way(tmp_path):
    for name, names in (('a', 'car\nbus'), ('b', 'bus\ndog')):
        png(tmp_path / f'{name}/instances/0.png', 1001, 2001)
        text(tmp_path / f'{name}/instances/labels.txt', names)
    classes, (a, b) = read_labels('mots', tmp_path)
    assert classes == [LabelClass('car', 1), LabelClass('bus'), LabelClass('dog', 2)]
    assert shown(a) == {'1001': ('car', [0]), '2001': ('bus', [0])}
    assert shown(b) == {'1001': ('bus', [0]), '2001': ('dog', [0])}


def test_without_pictures(tmp_path):
    """The PNGs have numbers, between which there are frames without objects."""
    png(tmp_path / 'v/instances/frame_03.png', 1001)
    png(tmp_path / 'v/instances/frame_05.png', 1001)
    report = ImportReport()
    _, (video,) = read_labels('mots', tmp_path, report)
    assert [frame.name for frame in video.frames] == [f'frame_0{n}.png' for n in range(1, 6)]
    assert shown(video) == {'1001': ('car', [2, 4])}
    assert report.notes == [
        'where there are no pictures, frames are taken to be from 1 to the last that has an object'
    ]


def test_names_that_are_times(tmp_path):
    for name in ('20240131120000', '20240131120005'):
        png(tmp_path / f'v/instances/{name}.png', 1001)
    _, (video,) = read_labels('mots', tmp_path)
    assert [frame.name for frame in video.frames] == ['20240131120000.png', '20240131120005.png']
    assert shown(video) == {'1001': ('car', [0, 1])}


def test_labels_are_no_frames(tmp_path):
    """Of a video without pictures, the PNGs are not taken for them."""
    png(tmp_path / 'instances/0000/000000.png', 1001)
    _, (video,) = read_labels('mots', tmp_path)
    assert [frame.picture for frame in video.frames] == [None]


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        (7, 'v/instances/1.png: video v, track 7, frame 1: the class is 0; a value is class'),
        (3001, 'track 3001, frame 1: the class 3 is not in .*labels.txt, which has 2'),
    ],
)
def test_values_without_a_class(tmp_path, value, message):
    pictures(tmp_path / 'v/images', '0.jpg', '1.jpg')
    png(tmp_path / 'v/instances/1.png', 1001, value)
    if value > 1000:
        text(tmp_path / 'v/instances/labels.txt', 'car\nbus')
    (video,) = refused(tmp_path, message)
    assert shown(video) == {'1001': ('car', [1])}


def test_a_png_without_a_picture(tmp_path):
    pictures(tmp_path / 'v/images', '0.jpg', '1.jpg')
    png(tmp_path / 'v/instances/1.png', 1001)
    png(tmp_path / 'v/instances/2.png', 1001)
    (video,) = refused(tmp_path, '2.png: video v: there is no picture of this frame')
    assert shown(video) == {'1001': ('car', [1])}


def test_pictures_of_other_names(tmp_path):
    pictures(tmp_path / 'v/images', 'a.jpg', 'b.jpg')
    png(tmp_path / 'v/instances/c.png', 1001)
    assert refused(tmp_path, 'video v: its frames have other names than the masks') == []


def test_colours_are_no_numbers(tmp_path):
    pictures(tmp_path / 'v/images', '0.jpg', '1.jpg')
    png(tmp_path / 'v/instances/0.png', 1001)
    write_image(tmp_path / 'v/instances/1.png', np.zeros((*SIZE, 3), np.uint8))
    text(tmp_path / 'v/instances/labels.txt', 'car')
    refused(tmp_path, 'video v, frame 1: .*1.png: a map of numbers has one grey.*this is RGB')


def test_masks_of_another_size(tmp_path):
    pictures(tmp_path / 'v/images', '0.jpg', '1.jpg', size=(4, 7))
    pictures(tmp_path / 'v/instances')
    write_image(tmp_path / 'v/instances/0.png', np.full((4, 7), 1001, np.uint16))
    png(tmp_path / 'v/instances/1.png', 1001)
    refused(tmp_path, 'frame 1: .*1.png: 6x4 pixels, the frames of the video have 7x4')


def test_a_table_is_missing(tmp_path):
    for name in 'ab':
        png(tmp_path / f'{name}/instances/0.png', 1001)
    text(tmp_path / 'a/instances/labels.txt', 'car')
    with pytest.raises(UserError, match=r'b/instances/0.png: there is no labels.txt, as other'):
        read_labels('mots', tmp_path)


def test_nothing_of_the_kind(tmp_path):
    text(tmp_path / 'readme.txt', 'hello')
    with pytest.raises(UserError, match='no PNGs in a folder instances, and no text'):
        read_labels('mots', tmp_path)


# ------------------------------------------------------------------------ lines of text


@pytest.mark.parametrize('first', [0, 1])
def test_pictures_tell_whether_frames_begin_at_0_or_1(tmp_path, first):
    pictures(tmp_path / 'images/0007', *(f'{first + i:06d}.jpg' for i in range(4)))
    text(tmp_path / 'instances_txt/0007.txt', line(first + 1, 2001, 2), line(first + 3, 2001, 2))
    report = ImportReport()
    _, (video,) = read_labels('mots', tmp_path, report)
    assert (video.name, len(video.frames), report.notes) == ('0007', 4, [])
    assert shown(video) == {'2001': ('pedestrian', [1, 3])}


@pytest.mark.parametrize(
    ('frames', 'expected', 'note'),
    [
        ((0, 2), [0, 2], None),
        ((1, 4), [0, 3], None),
        ((1, 2), [1, 2], 'where pictures have no numbers, frames are taken to be counted from 0'),
    ],
)
def test_pictures_without_numbers(tmp_path, frames, expected, note):
    pictures(tmp_path / 'v', 'a.jpg', 'b.jpg', 'c.jpg', 'd.jpg')
    text(tmp_path / 'labels/v.txt', *(line(frame, 2001, 2) for frame in frames))
    report = ImportReport()
    _, (video,) = read_labels('mots', tmp_path, report)
    assert shown(video)['2001'][1] == expected
    assert report.notes == [note] * (note is not None)


def test_text_without_pictures(tmp_path):
    text(tmp_path / 'v.txt', line(1, 2001, 2), '\n', line(3, 2002, 2), line(3, 10000, 10, 1))
    report = ImportReport()
    _, (video,) = read_labels('mots', tmp_path, report)
    assert (len(video.frames), video.height, video.width) == (3, *SIZE)
    assert shown(video) == {'2001': ('pedestrian', [0]), '2002': ('pedestrian', [2])}
    assert report.ignored == {'region to be ignored (class 10)': 1}
    assert len(report.notes) == 1


def test_the_layout_of_mot_challenge(tmp_path):
    for name in ('MOTS20-02', 'MOTS20-05'):
        pictures(tmp_path / f'train/{name}/img1', '000001.jpg', '000002.jpg')
        text(tmp_path / f'train/{name}/gt/gt.txt', line(2, 2001, 2))
    _, videos = read_labels('mots', tmp_path)
    assert [video.name for video in videos] == ['MOTS20-02', 'MOTS20-05']
    assert [shown(video)['2001'][1] for video in videos] == [[1], [1]]
    assert recognise(Source(tmp_path)) == 'mots'


def test_parts_of_an_object_are_put_together(tmp_path):
    text(tmp_path / 'v.txt', line(0, 2001, 2, row=0), line(0, 2001, 2, row=2))
    _, (video,) = read_labels('mots', tmp_path)
    assert video.objects[0].rles[0]['counts'] == union_of_rows(0, 2)


def union_of_rows(*shown):
    mask = np.zeros(SIZE, bool)
    mask[list(shown)] = True
    return encode(mask)['counts']


def test_a_video_without_objects(tmp_path):
    pictures(tmp_path / 'images/a', '0.jpg')
    pictures(tmp_path / 'images/b', '0.jpg', '1.jpg')
    text(tmp_path / 'txt/a.txt', line(0, 2001, 2))
    text(tmp_path / 'txt/b.txt')
    _, videos = read_labels('mots', tmp_path)
    assert [(len(video.frames), len(video.objects)) for video in videos] == [(1, 1), (2, 0)]


def test_pngs_are_better_than_texts(tmp_path):
    png(tmp_path / 'instances/v/0.png', 1001)
    text(tmp_path / 'instances_txt/v.txt', line(0, 2001, 2))
    report = ImportReport()
    _, (video,) = read_labels('mots', tmp_path, report)
    assert shown(video) == {'1001': ('car', [0])}
    assert any('the PNGs in instances are read, not the texts' in note for note in report.notes)


@pytest.mark.parametrize(
    ('broken', 'message'),
    [
        ('0 2001 2 4 6\n', 'v.txt: video v: line 2: must be "frame id class height width code"'),
        ('0 x 2 4 6 o\n', 'line 2: must be'),
        ('-1 2001 2 4 6 04d0\n', 'line 2: must be'),
        (line(10**9, 2001, 2), 'line 2: must be'),
        ('0 2001 2 4 6 04\n', 'video v, track 2001, frame 0: line 2: the run-length code covers'),
        ('0 2001 2 4 6 \u00e4\n', 'line 2: the run-length code has a character that is no code'),
        (line(0, 2001, 2, size=(5, 6)), 'a mask of 5 x 6, the frames have 4 x 6'),
        (line(7, 2001, 2), 'track 2001, frame 7: there is no picture of this frame'),
        (line(0, 2001, 0), 'track 2001, frame 0: the class is 0'),
        (line(0, 2002, 1), "track 2002, frame 0: has the class 'car', and 'pedestrian' before"),
    ],
)
def test_broken_lines(tmp_path, broken, message):
    pictures(tmp_path / 'images/v', '0.jpg', '1.jpg')
    text(tmp_path / 'txt/v.txt', line(1, 2002, 2), broken)
    (video,) = refused(tmp_path, message)
    assert shown(video) == {'2002': ('pedestrian', [1])}


def test_an_empty_text_without_pictures(tmp_path):
    text(tmp_path / 'a.txt', line(0, 2001, 2))
    text(tmp_path / 'b.txt')
    (video,) = refused(tmp_path, r'b.txt: video b: there is no line and there are no pictures')
    assert video.name == 'a'


@pytest.mark.parametrize('words', ['0 0.1 0.2 0.3 0.4 0.5 0.6', '0 0 0 1 0 1 1 0 1 7'])
def test_other_texts_are_not_taken_for_labels(tmp_path, words):
    text(tmp_path / 'labels/0.txt', f'{words}\n')
    assert not importer('mots').recognises(Source(tmp_path))
