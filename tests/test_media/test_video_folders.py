"""Which videos a user means."""

import pytest
from squares import square_frame, write_frames

from mmvseg.errors import UserError
from mmvseg.media import each_video, open_source


@pytest.fixture
def folder(tmp_path):
    """Three files, a folder of frames, and things that are no video."""
    for name in ('b10.mp4', 'b2.MOV', 'a.webm', '.hidden.mp4', 'notes.txt', 'gt.json'):
        (tmp_path / name).write_bytes(b'')
    write_frames(tmp_path / 'frames', 2)
    (tmp_path / 'empty').mkdir()
    write_frames(tmp_path / '.cache', 1)
    return tmp_path


def names(videos):
    return [video.name for video in videos]


def test_a_folder_of_videos_in_natural_order(folder):
    assert names(each_video(folder)) == ['a.webm', 'b2.MOV', 'b10.mp4', 'frames']
    assert names(each_video(str(folder))) == ['a.webm', 'b2.MOV', 'b10.mp4', 'frames']


def test_a_folder_of_frames_is_one_video(folder):
    frames = folder / 'frames'
    (frames / 'preview.mp4').write_bytes(b'')
    assert list(each_video(frames)) == [frames]


def test_other_things_stay_as_they_are(folder):
    given = ['rtsp://host/street', 'frames/*.png', 0, [square_frame(0)], folder / 'a.webm']
    found = list(each_video([*given, folder]))
    assert all(mine is theirs for mine, theirs in zip(found, given, strict=False))
    assert len(found) == len(given) + 4


def test_a_folder_without_videos_is_the_error_of_its_reader(folder):
    assert list(each_video(folder / 'empty')) == [folder / 'empty']
    (folder / 'empty' / 'street.mp4').write_bytes(b'')
    with pytest.raises(UserError, match=r'no frames .*; it holds videos, give one of them'):
        open_source(folder / 'empty')
