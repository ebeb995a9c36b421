"""Which files are frames, and how paths are written."""

import os

import cv2
import numpy as np
import pytest

from mmvseg.errors import UserError
from mmvseg.media import VideoWriter, open_source


def save(*paths):
    for path in paths:
        os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
        done, data = cv2.imencode('.png', np.zeros((8, 8, 3), np.uint8))
        assert done
        with open(path, 'wb') as file:
            file.write(data)


def names(source):
    return [os.path.basename(path) for path in source.paths]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    'mask', ['{}_mask', '{}.mask', '{}-seg', '{}_gtFine_labelIds', '{}_GT', 'mask_{}']
)
def test_masks_beside_frames_are_left_out(mask):
    frames = [f'shot_{number}' for number in (1, 2, 10)]
    if 'gtFine' in mask:
        frames = [f'{frame}_gtFine' for frame in frames]
        mask = '{}_labelIds'
    save(*(f'v/{name}.png' for frame in frames for name in (frame, mask.format(frame))))
    source = open_source('v')
    assert names(source) == [f'{frame}.png' for frame in frames]
    assert source.notes[0].startswith(f'v: 3 frames; left out: {mask.format(frames[0])}.png, ')
    # by a pattern they are frames like any other
    pattern = '*' + mask.format('*').strip('*') + '*.png'
    assert open_source(f'v/{pattern}').length == 3


def test_what_is_no_picture_is_named():
    save('v/1.PNG', 'v/2.png', 'v/._1.png', 'v/Thumbs.db', 'v/.DS_Store')
    source = open_source('v')
    assert names(source) == ['1.PNG', '2.png']
    assert source.notes == ['v: 2 frames; left out: ._1.png, Thumbs.db']
    save('w/mask_1.png', 'w/mask_2.png', 'w/a_mask.png')  # of no frame
    assert open_source('w').length == 3
    assert open_source('w').notes == []


def test_two_pictures_of_one_frame():
    save('v/1.jpg', 'v/1.png')
    with pytest.raises(
        UserError, match=r'v: 1\.jpg and 1\.png are two .*pattern such as "\*\.jpg"'
    ):
        open_source('v')
    assert names(open_source('v/*.png')) == ['1.png']


def test_patterns_of_ffmpeg():
    save(*(f'v/f{number:03d}.png' for number in (0, 1, 9, 10, 1000)), 'v/f1.png', 'v/fx.png')
    assert names(open_source('v/f%03d.png')) == [
        *('f000.png', 'f001.png', 'f009.png', 'f010.png', 'f1000.png')
    ]
    assert open_source('v/f%d.png').length == 6
    assert open_source('v/f%d.png').name == 'v'
    with pytest.raises(UserError, match='no such file or folder'):
        open_source('v/g%03d.png')
    with pytest.raises(UserError, match='no such file or folder'):
        open_source('w/%03d.png')
    save('f%03d.png')  # a file is a file
    assert names(open_source('f%03d.png')) == ['f%03d.png']


def test_patterns_of_videos():
    write_video('a.mp4')
    with pytest.raises(UserError, match=r'a pattern names pictures.* found a\.mp4'):
        open_source('*.mp4')


def write_video(path):
    with VideoWriter(path, 5) as writer:
        writer.write(np.full((16, 16, 3), 99, np.uint8))


@pytest.mark.parametrize(
    'name',
    ['12:30:05 rec.mp4', 'a%02d.mp4', '-x.mp4', 'pipe:0.mp4', 'http:x.mp4', '#1?.mp4', 'ä ².mp4'],
)
def test_files_may_have_any_name(name):
    write_video(name)
    for path in (name, os.path.abspath(name), f'file:{name}', f'file://{os.path.abspath(name)}'):
        assert len(list(open_source(path))) == 1
    assert os.listdir() == [name]


def test_addresses_of_files_as_browsers_write_them(here):
    write_video('a b.mp4')
    assert len(list(open_source(f'file://{here}/a%20b.mp4'))) == 1
    with pytest.raises(UserError, match='no such file'):
        open_source(f'file://{here}/b.mp4')


def test_names_that_no_text_has(here):
    write_video('a.mp4')
    os.rename(b'a.mp4', b'\xff.mp4')
    assert len(list(open_source(os.fsdecode(b'\xff.mp4')))) == 1
    with pytest.raises(UserError):
        open_source('a\0b.mp4')
    with pytest.raises(UserError, match='no such file'):
        open_source('9' * 30)  # no camera


@pytest.mark.parametrize('source', ['v', 'v/*.png', 'v/%d.png'])
@pytest.mark.parametrize('target', ['2.png', 'gone.png'])  # the first is the link itself
def test_links_that_lead_nowhere_are_missing_frames(source, target):
    save('v/1.png', 'v/3.png')
    os.symlink(target, 'v/2.png')
    with pytest.raises(UserError, match=r'2\.png: cannot be read'):
        list(open_source(source))
