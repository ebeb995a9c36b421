"""What is wrong because masks are linked wrongly."""

from dataclasses import dataclass, field

import numpy as np

from .tubes import TubeMatching


@dataclass
class AssociationErrors:
    """What right linking would put right.

    Attributes:
        tracks: the wrong tracks, and the object that each shows in most frames, by position.
        objects: positions of all objects that are found once the masks are linked rightly.
    """

    tracks: dict[int, int] = field(default_factory=dict)
    objects: set[int] = field(default_factory=set)


def association_errors(
    matching: TubeMatching,
    shown: np.ndarray,
    sources: np.ndarray,
    relinked: TubeMatching,
) -> AssociationErrors:
    """Find the wrong tracks that right linking puts right.

    These are the tracks of which at least half of the masks that show an object are, once linked
    anew, in a tube that is right about that object.

    Args:
        matching: of the D tracks.
        shown: object that each of their masks shows, -1 for none, (D, T).
        sources: track that each mask of N relinked tubes is from, -1 for none, (N, T).
        relinked: matching of these tubes, see :func:`.relinked_tubes`.
    """
    frames = np.arange(shown.shape[1])
    taken = np.where(relinked.right, relinked.taken, -2)[:, None]
    put_right = sources[(sources >= 0) & (shown[sources, frames] == taken)]
    num_right = np.bincount(put_right, minlength=len(shown))
    num_shown = np.count_nonzero(shown >= 0, axis=1)
    wrong = np.flatnonzero(matching.wrong & (num_shown > 0) & (2 * num_right >= num_shown))
    return AssociationErrors(
        tracks={n: int(np.bincount(shown[n][shown[n] >= 0]).argmax()) for n in wrong.tolist()},
        objects={*relinked.taken[relinked.right].tolist()},
    )
