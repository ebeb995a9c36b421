"""The result of a comparison in one sentence."""

from collections.abc import Mapping

import numpy as np

from .bootstrap import CONFIDENCE, Difference

#: What each kind of error is called.
_WORDS = {
    'association': 'association',
    'class': 'wrong classes',
    'mask': 'poor masks',
    'extent': 'wrong extent',
    'duplicate': 'duplicates',
    'false': 'false tracks',
    'missed': 'missed objects',
}
#: A smaller difference is none to speak of: half a point.
NOTABLE = 0.005
#: What the numbers of tracking are called that are told if they differ clearly.
_TRACKING = dict(DetA='DetA', AssA='AssA', IDSW='id switches')


def sentence(
    main: Mapping[str, Difference],
    gains: Mapping[str, Difference],
    alone: Mapping[str, Difference],
    num_videos: int,
    num_gained: int,
    num_lost: int,
) -> str:
    """Say whether B is better than A, what it is better at, and how many objects it gains.

    Args:
        main: the main numbers.
        gains: what mending each kind of error would gain in AP after all earlier kinds.
        alone: what mending it alone would gain.
        num_videos: in the ground truth.
        num_gained: objects that are right in B alone.
        num_lost: objects that are right in A alone.
    """
    ap = main['AP']
    if np.isnan(ap.difference):
        return 'There are no objects, so there is nothing to compare.'
    parts = [
        _head(ap, num_videos),
        _cause(ap, gains) or _balance(alone),
        _tracking(main),
        f'objects gained {num_gained}, lost {num_lost}',
    ]
    return '; '.join(part for part in parts if part) + '.'


def _head(ap: Difference, num_videos: int) -> str:
    if np.isnan(ap.low):
        return f'B - A is {_signed(ap)} AP; the videos with objects are too few for an interval'
    low, high = (-ap.high, -ap.low) if ap.sign < 0 else (ap.low, ap.high)
    interval = f'{100 * CONFIDENCE:.0f} % interval {100 * low:.1f} to {100 * high:.1f}'
    interval = f'({interval} over {num_videos} videos)'
    if not ap.sign:
        return f'There is no clear difference: B - A is {_signed(ap)} AP {interval}'
    word = 'better' if ap.sign > 0 else 'worse'
    return f'B is {word} by {100 * abs(ap.difference):.1f} AP {interval}'


def _cause(ap: Difference, gains: Mapping[str, Difference]) -> str:
    """The kind of error that accounts for most of a clear difference."""
    if not ap.sign:
        return ''
    clear = [kind for kind, gain in gains.items() if gain.sign == ap.sign]
    if not clear:
        return 'no kind of error clearly accounts for it'
    kind = max(clear, key=lambda k: abs(gains[k].difference))
    points = abs(gains[kind].difference)
    start = 'most of it is' if points > abs(ap.difference) / 2 else 'the largest clear part is'
    return f'{start} {_WORDS[kind]} ({100 * points:.1f} points)'


def _balance(alone: Mapping[str, Difference]) -> str:
    """The kinds of errors that clearly differ, the largest differences first."""
    clear = [kind for kind, gain in alone.items() if gain.sign and abs(gain.difference) >= NOTABLE]
    clear.sort(key=lambda kind: -abs(alone[kind].difference))
    words = ', '.join(f'{_WORDS[kind]} {_signed(alone[kind])}' for kind in clear)
    return f'clear in what mending would gain: {words}' if clear else ''


def _tracking(main: Mapping[str, Difference]) -> str:
    """What differs clearly in tracking."""
    clear = [f'{words} {_signed(main[n], n)}' for n, words in _TRACKING.items() if main[n].sign]
    return f'clear in tracking: {", ".join(clear)}' if clear else ''


def _signed(difference: Difference, name: str = '') -> str:
    if name == 'IDSW':
        return f'{difference.difference:+.0f}'
    return f'{100 * difference.difference:+.1f}'
