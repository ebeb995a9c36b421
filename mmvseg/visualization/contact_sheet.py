"""One picture of several videos: frames side by side, input, truth and prediction below each."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .text import paste_text, render_text

BACKGROUND = 255
INK = np.array((40, 44, 52))
FAINT_INK = np.array((120, 126, 136))
MARGIN, GAP = 24, 6
TITLE_SIZE, CAPTION_SIZE, LABEL_SIZE = 22, 17, 14
CELL_WIDTH = 288


@dataclass
class SheetVideo:
    """What a contact sheet shows of one video.

    Attributes:
        title: heading.
        captions: one per column, e.g. ``frame 12``.
        rows: a name and one RGB image (H, W, 3) per column, e.g. ``input`` and ``prediction``.
        legend: RGB strip to put below, as wide as :func:`row_width` of the columns.
    """

    title: str
    captions: list[str]
    rows: list[tuple[str, list[np.ndarray]]]
    legend: np.ndarray | None = None


def evenly_spaced(length: int, count: int) -> list[int]:
    """At most ``count`` frame indices of a video of ``length`` frames, first and last included."""
    return sorted({int(index) for index in np.linspace(0, length - 1, count).round()})


def label_size(width: int) -> int:
    """Height of labels on a drawing of ``width`` pixels that stay legible in a cell."""
    return round(LABEL_SIZE * width / CELL_WIDTH)


def row_width(columns: int) -> int:
    """Width of a row of pictures on the sheet, in pixels."""
    return columns * (CELL_WIDTH + GAP) - GAP


def contact_sheet(videos: Sequence[SheetVideo]) -> np.ndarray:
    """Lay videos out below each other, every image scaled to the width of a cell.

    Args:
        videos: at least one.

    Returns:
        RGB uint8, (H, W, 3).
    """
    names = {name for video in videos for name, _ in video.rows}
    gutter = MARGIN + max(render_text(name, CAPTION_SIZE).shape[1] for name in names) + GAP
    columns = max(len(video.captions) for video in videos)
    width = gutter + row_width(columns) + MARGIN
    blocks = [_block(video, gutter, width) for video in videos]
    return np.concatenate([*blocks, _blank(MARGIN, width)])


def _block(video: SheetVideo, gutter: int, width: int) -> np.ndarray:
    title_height = MARGIN + render_text(video.title, TITLE_SIZE).shape[0] + GAP
    header = _blank(title_height + CAPTION_SIZE + 3 * GAP, width)
    _write(header, video.title, MARGIN, MARGIN, TITLE_SIZE, INK)
    for column, caption in enumerate(video.captions):
        x = gutter + column * (CELL_WIDTH + GAP)
        _write(header, caption, x, title_height, CAPTION_SIZE, FAINT_INK)
    strips = [header]
    for name, images in video.rows:
        cells = [_fit(image) for image in images]
        strip = _blank(cells[0].shape[0] + GAP, width)
        text_height = render_text(name, CAPTION_SIZE).shape[0]
        _write(strip, name, MARGIN, (cells[0].shape[0] - text_height) // 2, CAPTION_SIZE, INK)
        for column, cell in enumerate(cells):
            x = gutter + column * (CELL_WIDTH + GAP)
            strip[: cell.shape[0], x : x + CELL_WIDTH] = cell
        strips.append(strip)
    if video.legend is not None:
        strip = _blank(video.legend.shape[0] + GAP, width)
        strip[:-GAP, gutter : gutter + video.legend.shape[1]] = video.legend
        strips.append(strip)
    return np.concatenate(strips)


def _fit(image: np.ndarray) -> np.ndarray:
    height = round(image.shape[0] * CELL_WIDTH / image.shape[1])
    method = cv2.INTER_AREA if image.shape[1] > CELL_WIDTH else cv2.INTER_CUBIC
    return cv2.resize(image, (CELL_WIDTH, height), interpolation=method)


def _blank(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), BACKGROUND, np.uint8)


def _write(canvas: np.ndarray, text: str, x: int, y: int, size: int, ink: np.ndarray) -> None:
    paste_text(canvas, render_text(text, size), x, y, ink)
