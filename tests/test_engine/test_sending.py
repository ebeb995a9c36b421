"""Windows on their way to a GPU, whose streams and memory are played here."""

import threading
from contextlib import closing, contextmanager
from types import SimpleNamespace

import pytest
import torch
from dvis_models import video, windows

from mmvseg.engine.sending import send_ahead
from mmvseg.structures import VideoWindow

GPU = torch.device('cuda', 0)


class Stream:
    def __init__(self, name, log):
        self.name, self.log = name, log

    def record_event(self):
        return f'copied by {self.name}'

    def wait_event(self, event):
        self.log.append(f'{self.name} waits: {event}')


class Frames:
    """Frames of a window, noting what becomes of them."""

    is_cuda = False

    def __init__(self, number, log, place='memory'):
        self.number, self.log, self.place = number, log, place

    def pin_memory(self):
        return Frames(self.number, self.log, 'pinned memory')

    def to(self, device, non_blocking):
        stream = self.log.current.name
        self.log.append(f'{self.number}: {self.place} to {device} by {stream}, {non_blocking}')
        self.log.threads.add(threading.current_thread().name)
        return Frames(self.number, self.log, 'device')

    def record_stream(self, stream):
        self.log.append(f'{self.number}: used by {stream.name}')


class Log(list):
    current = None
    threads: set


@pytest.fixture
def log(monkeypatch):
    log = Log()
    log.threads = set()
    compute = Stream('compute', log)
    log.current = compute

    @contextmanager
    def stream(chosen):
        log.current = chosen
        yield
        log.current = compute

    for name, fake in dict(
        Stream=lambda device: Stream(f'side stream of {device}', log),
        stream=stream,
        current_stream=lambda device: compute,
    ).items():
        monkeypatch.setattr(torch.cuda, name, fake)
    return log


def played(log, count):
    return (VideoWindow(Frames(n, log), SimpleNamespace(number=n)) for n in range(count))


def test_without_a_gpu_windows_come_as_they_are():
    given = list(windows(video(4), 2))
    threads = threading.active_count()
    assert list(send_ahead(iter(given), torch.device('cpu'))) == given
    assert threading.active_count() == threads


def test_frames_are_copied_from_pinned_memory_by_a_side_stream(log):
    found = list(send_ahead(played(log, 3), GPU))
    assert [window.sample.number for window in found] == [0, 1, 2]
    assert {window.frames.place for window in found} == {'device'}
    by_model = [entry for entry in log if 'compute' in entry]
    for number in range(3):
        assert f'{number}: pinned memory to cuda:0 by side stream of cuda:0, True' in log
        # what the memory was copied to stays until the model's stream is through with it
        waited = ['compute waits: copied by side stream of cuda:0', f'{number}: used by compute']
        assert by_model[2 * number : 2 * number + 2] == waited
    assert log.threads == {'prefetch'}  # the model's thread is not held up


def test_windows_are_taken_one_ahead(log):
    taken = []
    source = (taken.append(window.sample.number) or window for window in played(log, 9))
    with closing(send_ahead(source, GPU)) as ahead:
        next(ahead)
        for thread in threading.enumerate():
            if thread.name == 'prefetch':
                thread.join(0.2)
        assert len(taken) <= 4  # this one, one that waits, one in the thread's hand
    assert not any(thread.name == 'prefetch' for thread in threading.enumerate())


def test_an_error_comes_in_its_place(log):
    def broken():
        yield from played(log, 1)
        raise ValueError('frame 4')

    ahead = send_ahead(broken(), GPU)
    assert next(ahead).sample.number == 0
    with pytest.raises(ValueError, match='frame 4'):
        next(ahead)
