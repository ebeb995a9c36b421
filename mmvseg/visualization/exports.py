"""Results for other programs: id-mask images and a table of tracks."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as mask_api

from mmvseg.files import write_bytes
from mmvseg.structures import VideoInstances

from .overlay import crop_mask, track_color

CSV_COLUMNS = (
    *('video_id', 'video', 'track', 'category_id', 'category', 'score', 'frame', 'file'),
    *('x1', 'y1', 'x2', 'y2', 'area'),
)


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


def write_id_map(path: str | Path, ids: np.ndarray, *, wide: bool) -> None:
    """Write an id map as PNG.

    Args:
        path: the file to write.
        ids: (H, W), values up to 65535.
        wide: write 16-bit grey; else 8 bits with the track colours as palette, which holds ids up
            to 255 and can be looked at.

    Raises:
        UserError: if the file cannot be written.
    """
    if wide:
        image = Image.fromarray(ids.astype(np.uint16))
    else:
        image = Image.fromarray(ids.astype(np.uint8)).convert('P')
        colors = [(0, 0, 0), *(track_color(track) for track in range(1, 256))]
        image.putpalette([channel for color in colors for channel in color])
    buffer = io.BytesIO()
    image.save(buffer, 'PNG')
    write_bytes(Path(path), buffer.getvalue())


def track_rows(
    instances: VideoInstances,
    video_id: int,
    video: str,
    files: Sequence[str],
    categories: Sequence[tuple],
) -> Iterator[dict]:
    """One row a track and frame in which it is visible, keyed by :data:`CSV_COLUMNS`.

    Args:
        instances: the video's tubes.
        video_id: the video's id.
        video: its name.
        files: its frames.
        categories: (id, name, …) by label.
    """
    for n in range(len(instances)):
        category_id, category_name = categories[instances.labels[n]][:2]
        for frame, rle in enumerate(instances.masks[n]):
            area = 0 if rle is None else int(mask_api.area(rle))
            if not area:
                continue
            x, y, width, height = (int(value) for value in mask_api.toBbox(rle))
            yield dict(
                video_id=video_id,
                video=video,
                track=int(instances.track_ids[n]),
                category_id=category_id,
                category=category_name,
                score=f'{instances.scores[n]:.6f}',
                frame=frame,
                file=files[frame],
                x1=x,
                y1=y,
                x2=x + width,
                y2=y + height,
                area=area,
            )


def write_tracks_csv(path: str | Path, rows: Iterable[dict]) -> None:
    """Write the rows of :func:`track_rows` as a table; boxes are xyxy in pixels.

    Raises:
        UserError: if the file cannot be written.
    """
    text = io.StringIO(newline='')
    writer = csv.DictWriter(text, CSV_COLUMNS, lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    write_bytes(Path(path), text.getvalue().encode())
