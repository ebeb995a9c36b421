"""What a live run leaves behind frame by frame: an overlay, lines of tracks, a window, its rate."""

import json
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from mmvseg.files import file_errors
from mmvseg.structures import VideoInstances
from mmvseg.visualization import Frame, FrameSource, VideoWriter, draw_objects, frame_objects
from mmvseg.visualization.live_window import LiveWindow

_SECONDS_BETWEEN_RATES = 2.0


class LiveOutputs:
    """Takes frames with their objects and writes or shows them at once.

    All that was written stays, and can be read, however the run ends.

    Args:
        source: gives name and frame rate.
        classes: class names by label.
        category_ids: ids of the classes in annotation files.
        video: overlay to write, an mp4; None for none.
        tracks: file for one JSON object a frame and line; None for none.
        window: whether to show the overlay on the screen.

    Raises:
        UserError: if a file cannot be written or no window can be shown.
    """

    def __init__(
        self,
        source: FrameSource,
        classes: Sequence[str],
        category_ids: Sequence[int],
        *,
        video: Path | None = None,
        tracks: Path | None = None,
        window: bool = False,
    ) -> None:
        self._classes, self._category_ids = classes, category_ids
        self._video_path, self._tracks_path = video, tracks
        self._fps, self._video = source.fps, None
        with ExitStack() as contexts:
            self._window = contexts.enter_context(LiveWindow(source.name)) if window else None
            self._lines = None
            if tracks:
                with file_errors(tracks):
                    tracks.parent.mkdir(parents=True, exist_ok=True)
                    self._lines = contexts.enter_context(tracks.open('w'))
            self._rate = contexts.enter_context(RateReport())
            self._contexts = contexts.pop_all()

    def take(self, frame: Frame, objects: VideoInstances) -> bool:
        """Write and show a frame.

        Args:
            frame: the picture and its time.
            objects: what is to be seen, tubes of one frame.

        Returns:
            False once the user has closed the window.
        """
        if self._lines:
            with file_errors(self._tracks_path):
                self._lines.write(json.dumps(self._line(frame, objects)) + '\n')
                self._lines.flush()
        going_on = True
        if self._video_path or self._window:
            drawn = draw_objects(frame.image, frame_objects(objects, 0, self._classes))
            if self._video_path:
                self._write(drawn, frame.seconds)
            if self._window:
                going_on = self._window.show(drawn)
        self._rate.advance()
        return going_on

    def __enter__(self) -> 'LiveOutputs':
        return self

    def __exit__(self, *error) -> bool | None:
        return self._contexts.__exit__(*error)

    def _write(self, drawn: np.ndarray, seconds: float) -> None:
        if self._video is None:
            writer = VideoWriter(self._video_path, self._fps, growing=True)
            self._video = self._contexts.enter_context(writer)
        self._video.write(drawn, seconds)

    def _line(self, frame: Frame, objects: VideoInstances) -> dict:
        tracks = []
        entries = objects.to_youtube_vis(1, self._category_ids)
        for entry, label, track in zip(entries, objects.labels, objects.track_ids, strict=True):
            (segmentation,) = entry['segmentations']
            tracks.append(
                dict(
                    track_id=int(track),
                    category=self._classes[label],
                    category_id=entry['category_id'],
                    score=entry['score'],
                    segmentation=segmentation,
                )
            )
        return dict(frame=frame.index, seconds=round(frame.seconds, 6), tracks=tracks)


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
            print(f'live: frame {self.count}, {self.fps:.1f} frames/s', file=sys.stderr, flush=True)

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
        print(
            f'live: {self.count} frames in {elapsed_s:.1f} s, {rate:.1f} frames/s',
            file=sys.stderr,
            flush=True,
        )
