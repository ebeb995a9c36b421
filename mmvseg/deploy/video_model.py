"""An exported model as a program uses it: a video in, its tracks out, without torch."""

import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mmvseg.errors import UserError
from mmvseg.files import user_path
from mmvseg.media import DamagedVideoWarning, FrameSource, as_source, checked_frames
from mmvseg.results import SegmentedVideo

from .clips import ClipVideo
from .frames import FrameGeometry, prepare, require_size
from .manifest import NETWORKS, Manifest, read_folder
from .sessions import Network
from .videos import OfflineVideo, OnlineVideo

_VIDEOS = dict(refined=OfflineVideo, clip=ClipVideo)


class DeployedModel:
    """The networks that ``mmvseg export`` wrote, run by onnxruntime.

    Args:
        path: the file ``.onnx``, or the folder of a model of several networks.
        providers: of onnxruntime, in the order of preference.
        threads: of the processor; None: all cores.

    Raises:
        UserError: nothing there can be loaded, or it was not written by ``mmvseg export``.

    Example:
        ``mmvseg export MODEL CHECKPOINT --out model.onnx`` writes the file. It is not run here, as
        the export takes some time.

        >>> model = DeployedModel('model.onnx')  # doctest: +SKIP
        >>> model(CLIP).above(0.5).count()  # doctest: +SKIP
        Counter({'square': 1, 'ring': 1, 'star': 1, 'cross': 1})

    Attributes:
        manifest: what is known of the model.
    """

    def __init__(
        self,
        path: str | Path,
        providers: Sequence[str] = ('CPUExecutionProvider',),
        threads: int | None = None,
    ) -> None:
        path = user_path(path)
        if path.is_dir():
            self.manifest: Manifest = read_folder(path)
            files = {name: path / f'{name}.onnx' for name in NETWORKS[self.manifest.kind]}
            self._networks = {
                name: Network(file, providers, threads) for name, file in files.items()
            }
            for name, network in self._networks.items():
                network.require_name(name)
            return
        network = Network(path, providers, threads)
        self.manifest = network.manifest
        name, *others = NETWORKS[self.manifest.kind]
        if others:
            raise UserError(
                f'{path}: is one of several networks of a {self.manifest.model}; give the folder '
                f'it was exported to, {path.parent}'
            )
        self._networks = {name: network}

    def __repr__(self) -> str:
        size = self.manifest.input.size
        taken = 'any size' if size is None else f'{size[0]}x{size[1]}'
        return f'DeployedModel({self.manifest.model}, {len(self.classes)} classes, {taken})'

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by class index."""
        return self.manifest.metainfo['classes']

    def __call__(
        self, source: str | Path | Iterable[Any] | FrameSource, *, fps: float | None = None
    ) -> SegmentedVideo:
        """Segment one video.

        Args:
            source: whatever :class:`mmvseg.apis.VideoSegInferencer` takes: a video file, a folder
                of frames, or frames in memory, RGB uint8 (H, W, 3).
            fps: frame rate of frames that carry no times.

        Returns:
            The tracks, of the same type as the inferencer's. A video that breaks off gives a
            ``DamagedVideoWarning`` and the result of the frames before.

        Raises:
            UserError: nothing can be read, or the networks do not take frames of this size.
        """
        source = as_source(source, fps)
        geometry = FrameGeometry.of(tuple(source.size), self.manifest.input)
        require_size(geometry, self.manifest.input, source.name)
        kind = _VIDEOS.get(self.manifest.kind, OnlineVideo)
        video, seconds = kind(self._networks, self.manifest, geometry, source.name), []
        for frame in checked_frames(source):
            video.add(prepare(frame.image, geometry, self.manifest.input))
            seconds.append(frame.seconds)
        if not seconds:
            raise UserError(f'{source.name}: no frames')
        if source.damage:
            warnings.warn(source.damage, DamagedVideoWarning, stacklevel=2)
        return SegmentedVideo(
            video.result(), self.manifest.metainfo, source.name, tuple(source.size), seconds
        )
