"""The order of files that are named by numbers."""

import os
import re
from pathlib import Path


def natural_key(path: str | Path) -> list[tuple[int, str]]:
    """Sort key that puts ``frame_2`` before ``frame_10``, and that no two names share.

    Numbers are of the digits 0 to 9: other signs that Unicode counts as digits, such as ``²``, are
    letters.
    """
    name = os.path.basename(path)
    parts = re.split(r'([0-9]+)', name)
    key = [(int(part), '') if i % 2 else (-1, part) for i, part in enumerate(parts)]
    return [*key, (-1, name)]
