import threading
import time

import av
import cv2
import numpy as np
import pytest
from squares import square_frame
from video_server import serve

from mmvseg.errors import UserError
from mmvseg.media import (
    CameraSource,
    FirstFrames,
    StreamSource,
    VideoFile,
    VideoWriter,
    open_source,
)


@pytest.fixture
def clip(tmp_path):
    """A file of 40 noisy frames that can be read as it comes."""
    rng = np.random.default_rng(0)
    with VideoWriter(tmp_path / 'clip.mp4', 10, growing=True) as writer:
        for index in range(40):
            noise = rng.integers(0, 99, (48, 64, 3), dtype=np.uint8)
            writer.write(square_frame(index % 14) // 2 + noise)
    return tmp_path / 'clip.mp4'


@pytest.fixture
def camera(clip, monkeypatch):
    """A file stands for camera 3."""
    capture = cv2.VideoCapture
    monkeypatch.setattr(cv2, 'VideoCapture', lambda i: capture(str(clip) if i == 3 else i))


def send_ts(port, count, stopped):
    """Broadcast a stream of ``count`` frames to a port, at a plausible pace."""
    with av.open(f'udp://127.0.0.1:{port}?pkt_size=1316', 'w', format='mpegts') as container:
        stream = container.add_stream('mpeg2video', rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, 'yuv420p'
        stream.gop_size = 5
        for index in range(count):
            image = square_frame(index % 14)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format='rgb24')))
            if stopped.wait(0.01):
                return
        container.mux(stream.encode(None))


def test_file_on_a_server_is_a_file(clip):
    expected = [frame.image for frame in VideoFile(clip)]
    with serve(faststart(clip).read_bytes()) as url:
        source = open_source(url)
        assert not source.is_live
        assert (source.name, source.length) == ('clip', 40)
        for _ in range(2):
            frames = list(source)
            assert [frame.index for frame in frames] == list(range(40))
        assert source.damage is None
    assert frames[0].image.shape == expected[0].shape


def test_file_on_a_server_that_breaks_off(clip):
    data = faststart(clip).read_bytes()
    with serve(data, sent=len(data) // 2) as url:
        source = open_source(url)
        count = len(list(source))
        assert 5 < count < 40
        assert f'{url}: read {count} frames of 40' in source.damage


def faststart(path):
    """The same with its index in front, as files on servers should have it."""
    copy = path.with_name('copy.mp4')
    with VideoWriter(copy, 10) as writer:
        for frame in VideoFile(path):
            writer.write(frame.image)
    return copy


def test_recording_that_still_grows_is_a_stream(clip):
    with serve(clip.read_bytes(), says_length=False) as url:
        source = open_source(url)
        assert isinstance(source, StreamSource)
        assert len(list(source)) == 40


def test_stream_is_read_once_and_its_password_kept(clip):
    with serve(clip.read_bytes()) as url:
        source = StreamSource(url.replace('://', '://me:secret@'))
        assert source.is_live
        assert (source.name, source.length, source.size) == ('clip', None, (48, 64))
        frames = list(source)
        assert source.damage is None
        assert source.frame_path(3) == f'{url}#3'
        with pytest.raises(UserError, match='can be read only once') as caught:
            list(source)
    assert 'secret' not in str(caught.value)
    assert [frame.index for frame in frames] == list(range(40))
    assert frames[10].seconds == pytest.approx(1.0, abs=0.01)
    expected = list(VideoFile(clip))
    np.testing.assert_array_equal(frames[-1].image, expected[-1].image)


def test_broken_stream_keeps_its_frames_and_says_where(clip):
    data = clip.read_bytes()
    with serve(data, sent=len(data) // 2) as url:
        source = StreamSource(url)
        frames = list(source)
        assert 5 < len(frames) < 40
    assert f'clip.mp4: broke off after {len(frames)} frames' in source.damage
    assert f'at {frames[-1].seconds:.2f} s' in source.damage


def test_silent_stream_is_given_up(clip):
    data = clip.read_bytes()
    start_s = time.monotonic()
    with serve(data, sent=len(data) // 2, says_length=False, hang_s=20) as url:
        source = StreamSource(url, timeout_s=0.5)
        assert len(list(source)) > 5
    assert 'clip.mp4: broke off after' in source.damage
    assert time.monotonic() - start_s < 10


def test_udp_stream_that_ends_without_a_word():
    stopped = threading.Event()
    sender = threading.Thread(target=send_ts, args=(23471, 400, stopped))
    sender.start()
    frames = []
    try:
        source = StreamSource('udp://127.0.0.1:23471', timeout_s=1.0)
        for frame in source:
            frames.append(frame)
            if len(frames) == 20:
                stopped.set()
    finally:
        stopped.set()
        sender.join()
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert len(frames) >= 20
    assert frames[0].seconds == 0
    assert frames[-1].seconds > 0.5
    assert f'broke off after {len(frames)} frames' in source.damage
    assert 'no data for 1 s' in source.damage


@pytest.mark.parametrize(
    ('url', 'message'),
    [
        ('http://127.0.0.1:1/x.mp4', 'Connection refused'),
        ('rtsp://me:secret@127.0.0.1:1/x', r'rtsp://127\.0\.0\.1:1/x: .*Connection refused'),
        ('carrier-pigeon://x', 'Protocol not found'),
    ],
)
def test_address_that_does_not_answer(url, message):
    with pytest.raises(UserError, match=message) as caught:
        open_source(url)
    assert 'secret' not in str(caught.value)


def test_address_that_gives_no_video(clip, tmp_path):
    with serve(clip.read_bytes()) as url, pytest.raises(UserError, match='404'):
        open_source(url.replace('clip', 'other'))
    with serve(bytes(range(256)) * 40) as url, pytest.raises(UserError, match='Invalid data'):
        open_source(url)
    with pytest.raises(UserError, match=r'no data for 0\.3 s'):
        StreamSource('udp://127.0.0.1:23473', timeout_s=0.3)


def test_camera(camera, clip):
    source = open_source('3')
    assert isinstance(source, CameraSource)
    assert (source.name, source.is_live, source.size) == ('camera3', True, (48, 64))
    assert (source.length, source.fps) == (None, 10)
    frames = list(source)
    assert len(frames) == 40
    assert 'camera 3: broke off after 40 frames' in source.damage
    seconds = [frame.seconds for frame in frames]
    assert seconds[0] == 0
    assert seconds == sorted(seconds)
    expected = next(iter(VideoFile(clip))).image
    assert np.abs(frames[0].image.astype(int) - expected).mean() < 3  # RGB, and none is lost
    with pytest.raises(UserError, match='camera 3: can be read only once'):
        next(iter(source))


def test_camera_that_does_not_exist(capfd):
    with pytest.raises(UserError, match='camera 97: cannot be opened'):
        open_source('97')
    assert capfd.readouterr().err == ''


def test_number_of_a_folder_is_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / '97').mkdir()
    cv2.imwrite('97/0.png', square_frame(0))
    assert open_source('97').length == 1


def test_first_frames(clip):
    source = VideoFile(clip)
    first = FirstFrames(source, 5)
    assert (first.length, first.fps, first.size, first.name) == (5, 10, (48, 64), 'clip')
    assert [frame.index for frame in first] == [0, 1, 2, 3, 4]
    assert len(list(first)) == 5  # again
    assert first.frame_path(2) == source.frame_path(2)
    assert FirstFrames(source, 99).length == 40
