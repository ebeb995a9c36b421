"""Id maps as images, for other programs."""

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from mmvseg.files import write_bytes
from mmvseg.structures import VideoInstances

from .overlay import crop_mask

Color = tuple[int, int, int]


def id_map(instances: VideoInstances, frame: int, size: tuple[int, int]) -> np.ndarray:
    """Track id of each pixel of a frame, 0 where there is none; higher scores lie on top.

    Args:
        instances: tubes whose ``track_ids`` start at 1.
        frame: 0-based index of the frame.
        size: (height, width) of the frame.

    Returns:
        uint16, (H, W).
    """
    ids = np.zeros(size, np.uint16)
    for n in np.argsort(instances.scores, kind='stable'):
        rle = instances.masks[n][frame]
        if rle is None:
            continue
        x, y, mask = crop_mask(rle)
        ids[y : y + mask.shape[0], x : x + mask.shape[1]][mask > 0] = instances.track_ids[n]
    return ids


def write_id_map(
    path: str | Path, ids: np.ndarray, colors: Mapping[int, Color], *, wide: bool
) -> None:
    """Write an id map as PNG.

    Args:
        path: the file to write.
        ids: (H, W), values up to 65535.
        colors: RGB of the ids.
        wide: write 16-bit grey; else 8 bits with the colours as palette, which holds ids up to 255
            and can be looked at.

    Raises:
        UserError: if the file cannot be written.
    """
    if wide:
        image = Image.fromarray(ids.astype(np.uint16))
    else:
        image = Image.fromarray(ids.astype(np.uint8)).convert('P')
        image.putpalette([channel for n in range(256) for channel in colors.get(n, (0, 0, 0))])
    buffer = io.BytesIO()
    image.save(buffer, 'PNG')
    write_bytes(Path(path), buffer.getvalue())
