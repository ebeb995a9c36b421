"""How a model reports a video: the checked form of a config's ``test_cfg``."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from mmvseg.errors import UserError

Settings = TypeVar('Settings')


def read_settings(kind: type[Settings], settings: Mapping[str, Any]) -> Settings:
    """Make the dataclass ``kind`` from ``model.test_cfg``.

    Raises:
        UserError: for an unknown key.
    """
    known = [item.name for item in fields(kind)]
    if unknown := [key for key in settings if key not in known]:
        raise UserError(f'model.test_cfg has no {unknown[0]!r}; it knows {", ".join(known)}')
    return kind(**settings)


@dataclass(frozen=True)
class OnlineTestConfig:
    """How MinVIS and DVIS online report a video.

    Attributes:
        max_per_video: (query, class) pairs to report.
        mask_memory_mb: mask logits of a video that stay in memory until its classes are known; the
            frames beyond go to a temporary file, which does not change the result.
        frame_chunk: frames that the segmenter takes at a time; None for as many as hold
            ``CHUNK_PIXELS``.
    """

    max_per_video: int = 10
    mask_memory_mb: float = 256
    frame_chunk: int | None = None


@dataclass(frozen=True)
class OfflineTestConfig:
    """How DVIS offline reports a video.

    Attributes:
        max_per_video: (query, class) pairs to report.
        feature_memory_mb: mask features that stay in memory until the whole video is read; the
            frames beyond go to a temporary file, which does not change the result.
        half_precision_features: keep them in float16: half the space, masks change at their edges.
        frame_chunk: frames that the segmenter takes at a time; None for as many as hold
            ``CHUNK_PIXELS``.
    """

    max_per_video: int = 10
    feature_memory_mb: float = 4096
    half_precision_features: bool = False
    frame_chunk: int | None = None
