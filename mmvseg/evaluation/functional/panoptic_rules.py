"""How panoptic results are scored: what the evaluations of the data sets have of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PanopticRules:
    """The rules of a data set.

    Attributes:
        windows: lengths in frames that VPQ is told of, ascending.
        mean_windows: those whose mean is the VPQ of papers.
        names: of windows, by length, where they are not called by it.
        has_stq: whether STQ is defined.
        first_is_crowd: whether the first segment that a video lists stands for a crowd in STQ,
            whatever its flag; else the crowds of the ground truth do.
    """

    windows: tuple[int, ...]
    mean_windows: tuple[int, ...]
    names: Mapping[int, str] = field(default_factory=dict)
    has_stq: bool = True
    first_is_crowd: bool = False

    def name(self, window: int) -> str:
        """What windows of a length are called."""
        return self.names.get(window, str(window))


#: Papers give the mean over four lengths, the script that over five.
VIPSEG = PanopticRules(windows=(1, 2, 4, 6, 8), mean_windows=(1, 2, 4, 6), first_is_crowd=True)
#: Windows are of labelled frames, which lie five apart; k is how far the last is from the first.
CITYSCAPES_VPS = PanopticRules(
    windows=(1, 2, 3, 4),
    mean_windows=(1, 2, 3, 4),
    names={n: f'k{5 * (n - 1)}' for n in (1, 2, 3, 4)},
    has_stq=False,
)
#: STQ is the metric; VPQ is what some papers give besides.
STEP = PanopticRules(windows=(1, 2, 3, 4), mean_windows=(1, 2, 3, 4))
RULES = dict(vipseg=VIPSEG, cityscapes_vps=CITYSCAPES_VPS, step=STEP)
