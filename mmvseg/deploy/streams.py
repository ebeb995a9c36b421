"""From frame to frame: which query is which object, by the kinds of :mod:`.manifest`."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from .manifest import Manifest
from .matching import match
from .sessions import Network

#: Added to lengths of the tracker's vectors, as published.
_EPSILON = 1e-6


class Queries(NamedTuple):
    """What a frame shows; query q is the same object in all frames.

    Attributes:
        class_logits: "no object" last, (Q, K + 1).
        mask_embeds: whose product with the features gives mask logits, (Q, C).
        mask_features: (C, h, w).
    """

    class_logits: np.ndarray
    mask_embeds: np.ndarray
    mask_features: np.ndarray


class Matched:
    """MinVIS: each query goes to the slot of the query before that it resembles most.

    Args:
        networks: ``frame``.
        manifest: not needed; the same for all kinds.
    """

    def __init__(self, networks: Mapping[str, Network], manifest: Manifest) -> None:
        self._frame = networks['frame']
        self._references: np.ndarray | None = None

    def next(self, frame: np.ndarray) -> Queries:
        """The queries of the next frame (1, 3, H, W)."""
        found = self._frame(frame=frame)
        embeds = found['query_embeds'][0]
        if self._references is not None:
            order = match(embeds, self._references)
            embeds = embeds[order]
        else:
            order = np.arange(len(embeds))
        self._references = embeds
        return Queries(
            found['class_logits'][0][order],
            found['mask_embeds'][0][order],
            found['mask_features'][0],
        )


class Propagated:
    """VidEoMT: the network itself carries the queries on.

    Args:
        networks: ``frame``.
        manifest: not needed.
    """

    def __init__(self, networks: Mapping[str, Network], manifest: Manifest) -> None:
        self._frame = networks['frame']
        self._carried: dict[str, np.ndarray] = {}  # the file holds the first ones

    def next(self, frame: np.ndarray) -> Queries:
        """The queries of the next frame (1, 3, H, W)."""
        found = self._frame(frame=frame, **self._carried)
        self._carried = dict(queries=found['next_queries'])
        return Queries(*(found[name][0] for name in Queries._fields))


class Tracked:
    """DVIS online: the tracker asks what has become of each of its queries.

    Args:
        networks: ``frame`` and ``tracker``.
        manifest: says how queries are put into slots.

    Attributes:
        embeds: normalised output of the tracker for the last frame, (1, Q, C).
        queries: the segmenter's queries of the last frame, (1, Q, C).
    """

    def __init__(self, networks: Mapping[str, Network], manifest: Manifest) -> None:
        self._frame, self._tracker = networks['frame'], networks['tracker']
        self._alignment = manifest.alignment
        self._references: np.ndarray | None = None
        self._state: np.ndarray | None = None

    def next(self, frame: np.ndarray) -> Queries:
        """The queries of the next frame (1, 3, H, W)."""
        found = self._frame(frame=frame)
        self.queries = found['query_embeds']
        aligned = self.queries
        if self._references is not None:
            order = match(self.queries[0], self._references, self._alignment, _EPSILON)
            aligned = self.queries[:, order]
        self._references = aligned[0]
        tracked = self._track(aligned, self._state)
        self._state, self.embeds = tracked['state'], tracked['embeds']
        return Queries(
            tracked['class_logits'][0], tracked['mask_embeds'][0], found['mask_features'][0]
        )

    def alone(self) -> np.ndarray:
        """The tracker's output for the last frame as if a video began with it, (1, Q, C)."""
        return self._track(self.queries, None)['embeds']

    def _track(self, aligned: np.ndarray, state: np.ndarray | None) -> dict[str, np.ndarray]:
        return self._tracker(
            aligned=aligned,
            queries=self.queries,
            previous=aligned if state is None else state,
            is_first=np.array([state is None]),
        )
