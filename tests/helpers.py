"""Helpers for tests."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


def reference_dir() -> Path:
    """Folder of recorded cases: the full set where there is one, else the copies in tests/data."""
    given = os.environ.get('MMVSEG_REFERENCE')
    if given:
        return Path(given)
    shared = REPOSITORY.parent / 'shared' / 'reference'
    return shared if shared.is_dir() else REPOSITORY / 'tests' / 'data' / 'reference'


def family_dir(family: str) -> Path:
    """Folder of a later family's recorded cases and lists of names, see :func:`reference_dir`."""
    shared = REPOSITORY.parent / 'shared' / 'families' / family
    return shared if shared.is_dir() else REPOSITORY / 'tests' / 'data' / 'families' / family
