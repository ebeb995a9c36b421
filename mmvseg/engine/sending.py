"""Windows on their way to a GPU while it is busy with those before."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace

import torch

from mmvseg.media.prefetch import prefetch
from mmvseg.ops import upload
from mmvseg.structures import VideoWindow


def send_ahead(windows: Iterable[VideoWindow], device: torch.device) -> Generator[VideoWindow]:
    """Windows whose frames are on the device, or will be when its next work begins.

    A thread takes the windows, one ahead of the model, and copies them from pinned memory in a
    stream of its own; the model's stream waits for the copy, the CPU does not.

    Args:
        windows: in order.
        device: of the model; without a GPU the windows come as they are.
    """
    if device.type != 'cuda':
        yield from windows
        return
    with closing(prefetch(_sent(windows, device), depth=1)) as sent:
        for window, done in sent:
            stream = torch.cuda.current_stream(device)
            stream.wait_event(done)
            window.frames.record_stream(stream)  # its memory is free when this stream is through
            yield window


def _sent(
    windows: Iterable[VideoWindow], device: torch.device
) -> Iterator[tuple[VideoWindow, torch.cuda.Event]]:
    """The windows with their frames on the device, and when the copy will be done."""
    stream = torch.cuda.Stream(device)
    for window in windows:
        with torch.cuda.stream(stream):
            frames = upload(window.frames, device)
            done = stream.record_event()
        yield replace(window, frames=frames), done
