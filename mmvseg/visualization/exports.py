"""Id maps as images, for other programs."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.files import write_bytes
from mmvseg.structures import VideoInstances

from .overlay import crop_mask

Color = tuple[int, int, int]


#: Largest number that a map of 16 bits holds.
_MAX_ID = 65535


def map_value(track_id: int) -> int:
    """The value of a track's pixels in maps: tracks are numbered from 0, which is no track there.

    Example:
        >>> map_value(0)
        1
    """
    return int(track_id) + 1


def id_map(instances: VideoInstances, frame: int, size: tuple[int, int]) -> np.ndarray:
    """:func:`map_value` of each pixel's track, 0 where there is none; higher scores lie on top.

    Args:
        instances: tubes of the video.
        frame: 0-based index of the frame.
        size: (height, width) of the frame.

    Returns:
        int32, (H, W).
    """
    ids = np.zeros(size, np.int32)
    for n in np.argsort(instances.scores, kind='stable'):
        rle = instances.masks[n][frame]
        if rle is None:
            continue
        x, y, mask = crop_mask(rle)
        box = ids[y : y + mask.shape[0], x : x + mask.shape[1]]
        box[mask > 0] = map_value(instances.track_ids[n])
    return ids


def write_id_map(
    path: str | Path, ids: np.ndarray, colors: Mapping[int, Color], *, wide: bool
) -> None:
    """Write an id map as PNG.

    Args:
        path: the file to write.
        ids: (H, W), 0 to 65535.
        colors: RGB of the ids.
        wide: write 16-bit grey; else 8 bits with the colours as palette, which holds ids up to 255
            and can be looked at.

    Raises:
        UserError: if the file cannot be written, or not hold an id.
    """
    if (largest := int(ids.max(initial=0))) > _MAX_ID:
        raise UserError(
            f'{path}: the id {largest} does not fit into a map of 16 bits (at most {_MAX_ID}); '
            'leave out tracks by --score-thr'
        )
    if wide:
        image = Image.fromarray(ids.astype(np.uint16))
    else:
        image = Image.fromarray(ids.astype(np.uint8)).convert('P')
        image.putpalette([channel for n in range(256) for channel in colors.get(n, (0, 0, 0))])
    buffer = io.BytesIO()
    image.save(buffer, 'PNG')
    write_bytes(Path(path), buffer.getvalue())
