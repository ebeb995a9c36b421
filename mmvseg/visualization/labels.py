"""Labels on pictures: beside what they name, hiding as little as possible."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from .text import LUMINANCE, paste_text, render_text

#: xyxy in pixels; the last column and row are outside.
Box = tuple[int, int, int, int]

#: How far a label inside a region may move to a free place, in its own heights.
REACH = 3
#: How far away from its object a label may go, in its own heights; a line leads to it from 1 on.
DISTANCES = (1, 2, 4, 6)
#: What is bad about a place: to lie on another label, wholly or a bit; to hide all of an object; to
#: be farther away by one height, or one place later in the order.
_ON_LABEL, _TOUCHES_LABEL, _HIDES, _FAR, _LATE = 3.0, 1.0, 1.0, 0.04, 0.01
#: What is good about the place of the last frame.
_LOYALTY = 0.08


@dataclass(frozen=True)
class Label:
    """A line of text on a plate of colour.

    Attributes:
        text: what it says.
        color: RGB of the plate.
        x: column of its centre, in pixels of the drawing.
        y: row of its centre, for a label inside a region; such a label is left out where all is
            taken.
        box: of the object that it belongs to; the label goes above it, else around it, and is
            always drawn. None for a label inside a region.
        key: whose label it is, from frame to frame.
    """

    text: str
    color: tuple[int, int, int]
    x: int
    y: int = 0
    box: Box | None = None
    key: int | None = None


class LabelPainter:
    """Draws the labels of the frames of one video, in order: they keep their side where they can.

    A label of an object goes where it hides the smallest shares of objects, its own included, and
    of other labels: so it does not lie on a small object, but may lie on the rim of a large one.
    """

    def __init__(self) -> None:
        self._sides: dict[int, int] = {}

    def draw(self, canvas: np.ndarray, labels: Sequence[Label], size: int) -> None:
        """Draw labels inside the picture, the first ones at the best places.

        Args:
            canvas: RGB uint8, (H, W, 3), changed in place.
            labels: what to draw.
            size: height of the text in pixels.
        """
        height, width = canvas.shape[:2]
        boxes = np.array([label.box for label in labels if label.box], float).reshape(-1, 4)
        taken: list[Box] = []
        plates: list[tuple[Label, np.ndarray, Box]] = []
        for label in labels:
            text = render_text(label.text, size)
            if label.box is None:
                plate = _inside(label, text.shape, (height, width), taken)
            else:
                plate = self._beside(label, text.shape, (height, width), boxes, taken)
            if plate is not None:
                taken.append(plate)
                plates.append((label, text, plate))
        for label, text, plate in plates:
            if label.box:
                _draw_leader(canvas, plate, label.box, label.color, text.shape[0])
        for label, text, plate in plates:
            _paste_plate(canvas, text, plate[0], plate[1], label.color)

    def _beside(
        self,
        label: Label,
        text: tuple[int, int],
        frame: tuple[int, int],
        boxes: np.ndarray,
        taken: list[Box],
    ) -> Box:
        """The best place around an object; ``text`` and ``frame`` are (height, width)."""
        plates, sides, distances = _places(label, text, frame)
        hidden = _overlaps(plates, boxes) / np.maximum(1, _areas(boxes))
        on_labels = _overlaps(plates, np.array(taken, float).reshape(-1, 4)) / (text[0] * text[1])
        cost = _HIDES * hidden.sum(1) + _FAR * distances + _LATE * sides
        cost += _ON_LABEL * on_labels.sum(1) + _TOUCHES_LABEL * (on_labels > 0).any(1)
        cost -= _LOYALTY * ((sides == self._sides.get(label.key, -1)) & (distances == 0))
        best = int(cost.argmin())
        if label.key is not None:
            self._sides[label.key] = int(sides[best])
        return tuple(int(value) for value in plates[best])


def anchor_of(mask: np.ndarray) -> tuple[Box, int]:
    """Where the label of an object belongs: at its largest part, as small ones may lie far away.

    Args:
        mask: its pixels, (h, w) uint8 or bool, at least one.

    Returns:
        The box of the largest connected part, and the column of the middle of its first row.
    """
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    part = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    x, y, width, height = (int(value) for value in stats[part, :4])
    top = np.flatnonzero(parts[y] == part)
    return (x, y, x + width, y + height), int(top.mean())


def _places(
    label: Label, text: tuple[int, int], frame: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where the label of an object can go.

    Returns:
        Boxes inside the frame, (n, 4); the side of each, in the order in which people look for it,
        and its distance in heights, (n,) each.
    """
    (height, width), (x1, y1, x2, y2) = text, label.box
    centre, middle = label.x - width // 2, (y1 + y2 - height) // 2
    last_x, last_y = max(0, frame[1] - width), max(0, frame[0] - height)
    places = []
    for distance in (0, *DISTANCES):
        away = distance * height + 1
        above, below, right, left = y1 - height - away, y2 + away, x2 + away, x1 - width - away
        around = [
            *((centre, above), (centre, below), (right, middle), (left, middle)),
            *((x2, above), (x1 - width, above), (x2, below), (x1 - width, below)),
        ]
        if not distance:
            around.append((centre, y1 + 1))  # on the object's upper rim
        for side, (x, y) in enumerate(around):
            free_x, free_y = x, y
            if side in (0, 1, 8):  # may move along the object
                free_x = min(max(0, x), last_x)
            if side in (2, 3):
                free_y = min(max(0, y), last_y)
            if 0 <= free_x <= last_x and 0 <= free_y <= last_y:
                places.append((free_x, free_y, side, distance))
    if not places:  # the frame is hardly larger than the text
        places.append((min(max(0, centre), last_x), min(max(0, y1), last_y), 8, 0))
    x, y, sides, distances = np.array(places, float).T
    return np.stack([x, y, x + width, y + height], 1), sides, distances


def _overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Pixels that boxes (n, 4) and others (m, 4) share, (n, m)."""
    first, last = boxes[:, None], others[None]
    sides = np.minimum(first[..., 2:], last[..., 2:]) - np.maximum(first[..., :2], last[..., :2])
    return sides.clip(0).prod(2)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2:] - boxes[:, :2]).prod(1)


def _inside(
    label: Label, text: tuple[int, int], frame: tuple[int, int], taken: list[Box]
) -> Box | None:
    """The free place nearest to the centre of a label inside a region."""
    height, width = text
    left = min(max(0, label.x - width // 2), max(0, frame[1] - width))
    last = max(0, frame[0] - height)
    ideal = min(max(0, label.y - height // 2), last)
    rows = range(0, last + 1, max(1, height // 2))
    near = [row for row in rows if abs(row - ideal) <= REACH * height]
    for row in [ideal, *sorted(near, key=lambda row: abs(row - ideal))]:
        plate = left, row, left + width, row + height
        if not _overlaps(np.array([plate]), np.array(taken).reshape(-1, 4)).any():
            return plate
    return None


def _draw_leader(
    canvas: np.ndarray, plate: Box, box: Box, color: tuple[int, int, int], height: int
) -> None:
    """A line from a label to its object, if it lies away from it."""
    start, end = [], []
    for axis in (0, 1):
        low, high = max(plate[axis], box[axis]), min(plate[axis + 2], box[axis + 2])
        if low < high:
            start.append((low + high) // 2)
            end.append((low + high) // 2)
        else:
            plate_first = plate[axis + 2] <= box[axis]
            start.append(plate[axis + 2] - 1 if plate_first else plate[axis])
            end.append(box[axis] if plate_first else box[axis + 2] - 1)
    if max(abs(start[0] - end[0]), abs(start[1] - end[1])) >= height:
        thickness = max(1, height // 12)
        cv2.line(canvas, start, end, color, thickness, cv2.LINE_AA)


def _paste_plate(
    canvas: np.ndarray, text: np.ndarray, left: int, top: int, color: tuple[int, int, int]
) -> None:
    plate = canvas[top : top + text.shape[0], left : left + text.shape[1]]
    plate[:] = color
    ink = 0.0 if np.dot(color, LUMINANCE) > 120 else 255.0
    paste_text(canvas, text, left, top, np.full(3, ink))
