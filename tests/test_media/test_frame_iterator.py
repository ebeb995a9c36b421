"""Frames of generators and of other iterables."""

import gc
import weakref
from itertools import islice

import numpy as np
import pytest
from squares import square_frame, write_frames

from mmvseg.errors import UserError
from mmvseg.media import Frame, FrameIterator, FrameList, as_source, checked_frames, open_source

FRAMES = [square_frame(index) for index in range(4)]


class Clip:
    """Can be run through again and again."""

    def __iter__(self):
        return iter(FRAMES)


def images(source):
    return [frame.image for frame in source]


@pytest.mark.parametrize(
    'given', [(frame for frame in FRAMES), iter(FRAMES), map(np.copy, FRAMES), Clip()]
)
def test_whatever_gives_frames_one_by_one(given):
    source = as_source(given)
    assert type(source) is FrameIterator
    assert (source.size, source.length, source.is_live, source.damage) == (
        (48, 64),
        None,
        False,
        None,
    )
    frames = list(checked_frames(source))
    np.testing.assert_array_equal(images(frames), FRAMES)
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    assert [frame.seconds for frame in frames] == pytest.approx([0, 1 / 6, 2 / 6, 3 / 6])
    assert source.frame_path(2) == 'frames#2'


def test_a_generator_can_be_taken_once_other_iterables_again():
    source = as_source(frame for frame in FRAMES)
    assert len(list(source)) == 4
    with pytest.raises(UserError, match='a generator can be taken only once; make a new one'):
        next(iter(source))
    clip = as_source(Clip())
    assert [len(list(clip)), len(list(clip))] == [4, 4]


def test_one_frame_is_held_at_a_time():
    made = weakref.WeakSet()

    class Watched(np.ndarray):
        __hash__ = object.__hash__

    def generate():
        for index in range(50):
            image = square_frame(index % 4).view(Watched)
            made.add(image)
            yield image
            del image

    most = 0
    for frame in as_source(generate()):
        del frame
        gc.collect(0)
        most = max(most, len(made))
    assert 1 <= most <= 3


def test_frames_of_a_source_keep_their_times(tmp_path):
    write_frames(tmp_path / 'street')
    part = list(as_source(islice(open_source(tmp_path / 'street', 25), 2, 5)))
    assert [frame.index for frame in part] == [0, 1, 2]
    assert [frame.seconds for frame in part] == pytest.approx([0.08, 0.12, 0.16])
    np.testing.assert_array_equal(part[0].image, square_frame(2))
    listed = as_source([Frame(7, 3.5, FRAMES[0]), Frame(8, 4.0, FRAMES[1])])
    assert type(listed) is FrameList
    assert [(frame.index, frame.seconds) for frame in listed] == [(0, 3.5), (1, 4.0)]


def test_paths_one_by_one(tmp_path):
    write_frames(tmp_path / 'street')
    found = images(as_source(path for path in sorted((tmp_path / 'street').iterdir())))
    np.testing.assert_array_equal(found, [square_frame(index) for index in range(7)])


@pytest.mark.parametrize(
    ('frames', 'message'),
    [
        ([], 'no frames .the iterator is empty'),
        ([FRAMES[0] / 255], 'frame 0: float64 is not uint8'),
        ([*FRAMES, None], 'frame 4: a NoneType is no picture'),
        ([FRAMES[0], FRAMES[1][:40]], 'frame 1'),
    ],
)
def test_frames_that_cannot_be_taken(frames, message):
    with pytest.raises(UserError, match=message):
        list(as_source(iter(frames)))


def test_the_rate_of_frames_without_times(tmp_path):
    write_frames(tmp_path / 'street')
    paths = [str(path) for path in sorted((tmp_path / 'street').iterdir())]
    for given in (FRAMES, np.stack(FRAMES), iter(FRAMES), tmp_path / 'street', paths):
        source = as_source(given, fps=20)
        assert [frame.seconds for frame in source][:3] == pytest.approx([0, 0.05, 0.1])
        assert source.fps == 20
    for wrong in (0, -5, float('nan'), float('inf')):
        with pytest.raises(UserError, match='a frame rate is a number above 0'):
            as_source(FRAMES, fps=wrong)
