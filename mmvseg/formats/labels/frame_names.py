"""Names of pictures that say video and frame at once."""

import re
from pathlib import PurePosixPath

_NAME = re.compile(r'(.*?)[_-]*([0-9]+)', re.DOTALL)


def split_frame_name(name: str) -> tuple[str, int] | None:
    """The video and the number of a picture that is called ``<video>_<number>``.

    Returns:
        They, the video empty if there is a number alone; None for a name without a number at its
        end.

    Example:
        >>> split_frame_name('day_2_0015.jpg'), split_frame_name('0015.jpg')
        (('day_2', 15), ('', 15))
    """
    match = _NAME.fullmatch(PurePosixPath(name).stem)
    return (match[1], int(match[2])) if match else None
