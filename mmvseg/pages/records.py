"""What the pages show, as plain records: nothing here knows where it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

Color = tuple[int, int, int]
Masks = Sequence[dict | None]


@dataclass
class ShownTube:
    """An annotated object, or a predicted track.

    Attributes:
        id: its number, which people see and links name.
        category: name of its class.
        color: RGB.
        masks: COCO run-length code (``dict(size=[H, W], counts=bytes)``) of each frame, None where
            it is absent, T of them.
        score: confidence; None where there is none.
        is_hidden: whether its masks are left out at first.
    """

    id: int
    category: str
    color: Color
    masks: Masks
    score: float | None = None
    is_hidden: bool = False


@dataclass(frozen=True)
class ShownError:
    """What is wrong at a place of a video.

    Attributes:
        kind: one word.
        frame: 0-based, where to look first.
        cost: how much it counts, 0 to 1.
        reason: a sentence.
        category: name of the class that it is counted under.
        track: position in the tracks of the run; None for none.
        object: position in the objects of the video; None for none.
    """

    kind: str
    frame: int
    cost: float
    reason: str
    category: str
    track: int | None = None
    object: int | None = None


@dataclass
class ShownRun:
    """What one results file has for a video.

    Attributes:
        tracks: D of them, the best first.
        owners: position of the object that each mask shows, -1 for none, (D, T) int; None where
            nobody has compared them.
        errors: what is wrong.
    """

    tracks: list[ShownTube]
    owners: np.ndarray | None = None
    errors: list[ShownError] = field(default_factory=list)

    @property
    def cost(self) -> float:
        """Of all errors together."""
        return sum(error.cost for error in self.errors)


@dataclass
class ShownVideo:
    """One video with all that is known of it.

    Attributes:
        name: as its data set calls it.
        page: name of its files, without suffix; see :func:`.page_names`.
        size: (height, width).
        length: number of frames, T.
        fps: frames a second.
        objects: what is annotated; None where nothing is.
        runs: of one results file, or of two.
    """

    name: str
    page: str
    size: tuple[int, int]
    length: int
    fps: Fraction
    objects: list[ShownTube] | None
    runs: list[ShownRun]


@dataclass(frozen=True)
class SiteInfo:
    """What all pages of a site have in common.

    Attributes:
        runs: names of the results files.
        source: name of the annotation file, or of the folder of videos.
        has_truth: whether the source annotates the videos.
        noun: what is predicted: tracks, segments or classes.
        note: a sentence on what is shown; empty for none.
        kinds: of errors, in their order; empty where none were looked for.
    """

    runs: Sequence[str]
    source: str
    has_truth: bool
    noun: str
    note: str
    kinds: Sequence[str] = ()
