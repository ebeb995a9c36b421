"""Frames have the times of their files, whatever these hold."""

import math
from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mmvseg.media import VideoFile, VideoWriter, is_steady, open_source
from mmvseg.media.frame_clock import FrameClock

TIMES = [0.0, 0.1, 0.5, 0.52, 2.0]


def placed(times, fps=10):
    clock = FrameClock(Fraction(fps))
    return [clock.place(time) for time in times]


@pytest.mark.parametrize(
    ('stated', 'expected'),
    [
        ([0.0, 0.1, 0.5], [0.0, 0.1, 0.5]),
        ([7.0, 7.5, 9.0], [0.0, 0.5, 2.0]),  # from the first frame on
        ([-1.0, 0.0, 2.0], [0.0, 1.0, 3.0]),
        ([None, None, None], [0.0, 0.1, 0.2]),
        ([None, 5.0, 5.5], [0.0, 0.1, 0.6]),
        ([1.0, None, 1.3], [0.0, 0.1, 0.3]),
        ([0.0, 0.1, 0.1, 0.2], [0.0, 0.1, 0.15, 0.2]),
        ([0.0, 5.0, 0.0, 0.5], [0.0, 5.0, 5.1, 5.6]),  # the clock was set anew
        ([0.0, 9e9, 9e9 + 1], [0.0, 0.1, 1.1]),
    ],
)
def test_times_never_go_back(stated, expected):
    assert placed(stated) == pytest.approx(expected)


@given(st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_any_times(stated):
    times = placed(stated)
    assert times[0] == 0
    assert all(math.isfinite(time) for time in times)
    assert times == sorted(times)


def test_a_steady_rate():
    fps = Fraction(30000, 1001)
    rounded = [round(index / fps, 3) for index in range(1000)]
    assert is_steady(rounded, fps)
    assert not is_steady([*rounded, 40.0], fps)
    assert not is_steady(TIMES, Fraction(10))


def images(count):
    return [np.full((32, 48, 3), 40 * index, np.uint8) for index in range(count)]


def pts_times(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [frame.time for frame in container.decode(stream)], float(
            stream.duration * stream.time_base
        )


def test_a_timed_video_has_its_times_and_its_end(tmp_path):
    path = tmp_path / 'out.mp4'
    with VideoWriter(path, 10, timed=True) as writer:
        for image, seconds in zip(images(5), TIMES, strict=True):
            writer.write(image, seconds, 1.5)
    times, end_s = pts_times(path)
    assert times == pytest.approx(TIMES, abs=1e-4)
    assert end_s == pytest.approx(3.5, abs=1e-3)
    source = VideoFile(path)
    assert [frame.seconds for frame in source] == pytest.approx(TIMES, abs=1e-4)
    assert source.end_s == pytest.approx(3.5, abs=1e-3)
    assert source.damage is None


@pytest.mark.parametrize('kind', ['gif', 'png', 'webp'])
def test_animated_pictures_are_videos(tmp_path, kind):
    first, *others = (Image.fromarray(image) for image in images(4))
    path = tmp_path / f'a%02d.{kind}'
    options = dict(lossless=True) if kind == 'webp' else {}
    delays = [100, 200, 300, 500]
    first.save(path, save_all=True, append_images=others, duration=delays, **options)
    for _ in range(2):
        source = open_source(path)
        frames = list(source)
        assert (source.size, len(frames)) == ((32, 48), 4)
        assert [frame.seconds for frame in frames] == pytest.approx([0, 0.1, 0.3, 0.6])
        assert source.end_s == pytest.approx(1.1)
        for frame, image in zip(frames, images(4), strict=True):
            np.testing.assert_allclose(frame.image, image, atol=2)
    renamed = path.rename(tmp_path / 'renamed.jpg')  # as the web has them
    assert len(list(open_source(renamed))) == 4


def test_pictures_that_do_not_move_are_pictures(tmp_path):
    for kind in ('png', 'webp', 'tif'):
        Image.fromarray(images(2)[1]).save(tmp_path / f'a.{kind}', **dict(save_all=True))
        assert open_source(tmp_path / f'a.{kind}').paths == [str(tmp_path / f'a.{kind}')]


def write_ts(path, count, height, width):
    """Frames that are bright above and of a grey that tells their index below."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('libx264', rate=25, options=dict(crf='1', bf='0'))
        stream.height, stream.width, stream.pix_fmt = height, width, 'yuv420p'
        for index in range(count):
            image = np.full((height, width, 3), 20 * index, np.uint8)
            image[: height // 2] = 200
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')))
        container.mux(stream.encode(None))
    return path.read_bytes()


def test_sizes_that_change_are_scaled_to_the_first(tmp_path):
    path = tmp_path / 'both.ts'
    path.write_bytes(
        write_ts(tmp_path / 'a.ts', 6, 48, 64) + write_ts(tmp_path / 'b.ts', 5, 32, 80)
    )
    with av.open(str(path)) as container:
        expected = [
            (frame.width, frame.to_ndarray(format='rgb24', width=64, height=48))
            for frame in container.decode(video=0)
        ]
    index = [width for width, _ in expected].index(80)
    source = VideoFile(path)
    for _ in range(2):
        frames = list(source)
        for frame, (_, image) in zip(frames, expected, strict=True):
            np.testing.assert_array_equal(frame.image, image)
        assert [frame.seconds for frame in frames] == sorted({f.seconds for f in frames})
        assert source.damage is None
        changes = [note for note in source.notes if 'size changes' in note]
        assert len(changes) == 1  # said once
        assert f'frame {index} is 80x32 pixels, the first 64x48; frames of other' in changes[0]
        assert len(source.notes) == 2
        assert 'frames may be damaged (incomplete data at' in source.notes[1]  # the joint
