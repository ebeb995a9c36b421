"""Files that are not quite what they should be, for property tests of the readers."""

import copy
from typing import Any

from hypothesis import strategies as st

KINDS = ('drop', 'retype', 'extreme', 'duplicate', 'reorder', 'none')
VALUES = [None, True, False, 0, 1, -1, 0.5, '', 'x', '7', [], {}, [1], [[]], {'a': 1}]
EXTREMES = [
    *(2**31, 2**32, 2**63 - 1, 2**63, 2**70, -(2**63), 10**400, 1e308, -1e308, 5e-324),
    *(float('nan'), float('inf'), 'a' * 10000, 'a\0b', '../../x', '/etc/x', '²', '\x1b[31m', 'é'),
]


def places(content: Any) -> list[tuple]:
    """Paths of all values in a content, its own not among them."""
    found = []
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        found.append((key,))
        if isinstance(value, dict | list):
            found += [(key, *path) for path in places(value)]
    return found


@st.composite
def mutated(draw, content, kinds=KINDS):
    """The content after one to three changes."""
    content = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, 3))):
        if not (found := places(content)):
            break
        *parents, last = draw(st.sampled_from(found))
        place = content
        for key in parents:
            place = place[key]
        _change(draw, draw(st.sampled_from(kinds)), place, last)
    return content


def _change(draw, kind: str, place: dict | list, last: int | str) -> None:
    if kind == 'drop':
        del place[last]
    elif kind in ('retype', 'extreme'):
        place[last] = copy.deepcopy(draw(st.sampled_from(VALUES if kind == 'retype' else EXTREMES)))
    elif kind == 'duplicate' and isinstance(place, list):
        place.insert(last, copy.deepcopy(place[last]))
    elif kind == 'duplicate':
        place[f'{last}_2'] = copy.deepcopy(place[last])
    elif kind == 'reorder' and isinstance(place[last], list):
        place[last] = draw(st.permutations(place[last]))
