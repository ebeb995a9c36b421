"""Perfect association of the same masks: who shows an object in a frame is linked to it.

No mask changes, none is added and none is removed. A track that shows several objects is cut, and
what shows one object in tracks of one class is joined, frame by frame, the track of the highest
score first. A mask that shows nothing stays with its track, unless another track has one that
shows the object in the same frame: then the two change places. A part that no tube takes up stays
where it was, and so does one that would not fit its object when on its own.
"""

from collections import defaultdict

import numpy as np

from .tubes import FITS, Tubes, owners, predicted_tubes, tube_iou
from .video_overlap import VideoOverlap


def relinked_tubes(overlap: VideoOverlap) -> tuple[Tubes, np.ndarray]:
    """Link the masks of all tracks anew.

    Returns:
        N tubes, and the track that each of their masks is taken from, -1 where there is none,
        (N, T).
    """
    tubes = predicted_tubes(overlap)
    shown = owners(tubes, overlap)  # (D, T)
    present = tubes.areas > 0
    homes = [_main_owner(row) for row in shown]
    # Parts of tracks by (track, object): the track in each frame where the part has a mask, (T,).
    parts: dict[tuple[int, int], np.ndarray] = {}
    for track, home in enumerate(homes):
        stays = (shown[track] == home) | (shown[track] == -1)
        parts[track, home] = np.where(present[track] & stays, track, -1)
        for other in sorted({*shown[track].tolist()} - {home, -1}):
            parts[track, other] = np.where(shown[track] == other, track, -1)
    for (shows, _), group in _groups(parts, tubes).items():
        _join(parts, group, shows, shown)
    _take_home(parts, homes, overlap, tubes)
    kept = [key for key, part in parts.items() if (part >= 0).any()]
    sources = np.array([parts[key] for key in kept], int).reshape(len(kept), overlap.num_frames)
    return _composed(tubes, [track for track, _ in kept], sources), sources


def _main_owner(shown: np.ndarray) -> int:
    """The object that a track shows in most frames, -1 if it shows none."""
    seen, counts = np.unique(shown[shown >= 0], return_counts=True)
    return int(seen[counts.argmax()]) if len(seen) else -1


def _groups(
    parts: dict[tuple[int, int], np.ndarray], tubes: Tubes
) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """The parts that show an object, for each class of their tracks, by descending score."""
    groups = defaultdict(list)
    for track, shows in sorted(parts, key=lambda key: (-tubes.scores[key[0]], key)):
        if shows >= 0:
            groups[shows, int(tubes.category_ids[track])].append((track, shows))
    return groups


def _join(
    parts: dict[tuple[int, int], np.ndarray],
    group: list[tuple[int, int]],
    shows: int,
    shown: np.ndarray,
) -> None:
    """Give the first part of a group what the others have in frames where it shows nothing."""
    frames = np.arange(shown.shape[1])
    first = parts[group[0]]
    for key in group[1:]:
        other = parts[key]
        fits = (other >= 0) & (shown[other, frames] == shows)
        lacks = (first < 0) | (shown[first, frames] != shows)
        moved = fits & lacks
        first[moved], other[moved] = other[moved], first[moved]


def _take_home(
    parts: dict[tuple[int, int], np.ndarray],
    homes: list[int],
    overlap: VideoOverlap,
    tubes: Tubes,
) -> None:
    """Leave with its track what was cut off and would not fit an object on its own."""
    for (track, shows), part in parts.items():
        if shows == homes[track]:
            continue
        alone = _composed(tubes, [track], part[None])
        if tube_iou(alone, overlap)[0, shows] >= FITS:
            continue
        for source in {*part.tolist()} - {-1}:
            home = parts[source, homes[source]]
            back = (part == source) & (home < 0)
            home[back] = source
            part[back] = -1


def _composed(tubes: Tubes, tracks: list[int], sources: np.ndarray) -> Tubes:
    """Tubes whose masks are those of the tracks ``sources`` (N, T)."""
    rows = np.array(tracks, int)
    frames = np.arange(sources.shape[1])
    there = sources >= 0
    common = tubes.common[sources, :, frames].transpose(0, 2, 1)  # (N, G, T)
    return Tubes(
        tracks=rows,
        category_ids=tubes.category_ids[rows],
        scores=tubes.scores[rows],
        areas=np.where(there, tubes.areas[sources, frames], 0),
        common=np.where(there[:, None], common, 0),
    )
