"""How a model reports a video: the checked form of a config's ``test_cfg``."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from mmvseg.errors import UserError
from mmvseg.models.postprocess.tube_limits import TubeLimits, check_count
from mmvseg.models.postprocess.vps import PanopticRules

#: Instances, panoptic segments, classes of pixels.
TASKS = ('vis', 'vps', 'vss')

Settings = TypeVar('Settings')


def read_settings(kind: type[Settings], settings: Mapping[str, Any]) -> Settings:
    """Make the dataclass ``kind`` from ``model.test_cfg``.

    Raises:
        UserError: for an unknown key or task, or if the task lacks a setting.
    """
    known = [item.name for item in fields(kind)]
    if unknown := [key for key in settings if key not in known]:
        raise UserError(f'model.test_cfg has no {unknown[0]!r}; it knows {", ".join(known)}')
    return kind(**settings)


@dataclass(frozen=True)
class QueryTestConfig(TubeLimits):
    """How a model of queries reports a video; what MinVIS and both DVIS share.

    The limits of the tubes are of task ``vis``.

    Attributes:
        task: what to report: instances (``vis``), segments (``vps``) or classes (``vss``).
        stretch_frames: frames of a stretch, see ``max_per_stretch``.
        num_things: the classes below this index are things; task ``vps`` needs it.
        object_mask_threshold: a query can become a segment if its class is more probable than
            this; of task ``vps``.
        overlap_threshold: smallest ratio of the pixels that a query wins to those of its mask; of
            task ``vps``.
        frame_chunk: frames that the segmenter takes at a time; None for as many as hold
            ``CHUNK_PIXELS``.
    """

    task: str = 'vis'
    stretch_frames: int = 60
    num_things: int | None = None
    object_mask_threshold: float = 0.8
    overlap_threshold: float = 0.8
    frame_chunk: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count('stretch_frames', self.stretch_frames, least=1)
        if self.task not in TASKS:
            raise UserError(
                f'model.test_cfg: task={self.task!r} is unknown; use {", ".join(map(repr, TASKS))}'
            )
        if self.task != 'vps':
            return
        things = self.num_things
        if not isinstance(things, int) or isinstance(things, bool) or things < 0:
            raise UserError(
                f"model.test_cfg: task='vps' needs num_things, not {things!r}: how many of the "
                'classes are things; these come first'
            )

    @property
    def panoptic_rules(self) -> PanopticRules:
        """Those of task ``vps``."""
        return PanopticRules(self.num_things, self.object_mask_threshold, self.overlap_threshold)


@dataclass(frozen=True)
class OnlineTestConfig(QueryTestConfig):
    """How online models report a video.

    Attributes:
        mask_memory_mb: mask logits of a video (of EoMT, VidEoMT and PMT: patches) that stay in
            memory until its classes are known; the frames beyond go to a temporary file, which
            does not change the result.
    """

    mask_memory_mb: float = 256


@dataclass(frozen=True)
class OfflineTestConfig(QueryTestConfig):
    """How DVIS offline reports a video.

    Attributes:
        feature_memory_mb: mask features that stay in memory until the whole video is read; the
            frames beyond go to a temporary file, which does not change the result.
        half_precision_features: keep them in float16: half the space, masks change at their edges.
    """

    feature_memory_mb: float = 4096
    half_precision_features: bool = False
