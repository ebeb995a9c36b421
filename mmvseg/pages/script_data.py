"""Data for scripts of pages, as small scripts: a page that is opened from disk can fetch nothing.

A file calls one function of the page with its data.
"""

import json
import math
from collections.abc import Sequence
from typing import Any

from .records import Color, ShownRun, ShownTube, ShownVideo

#: What could end a script, or a line of one, in any place that a text may get to.
_ESCAPES = {ord(sign): f'\\u{ord(sign):04x}' for sign in '<>&\u2028\u2029'}


def script_json(content: Any) -> str:
    """JSON that means the same in a script, wherever it stands; numbers are finite.

    Raises:
        ValueError: a number is not finite.

    Example:
        >>> script_json(['</script>'])
        '["\\\\u003c/script\\\\u003e"]'
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(',', ':'))
    # halves of characters, as names of files may hold them, have no form in UTF-8
    text = text.encode('utf-8', 'backslashreplace').decode()
    return text.translate(_ESCAPES)


def call(function: str, content: Any) -> bytes:
    """A script that hands ``content`` to a function of the page."""
    return f'{function}({script_json(content)});\n'.encode()


def video_data(video: ShownVideo) -> dict[str, Any]:
    """What the script of a video's page needs: times, and the masks of everything."""
    return dict(
        size=list(video.size),
        length=video.length,
        fps=float(video.fps),
        objects=[tube_data(tube) for tube in video.objects or ()],
        runs=[run_data(run) for run in video.runs],
    )


def run_data(run: ShownRun) -> list[dict[str, Any]]:
    """The tracks of a run."""
    return [tube_data(tube) for tube in run.tracks]


def tube_data(tube: ShownTube) -> dict[str, Any]:
    """A tube with its run-length codes as texts, 0 where it is absent."""
    return dict(
        id=tube.id,
        label=label(tube),
        color=list(tube.color),
        hidden=tube.is_hidden,
        masks=[0 if code is None else code['counts'].decode('ascii') for code in tube.masks],
    )


def label(tube: ShownTube) -> str:
    """What stands on the mask of a tube.

    Example:
        >>> label(ShownTube(3, 'cat', (0, 0, 0), [], score=0.871))
        'cat #3 0.87'
    """
    score = '' if tube.score is None or not math.isfinite(tube.score) else f' {tube.score:.2f}'
    return f'{tube.category} #{tube.id}{score}'


def hex_color(color: Color | Sequence[int]) -> str:
    """RGB as pages write it.

    Example:
        >>> hex_color((255, 0, 16))
        '#ff0010'
    """
    return '#{:02x}{:02x}{:02x}'.format(*color)
