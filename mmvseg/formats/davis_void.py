"""The void of DAVIS: pixels of its masks that are of no object and are no background."""

from pathlib import Path, PurePosixPath

import numpy as np
from pycocotools import mask as coco_mask

from mmvseg.errors import UserError
from mmvseg.media.images import read_index_map
from mmvseg.media.names import leads_out

from .youtube_vis import Video

#: Value of the masks.
VOID = 255


def read_void(folder: str | Path, video: Video) -> list[dict | None]:
    """The void of a video.

    Args:
        folder: of DAVIS's masks, ``<video>/<frame>.png``.
        video: its ``file_names`` are ``<video>/<frame>`` with another suffix.

    Returns:
        Compressed run-length code of each frame, None where there is no void.

    Raises:
        UserError: a mask is missing, broken or of another size.
    """
    masks = []
    for name in video.file_names:
        path = Path(folder) / PurePosixPath(name).with_suffix('.png')
        if leads_out(name):
            raise UserError(f'{path}: leads out of the folder of the masks')
        is_void = read_index_map(path, (video.height, video.width)) == VOID
        code = coco_mask.encode(np.asfortranarray(is_void, np.uint8)) if is_void.any() else None
        masks.append(code)
    return masks
