"""A video through the networks of queries, frame by frame, to its result."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from scipy.special import softmax

from mmvseg.structures import VideoInstances, VideoResult
from mmvseg.structures.tube_stitching import TubeStitcher

from . import masks, reports
from .frame_store import FrameStore
from .frames import FrameGeometry
from .manifest import Manifest
from .scores import probabilities
from .streams import Matched, Propagated, Tracked
from .video_loop import VideoLoop

_STREAMS = dict(matched=Matched, propagated=Propagated, tracked=Tracked)


class OnlineVideo(VideoLoop):
    """A model whose masks are final frame by frame; classes count over the video, or a stretch."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stream = _STREAMS[self._manifest.kind](self._networks, self._manifest)
        self._tubes = TubeStitcher()
        self._num_frames = 0
        self._begin()

    def _begin(self) -> None:
        self._class_logits: list[np.ndarray] = []
        self._masks = FrameStore(self._manifest.report.memory_mb)

    def add(self, frame: np.ndarray) -> None:
        """Take the next frame, (3, H, W)."""
        if self._manifest.by_stretches and len(self._masks) == self._manifest.report.stretch_frames:
            self._end_stretch()
        queries = self._stream.next(frame[None])
        self._require_finite(queries, self._num_frames)
        self._class_logits.append(queries.class_logits)
        self._masks.append(masks.decode(queries.mask_embeds, queries.mask_features))
        self._num_frames += 1

    def result(self) -> VideoResult:
        """The result of the video."""
        if self._manifest.by_stretches:
            self._end_stretch()
            return self._tubes.result()
        return report(self._manifest, self._probabilities(), self._frames, self._geometry)

    def _end_stretch(self) -> None:
        self._tubes.add_by_identity(
            report(self._manifest, self._probabilities(), self._frames, self._geometry)
        )
        self._begin()

    def _probabilities(self) -> np.ndarray:
        return probabilities(mean(self._class_logits))

    def _frames(self, queries: np.ndarray) -> Iterator[np.ndarray]:
        return (self._masks[frame][queries] for frame in range(len(self._masks)))


class OfflineVideo(VideoLoop):
    """DVIS offline: the refiner sees the whole video before anything is said of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stream = Tracked(self._networks, self._manifest)
        self._features = FrameStore(self._manifest.report.memory_mb)
        self._online_logits: list[np.ndarray] = []
        self._tracked: list[np.ndarray] = []
        self._alone: list[np.ndarray] = []

    def add(self, frame: np.ndarray) -> None:
        """Take the next frame, (3, H, W)."""
        queries = self._stream.next(frame[None])
        self._require_finite(queries, len(self._features))
        self._online_logits.append(queries.class_logits)
        self._features.append(queries.mask_features)
        self._tracked.append(self._stream.embeds)
        self._alone.append(self._stream.alone())

    def result(self) -> VideoResult:
        """The result of the video."""
        refined = self._networks['refiner'](
            tracked=np.stack(self._tracked, axis=1), frame_queries=np.stack(self._alone, axis=1)
        )
        self._refined = {name: array[0] for name, array in refined.items()}
        settings, T = self._manifest.report, len(self._features)
        if not self._manifest.by_stretches:
            return self._report(range(T))
        tubes = TubeStitcher()
        for start in range(0, T, settings.stretch_frames):
            stretch = range(start, min(start + settings.stretch_frames, T))
            tubes.add_by_identity(self._report(stretch))
        return tubes.result()

    def _report(self, frames: range) -> VideoResult:
        part = slice(frames.start, frames.stop)
        weights = softmax(self._refined['activations'][part], axis=0)  # (T, Q)
        logits = (weights[..., None] * self._refined['frame_logits'][part]).sum(0)
        probs = probabilities(logits, mean(self._online_logits[part]))

        def decoded(queries: np.ndarray) -> Iterable[np.ndarray]:
            for frame in frames:
                embeds = self._refined['mask_embeds'][frame, queries]
                yield masks.decode(embeds, self._features[frame])

        return report(self._manifest, probs, decoded, self._geometry)


def report(
    manifest: Manifest, probs: np.ndarray, frames: reports.Frames, geometry: FrameGeometry
) -> VideoInstances | VideoResult:
    """What the task wants of class probabilities (Q, K + 1) and masks."""
    if manifest.task == 'vis':
        return reports.instances(probs[:, :-1], manifest.report, frames, geometry)
    if manifest.task == 'vps':
        return reports.panoptic(probs, manifest.report, frames, geometry)
    return reports.semantic(probs[:, :-1], frames, geometry)


def mean(class_logits: list[np.ndarray]) -> np.ndarray:
    """Over frames, (Q, K + 1) float32."""
    return np.mean(class_logits, axis=0, dtype=np.float64).astype(np.float32)
