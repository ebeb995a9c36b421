import re
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from squares import square_frame, write_frames

from mmvseg.errors import UserError
from mmvseg.media import Frame, FrameList, as_source, checked_frames, open_source

FRAMES = [square_frame(index) for index in range(3)]
VIDEO = np.stack(FRAMES)
GREY = VIDEO[..., 1]


def with_alpha(video):
    return np.concatenate([video, np.full_like(video[..., :1], 7)], axis=-1)


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        (FRAMES, VIDEO),
        (tuple(FRAMES), VIDEO),
        (VIDEO, VIDEO),
        (torch.from_numpy(VIDEO), VIDEO),
        ([torch.from_numpy(frame) for frame in FRAMES], VIDEO),
        ([Image.fromarray(frame) for frame in FRAMES], VIDEO),
        (with_alpha(VIDEO), VIDEO),
        (list(with_alpha(VIDEO)), VIDEO),
        ([Image.fromarray(frame) for frame in with_alpha(VIDEO)], VIDEO),
        (list(GREY), GREY[..., None].repeat(3, 3)),
        (GREY[..., None], GREY[..., None].repeat(3, 3)),
        ([Image.fromarray(frame) for frame in GREY], GREY[..., None].repeat(3, 3)),
        ([FRAMES[0], Image.fromarray(FRAMES[1]), with_alpha(VIDEO)[2]], VIDEO),
        (FRAMES[0], VIDEO[:1]),
        (Image.fromarray(FRAMES[0]), VIDEO[:1]),
        (GREY[0], GREY[:1, ..., None].repeat(3, 3)),
    ],
)
def test_what_is_taken(given, expected):
    source = FrameList(given)
    frames = list(source)
    assert (source.length, source.size) == (len(expected), (48, 64))
    assert [frame.index for frame in frames] == list(range(len(expected)))
    for frame, image in zip(frames, expected, strict=True):
        assert frame.image.dtype == np.uint8
        np.testing.assert_array_equal(frame.image, image)
    assert [frame.seconds for frame in frames] == pytest.approx(np.arange(len(expected)) / 6)


def test_paths_and_palettes_are_read_as_their_colours(tmp_path):
    folder = write_frames(tmp_path / 'frames', 3)
    paths = sorted(folder.iterdir())
    colours = Image.fromarray(FRAMES[2]).convert('P', palette=Image.Palette.ADAPTIVE)
    frames = [frame.image for frame in FrameList([paths[0], str(paths[1]), colours])]
    np.testing.assert_array_equal(frames, VIDEO)


def test_paths_of_16_bits_have_the_scale_of_a_folder(tmp_path):
    folder = tmp_path / 'frames'
    folder.mkdir()
    paths = [str(folder / f'{index}.png') for index in range(2)]
    for path, value in zip(paths, (1000, 4095), strict=True):
        cv2.imwrite(path, np.full((4, 4), value, np.uint16))
    frames = [frame.image for frame in as_source(paths)]
    np.testing.assert_array_equal(frames, [frame.image for frame in open_source(folder)])
    assert frames[1].max() == 255
    with pytest.raises(UserError, match='frame 1: uint16 is not uint8'):
        list(FrameList([VIDEO[0, :4, :4], paths[0]]))


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        ([], 'no frames'),
        (VIDEO[:0], 'no frames'),
        (VIDEO / 255, 'frame 0: float64 is not uint8, 0 to 255; if they are 0 to 1: (255'),
        ([FRAMES[0] / np.float32(255)], 'frame 0: float32 is not uint8'),
        (torch.rand(2, 3, 8, 8), 'frame 0: float32 is not uint8'),
        (torch.rand(2, 8, 8, 3).bfloat16(), 'torch.bfloat16'),
        (VIDEO.astype(np.uint16) * 16, 'uint16 is not uint8, 0 to 255; of 16 bits: (frames >> 8)'),
        (VIDEO.astype(np.int64), 'int64 is not uint8, 0 to 255; convert'),
        (VIDEO > 100, 'bool is not uint8'),
        (VIDEO.transpose(0, 3, 1, 2), 'the shape is (3, 48, 64), not (H, W)'),
        (VIDEO.transpose(0, 3, 1, 2), 'move the channels to the end'),
        ([FRAMES[0][..., :2]], 'the shape is (48, 64, 2)'),
        ([FRAMES[0][:0]], 'the shape is (0, 64, 3)'),
        ([FRAMES[0], None], 'frame 1: a NoneType is no picture'),
        ([FRAMES[0], FRAMES[1][:40]], 'frame 1 is 64x40 pixels, the frames before it are 64x48'),
        ([Image.fromarray(GREY[0].astype(np.uint16))], "Pillow's mode 'I;16' has no known range"),
        (GREY, 'an array of shape (3, 48, 64) is no video'),
        (None, 'a NoneType is no video: give a path'),
        ({1, 2}, 'a set is no video'),
        (3.5, 'a float is no video'),
        ({'frames': FRAMES}, 'a dict is no video'),
    ],
)
def test_what_is_refused(given, message):
    with pytest.raises(UserError, match=re.escape(message)):
        list(as_source(given))


def test_sources_of_others_are_checked_alike():
    def source(*images, **changes):
        class Frames(SimpleNamespace):
            def __iter__(self):
                return (Frame(index, 0.0, image) for index, image in enumerate(images))

        attributes = dict(name='mine', is_live=False, fps=6, size=(48, 64), length=1, damage=None)
        return Frames(**attributes | dict(frame_path=str) | changes)

    (frame,) = checked_frames(as_source(source(GREY[0])))
    np.testing.assert_array_equal(frame.image, GREY[0][..., None].repeat(3, 2))
    for images, message in (
        ([FRAMES[0] / 255], 'mine: frame 0: float64 is not uint8'),
        ([FRAMES[0], FRAMES[0][:40]], 'mine: frame 1 is 64x40 pixels'),
    ):
        with pytest.raises(UserError, match=message):
            list(checked_frames(source(*images)))
    lacking = source(FRAMES[0])
    del lacking.fps, lacking.damage
    with pytest.raises(UserError, match='no frame source: it lacks fps, damage'):
        as_source(lacking)


def test_pictures_that_are_right_are_not_copied():
    assert next(iter(FrameList(FRAMES))).image is FRAMES[0]


def test_paths_are_opened(tmp_path):
    cv2.imwrite(str(tmp_path / 'photo.png'), FRAMES[0][..., ::-1])
    assert as_source(tmp_path / 'photo.png').size == open_source(tmp_path / 'photo.png').size
    with pytest.raises(UserError, match='camera 97: cannot be opened'):
        as_source(97)
