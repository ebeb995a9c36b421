"""Frames of a video by its name, from folders and from video files."""

import shutil
from fractions import Fraction

import numpy as np
import pytest

from mmvseg.errors import UserError
from mmvseg.formats.labels.footage import Footage
from mmvseg.formats.labels.sources import Source
from mmvseg.media.images import write_image
from mmvseg.media.video_writer import VideoWriter


def pictures(folder, count=2, size=(16, 32)):
    folder.mkdir(parents=True)
    for index in range(count):
        write_image(folder / f'{index}.png', np.zeros((*size, 3), np.uint8))


def video(path, count=3):
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, Fraction(10)) as writer:
        for _ in range(count):
            writer.write(np.zeros((16, 32, 3), np.uint8))


def names(footage, *videos):
    return [frame.picture.name for frame in footage.frames(*videos)]


def test_frames_beside_the_labels(tmp_path):
    pictures(tmp_path / 'JPEGImages/street')
    pictures(tmp_path / 'JPEGImages/day/road', 3)
    footage = Footage(Source(tmp_path))
    assert names(footage, 'street') == ['JPEGImages/street/0.png', 'JPEGImages/street/1.png']
    assert len(footage.frames('day/road')) == len(footage.frames('road.mp4')) == 3
    assert footage.frames('lane') is None
    assert footage.size(footage.frames('street')) == (16, 32)
    assert footage.size([]) is None


def test_labels_are_no_frames(tmp_path):
    pictures(tmp_path / 'masks/day/street')
    footage = Footage(Source(tmp_path))
    assert len(footage.frames('street')) == 2
    footage.leave_out(['masks'])
    assert footage.frames('street') is None
    given = Footage(Source(tmp_path), Source(tmp_path))
    given.leave_out(['masks'])
    assert given.frames('street') is None
    elsewhere = Footage(Source(tmp_path / 'masks'), Source(tmp_path))
    elsewhere.leave_out(['masks'])
    assert len(elsewhere.frames('street')) == 2


def test_the_size_is_that_of_the_first_picture_that_can_be_read(tmp_path):
    pictures(tmp_path / 'street')
    (tmp_path / 'street/0.png').write_bytes(b'')
    footage = Footage(Source(tmp_path))
    assert footage.size(footage.frames('street')) == (16, 32)
    (tmp_path / 'street/1.png').write_bytes(b'')
    with pytest.raises(UserError, match=r'0.png: not a readable image'):
        footage.size(footage.frames('street'))


def test_a_name_is_better_than_the_end_of_one(tmp_path):
    pictures(tmp_path / 'street', 1)
    pictures(tmp_path / 'day/street', 2)
    pictures(tmp_path / 'night/road', 1)
    pictures(tmp_path / 'day/road', 2)
    footage = Footage(Source(tmp_path))
    assert len(footage.frames('street')) == 1
    assert footage.frames('road') is None  # which one?
    assert len(footage.frames('road', 'day/road')) == 2


def test_frames_that_are_given(tmp_path):
    pictures(tmp_path / 'labels/street')
    pictures(tmp_path / 'frames', 3)
    footage = Footage(Source(tmp_path / 'labels'), Source(tmp_path / 'frames'))
    assert len(footage.frames('anything')) == 3  # one video, whatever it is called


def test_frames_of_a_video_file(tmp_path):
    video(tmp_path / 'street.mp4')
    footage = Footage(Source(tmp_path))
    found = footage.frames('street')
    assert [(frame.name, frame.index) for frame in found] == [
        ('000000.jpg', 0),
        ('000001.jpg', 1),
        ('000002.jpg', 2),
    ]
    assert footage.size(found) == (16, 32)
    assert footage.frames('road') is None


def test_a_video_file_that_is_given(tmp_path):
    pictures(tmp_path / 'labels/street', 7)
    video(tmp_path / 'one.mp4')
    source = Source(tmp_path / 'labels')
    assert len(Footage(source, videos=Source(tmp_path / 'one.mp4')).frames('street')) == 3
    video(tmp_path / 'many/street.mp4', 2)
    video(tmp_path / 'many/road.mp4', 4)
    many = Footage(source, videos=Source(tmp_path / 'many'))
    assert [len(many.frames(name)) for name in ('street', 'road.mp4')] == [2, 4]
    assert many.frames('lane') is None


@pytest.mark.parametrize('kind', ['frames', 'videos'])
def test_one_video_does_not_serve_several(tmp_path, kind):
    pictures(tmp_path / 'labels/street')
    pictures(tmp_path / 'frames', 3)
    video(tmp_path / 'one.mp4')
    given = Source(tmp_path / ('frames' if kind == 'frames' else 'one.mp4'))
    footage = Footage(Source(tmp_path / 'labels'), **{kind: given})
    assert len(footage.frames('street', 'street.mov')) == len(footage.frames('street.mov')) == 3
    with pytest.raises(UserError, match=r'one video, but the labels have several, street and road'):
        footage.frames('road')


def test_a_folder_of_several_videos_is_for_those_who_tell_its_pictures_apart(tmp_path):
    (tmp_path / 'labels').mkdir()
    pictures(tmp_path / 'frames', 3)
    footage = Footage(Source(tmp_path / 'labels'), Source(tmp_path / 'frames'))
    for name in ('street', 'road'):
        assert len(footage.pictures(name, shared=True)) == 3
    assert len(footage.pictures('street')) == 3
    with pytest.raises(UserError, match='belongs to one video'):
        footage.pictures('road')


@pytest.mark.parametrize('names', [('street', 'one'), ('one', 'street')])
def test_the_video_of_one_name_does_not_serve_another(tmp_path, names):
    (tmp_path / 'labels').mkdir()
    video(tmp_path / 'one.mp4')
    footage = Footage(Source(tmp_path / 'labels'), videos=Source(tmp_path / 'one.mp4'))
    assert len(footage.frames(names[0])) == 3
    with pytest.raises(UserError, match=f'several, {names[0]} and {names[1]} among them'):
        footage.frames(names[1])


def test_several_videos_may_be_made_of_one_file(tmp_path):
    (tmp_path / 'labels').mkdir()
    video(tmp_path / 'one.mp4')
    footage = Footage(Source(tmp_path / 'labels'), videos=Source(tmp_path / 'one.mp4'))
    for name in ('day', 'night', 'day'):
        assert len(footage.frames(name, 'one.mp4')) == 3


def test_two_folders_of_a_name_are_none(tmp_path):
    pictures(tmp_path / 'a/street')
    pictures(tmp_path / 'b/street')
    footage = Footage(Source(tmp_path))
    assert footage.frames('street') is None
    assert names(footage, 'a/street') == ['a/street/0.png', 'a/street/1.png']
    assert 'give their folder with --frames' in str(footage.missing('street'))


def test_a_video_in_an_archive(tmp_path):
    video(tmp_path / 'x/street.mp4')
    shutil.make_archive(str(tmp_path / 'x'), 'zip', tmp_path / 'x')
    with pytest.raises(UserError, match='unpack the archive'):
        Footage(Source(tmp_path / 'x.zip')).frames('street')


def test_a_picture_by_the_end_of_its_path(tmp_path):
    for folder in ('images/train/a', 'images/val/a', 'images/val/b'):
        pictures(tmp_path / folder, count=1)
    footage = Footage(Source(tmp_path))
    assert footage.picture('b/0.png').name == 'images/val/b/0.png'
    assert footage.picture('C:\\data\\b\\0.png').name == 'images/val/b/0.png'
    assert footage.picture('val/a/0.png').name == 'images/val/a/0.png'
    assert footage.picture('c/0.png') is None
    assert footage.picture('../b/1.png') is None
    assert footage.picture('a/0.png', near={'train'}).name == 'images/train/a/0.png'
    with pytest.raises(UserError, match=r'a/0\.png could be images/train/a/0\.png or images/val'):
        footage.picture('a/0.png')


def test_the_folder_that_is_given_counts_as_the_last_one(tmp_path):
    pictures(tmp_path / 'frames/a', count=1)
    footage = Footage(Source(tmp_path / 'frames'), Source(tmp_path / 'frames/a'))
    assert footage.picture('a/0.png').name == '0.png'
    assert footage.picture('b/0.png') is None
    videos = Footage(Source(tmp_path / 'frames'), videos=Source(tmp_path / 'frames'))
    assert videos.picture('a/0.png') is None
