"""Pipes, and what is neither file nor pipe."""

import os
import socket
import threading
from contextlib import suppress

import numpy as np
import pytest
from squares import square_frame

from mmvseg.errors import UserError
from mmvseg.media import Picture, StreamSource, VideoWriter, open_source, pipes
from mmvseg.media.images import write_image


@pytest.fixture
def clip(tmp_path):
    """An mp4 whose index is at its end, which no pipe can go back to, and one without an index."""
    for name, growing in (('clip', False), ('grows', True)):
        with VideoWriter(tmp_path / f'{name}.mp4', 10, growing=growing) as writer:
            for index in range(7):
                writer.write(square_frame(index))
    return tmp_path / 'clip.mp4'


@pytest.fixture
def piped(tmp_path):
    """A function that makes the path of a pipe, out of which data come."""
    threads = []

    def make(data):
        path = tmp_path / f'pipe{len(threads)}'
        os.mkfifo(path)

        def write():
            with suppress(BrokenPipeError):
                path.write_bytes(data)

        threads.append(threading.Thread(target=write))
        threads[-1].start()
        return path

    yield make
    for thread in threads:
        thread.join(5)


def test_a_pipe_can_be_read_twice(clip, piped, tmp_path):
    expected = list(open_source(clip))
    source = open_source(piped(clip.read_bytes()))
    assert (source.name, source.is_live, source.length) == ('pipe0', False, 7)
    copy = source.address
    assert source.frame_path(3) == f'{tmp_path / "pipe0"}#3'
    for _ in range(2):
        for frame, other in zip(source, expected, strict=True):
            np.testing.assert_array_equal(frame.image, other.image)
    del source
    assert not os.path.exists(copy)


def test_a_pipe_of_a_live_run_is_read_as_it_comes(clip, piped):
    data = clip.with_name('grows.mp4').read_bytes()
    source = open_source(piped(data), once=True)
    assert isinstance(source, StreamSource)
    assert not source.is_live  # no frame is left out
    assert len(list(source)) == 7
    with pytest.raises(UserError, match='pipe0: can be read only once'):
        list(source)
    with pytest.raises(UserError, match=r'pipe1: no video that can be read as it comes .*save it'):
        open_source(piped(bytes(range(256)) * 99), once=True)


def test_pictures_from_a_pipe(tmp_path, piped):
    write_image(tmp_path / 'a.png', square_frame(0))
    source = open_source(piped((tmp_path / 'a.png').read_bytes()))
    assert isinstance(source, Picture)
    np.testing.assert_array_equal(next(iter(source)).image, square_frame(0))


@pytest.mark.parametrize('name', ['-', 'pipe:', 'pipe:0', '/dev/stdin'])
def test_standard_input(clip, monkeypatch, name):
    kept = os.dup(0)
    reading, writing = os.pipe()
    try:
        os.dup2(reading, 0)
        os.write(writing, clip.read_bytes())
        os.close(writing)
        source = open_source(name)
        assert (source.name, len(list(source))) == ('stdin', 7)
        with open(clip) as file:
            os.dup2(file.fileno(), 0)
        assert len(list(open_source(name))) == 7
        with open(os.devnull) as file:
            os.dup2(file.fileno(), 0)
        with pytest.raises(UserError, match='/dev/stdin: nothing is piped in'):
            open_source(name)
    finally:
        os.dup2(kept, 0)
        for descriptor in (kept, reading):
            os.close(descriptor)


def test_silent_and_endless_pipes(tmp_path, piped, monkeypatch):
    monkeypatch.setattr(pipes, 'PATIENCE_S', 0.1)
    os.mkfifo(tmp_path / 'silent')
    with pytest.raises(UserError, match=r'silent: no data for 0\.1 s; is a program writing'):
        open_source(tmp_path / 'silent')
    monkeypatch.setattr(pipes, 'MAX_BYTES', 2**20)
    monkeypatch.setattr(pipes, 'PATIENCE_S', 5)
    with pytest.raises(UserError, match=r'pipe0: more than .* GiB come out of the pipe'):
        open_source(piped(bytes(2**22)))
    for data in (bytes(2000), b'\x89PNG\r\n\x1a\n' * 9, b'II*\0' * 9):
        path = piped(data)
        with pytest.raises(UserError, match=f'^{path}: '):
            open_source(path)


def test_what_is_no_file(tmp_path, monkeypatch):
    with pytest.raises(UserError, match='/dev/zero: is a device'):
        open_source('/dev/zero')
    with pytest.raises(UserError, match='a camera is given by its number: 3'):
        open_source('/dev/video3')
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind('socket')
        with pytest.raises(UserError, match='socket: is a socket'):
            open_source('socket')
