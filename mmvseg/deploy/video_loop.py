"""What the loops over the frames of a video have in common, whatever ties the frames together."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from mmvseg.errors import UserError
from mmvseg.structures import VideoResult

from .frames import FrameGeometry
from .manifest import Manifest
from .sessions import Network


class VideoLoop(ABC):
    """Takes a video frame by frame and then says what is in it.

    Args:
        networks: by name, those of :data:`.manifest.NETWORKS`.
        manifest: of the model.
        geometry: sizes of the frames.
        name: of the video, for messages.
    """

    def __init__(
        self,
        networks: Mapping[str, Network],
        manifest: Manifest,
        geometry: FrameGeometry,
        name: str,
    ) -> None:
        self._networks, self._manifest = networks, manifest
        self._geometry, self._name = geometry, name

    @abstractmethod
    def add(self, frame: np.ndarray) -> None:
        """Take the next frame, (3, H, W).

        Raises:
            UserError: the networks give numbers that are not finite.
        """

    @abstractmethod
    def result(self) -> VideoResult:
        """The result of the video."""

    def _require_finite(self, outputs: tuple[np.ndarray, ...], frame: int) -> None:
        """Stop before damaged numbers become a result; the message names video and frame."""
        if not all(np.isfinite(output).all() for output in outputs):
            raise UserError(
                f'video {self._name!r}, frame {frame}: what the network gives is not finite; the '
                'weights of the exported model may be damaged'
            )
