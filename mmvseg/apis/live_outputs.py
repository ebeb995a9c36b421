"""What a live run leaves behind frame by frame: an overlay, lines of text, maps, a window."""

import json
import sys
import time
from collections import deque
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np

from mmvseg.errors import counted, say
from mmvseg.files import file_errors
from mmvseg.media import Frame, FrameSource, VideoWriter
from mmvseg.visualization.exports import write_id_map
from mmvseg.visualization.live_window import LiveWindow
from mmvseg.visualization.painters import Painter

from .reports import Report

_SECONDS_BETWEEN_RATES = 2.0


class LiveOutputs:
    """Takes frames with their results and writes or shows them at once.

    All that was written stays, and can be read, however the run ends.

    Args:
        source: gives name, frame rate and shape of the pixels.
        painter: draws the overlay.
        video: overlay to write, an mp4; None for none.
        lines: file for one JSON object a frame and line; None for none.
        maps: folder for a PNG of ids a frame; None for none.
        window: whether to show the overlay on the screen.

    Attributes:
        num_frames: frames so far.
        num_entries: tracks, segments or classes in them, together.

    Raises:
        UserError: if a file cannot be written or no window can be shown.
    """

    def __init__(
        self,
        source: FrameSource,
        painter: Painter,
        *,
        video: Path | None = None,
        lines: Path | None = None,
        maps: Path | None = None,
        window: bool = False,
    ) -> None:
        self.num_frames = self.num_entries = 0
        self._painter, self._maps = painter, maps
        self._video_path, self._lines_path = video, lines
        self._source, self._video = source, None
        with ExitStack() as contexts:
            self._window = None
            if window:
                shown = LiveWindow(source.name, float(source.pixel_aspect))
                self._window = contexts.enter_context(shown)
            self._lines, self._written = None, 0
            if lines:
                with file_errors(lines):
                    lines.parent.mkdir(parents=True, exist_ok=True)
                    self._lines = contexts.enter_context(lines.open('wb', buffering=0))
            self._rate = contexts.enter_context(RateReport())
            self._contexts = contexts.pop_all()

    def take(self, frame: Frame, report: Report) -> bool:
        """Write and show a frame.

        Args:
            frame: the picture and its time.
            report: of this frame alone.

        Returns:
            False once the user has closed the window.
        """
        entries = report.line()
        if self._lines:
            line = dict(frame=frame.index, seconds=round(frame.seconds, 6))
            with file_errors(self._lines_path):
                self._write_line(json.dumps(line | {report.noun: entries}))
        if self._maps:
            path = map_path(self._maps, frame.index)
            ids = report.id_map(0, frame.image.shape[:2])
            colors = report.colors()
            # Only classes are known beforehand, and all files of a video should be of one kind.
            wide = report.noun != 'classes' or max(colors) > 255
            write_id_map(path, ids, colors, wide=wide)
        going_on = True
        if self._video_path or self._window:
            drawn = self._painter.draw(frame.image, report.result, 0)
            if self._video_path:
                self._write(drawn, frame.seconds)
            if self._window:
                going_on = self._window.show(drawn)
        self._rate.advance()
        self.num_frames, self.num_entries = self.num_frames + 1, self.num_entries + len(entries)
        return going_on

    def __enter__(self) -> 'LiveOutputs':
        return self

    def __exit__(self, *error) -> bool | None:
        return self._contexts.__exit__(*error)

    def _write_line(self, text: str) -> None:
        """Append a line, whole or not at all."""
        rest = memoryview(f'{text}\n'.encode())
        before = self._written
        try:
            while rest:
                rest = rest[self._lines.write(rest) :]
            self._written = before + len(text) + 1
        except OSError:
            with suppress(OSError):  # a pipe keeps what it has
                self._lines.truncate(before)
            raise

    def _write(self, drawn: np.ndarray, seconds: float) -> None:
        if self._video is None:
            fps, aspect = self._source.fps, self._source.pixel_aspect
            writer = VideoWriter(self._video_path, fps, pixel_aspect=aspect, growing=True)
            self._video = self._contexts.enter_context(writer)
        self._video.write(drawn, seconds)


def map_path(folder: Path, frame: int) -> Path:
    """Where the id map of a frame goes."""
    return folder / f'{frame:05d}.png'


class RateReport:
    """Says on stderr every two seconds how many frames a second are done.

    Attributes:
        count: frames so far.
    """

    def __init__(self) -> None:
        self.count = 0
        self._times_s: deque[float] = deque([time.monotonic()], maxlen=31)
        self._start_s = self._said_s = self._times_s[0]

    def advance(self) -> None:
        """Count a frame as done."""
        self.count += 1
        now_s = time.monotonic()
        self._times_s.append(now_s)
        if now_s - self._said_s >= _SECONDS_BETWEEN_RATES:
            self._said_s = now_s
            say(f'live: frame {self.count}, {self.fps:.1f} frames/s', sys.stderr)

    @property
    def fps(self) -> float:
        """Frames a second, over the last 30."""
        elapsed_s = self._times_s[-1] - self._times_s[0]
        return (len(self._times_s) - 1) / max(elapsed_s, np.finfo(float).eps)

    def __enter__(self) -> 'RateReport':
        return self

    def __exit__(self, *error) -> None:
        elapsed_s = time.monotonic() - self._start_s
        rate = self.count / max(elapsed_s, np.finfo(float).eps)
        say(
            f'live: {counted(self.count, "frames")} in {elapsed_s:.1f} s, {rate:.1f} frames/s',
            sys.stderr,
        )
