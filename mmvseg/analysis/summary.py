"""The main loss of AP in one sentence."""

from collections.abc import Mapping
from typing import Any

#: What mends each kind of error, in the order of :data:`.tube_kinds.KINDS`.
REMEDIES = {
    'association': 'perfect association',
    'class': 'perfect classes',
    'mask': 'perfect masks',
    'extent': 'perfect extent in time',
    'duplicate': 'removing duplicates',
    'false': 'removing false tracks',
    'missed': 'adding missed objects',
}
#: A gain below this is none to speak of: half a point.
NOTABLE_GAIN = 0.005


def summary(
    oracles: Mapping[str, Any], errors: Mapping[str, Any], hota: float
) -> dict[str, float | str | None]:
    """AP, HOTA, the kind of error that costs most AP, and a sentence that says so.

    Args:
        oracles: numbers of :class:`.oracles.OracleAP`.
        errors: numbers of :class:`.error_counts.ErrorCounts`.
        hota: fraction.

    Returns:
        Fractions; AP is -1 without objects that count. The main loss is None where no oracle gains
        anything to speak of.
    """
    ap = oracles['predicted']['AP']
    gains = {kind: gain['AP'] for kind, gain in oracles['alone'].items()}
    ranked = sorted(gains, key=lambda kind: -gains[kind])
    notable = [kind for kind in ranked if gains[kind] >= NOTABLE_GAIN]
    return dict(
        AP=ap,
        HOTA=hota,
        main_loss=notable[0] if notable else None,
        sentence=_sentence(ap, gains, notable, errors),
    )


def _sentence(
    ap: float, gains: Mapping[str, float], notable: list[str], errors: Mapping[str, Any]
) -> str:
    if ap < 0:
        return 'There is no AP: the ground truth has no object that counts.'
    words = [f'{REMEDIES[kind]}: {points(gains[kind])}' for kind in notable[:2]]
    start = f'AP is {100 * ap:.1f}.'
    if not errors['right_tracks']:
        start = f'AP is {100 * ap:.1f}: no track is right at IoU 0.5.'
    if not words:
        lost = 'nothing is missing' if ap > 1 - 1e-9 else 'no kind of error costs 0.5 alone'
        return f'{start[:-1]}; {lost}.'
    return f'{start} The most would be gained by {"; then by ".join(words)}.'


def points(gain: float) -> str:
    """A difference of fractions in points, with its sign."""
    return f'{round(100 * gain, 1) + 0.0:+.1f}'  # never -0.0
