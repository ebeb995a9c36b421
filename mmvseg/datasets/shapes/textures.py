"""How things and stuff of the Shapes world look: outlines, textures and backgrounds."""

import cv2
import numpy as np

#: What can be counted.
THING_CLASSES = ('disc', 'square', 'triangle', 'star', 'ring', 'cross')
#: What the background is of.
STUFF_CLASSES = ('sky', 'sand', 'grass', 'water')

#: Radius of the largest circle inside a shape of size 1, 0 where the centre is a hole.
INNER_RADIUS = dict(disc=1.0, square=0.88, triangle=0.62, star=0.55, ring=0.0, cross=0.42)

#: Side of an object's texture in texels; it spans ``TEXTURE_EXTENT`` object sizes each way.
TEXTURE_SIZE = 48
TEXTURE_EXTENT = 1.3

_STUFF_COLOURS = np.array([[168, 184, 205], [176, 160, 132], [88, 104, 76], [92, 120, 132]])


def class_colors() -> list[list[int]]:
    """RGB of each class, things before stuff, to draw results in."""
    hues = np.arange(len(THING_CLASSES)) * 360 / len(THING_CLASSES)
    return [*(_rgb(hue, 0.8, 0.9).astype(int).tolist() for hue in hues), *_STUFF_COLOURS.tolist()]


def outline(name: str) -> list[np.ndarray]:
    """The closed contours of a shape of size 1 around the origin, each (n, 2); even-odd filled."""
    if name == 'disc':
        return [_polygon(32, 1.0)]
    if name == 'square':
        return [_polygon(4, 0.88 * np.sqrt(2))]
    if name == 'triangle':
        return [_polygon(3, 1.25)]
    if name == 'star':
        radii = np.where(np.arange(10) % 2, 0.55, 1.25)
        return [_polygon(10, 1.0) * radii[:, None]]
    if name == 'ring':
        return [_polygon(32, 1.1), _polygon(32, 0.55)]
    a, b = 1.15, 0.42
    corners = [(a, b), (b, b), (b, a), (-b, a), (-b, b), (-a, b)]
    return [np.array(corners + [(-x, -y) for x, y in corners])]


def object_texture(rng: np.random.Generator, label: int, hue_jitter: float) -> np.ndarray:
    """A two-tone pattern in the colour family of a class, (S, S, 3) uint8 RGB.

    Args:
        rng: source of the pattern, its frequency and its tones.
        label: index into ``THING_CLASSES``; the classes' hues are evenly spaced.
        hue_jitter: standard deviation around the class's hue, in degrees.
    """
    hue = (label * 360 / len(THING_CLASSES) + rng.normal(0, hue_jitter)) % 360
    light = _rgb(hue, rng.uniform(0.6, 0.95), rng.uniform(0.8, 1.0))
    dark = _rgb(hue, rng.uniform(0.75, 1.0), rng.uniform(0.4, 0.65))
    axis = np.linspace(-TEXTURE_EXTENT, TEXTURE_EXTENT, TEXTURE_SIZE)
    u, v = np.meshgrid(axis, axis)
    frequency = rng.uniform(5, 9)
    patterns = (
        0.5 + 0.4 * u,
        np.sin(frequency * u) > 0,
        np.sin(frequency * u) * np.sin(frequency * v) > 0,
        np.sin(frequency * u) * np.sin(frequency * v) > 0.5,
        np.sin(frequency * np.hypot(u, v)) > 0,
    )
    share = np.clip(patterns[rng.integers(len(patterns))], 0, 1)[..., None]
    return (share * light + (1 - share) * dark).astype(np.uint8)


def background(rng: np.random.Generator, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Regions of stuff with wavy borders.

    Returns:
        The picture (H, W, 3) uint8 RGB and the index into ``STUFF_CLASSES`` of each pixel (H, W).
    """
    count = int(rng.integers(3, 6))
    # At least three different classes, so that no video is a single region.
    labels = rng.permutation(len(STUFF_CLASSES))[np.arange(count) % len(STUFF_CLASSES)]
    centres = rng.uniform(0, (width, height), (count, 2))
    side = min(height, width)
    wobble_x, wobble_y = (smooth_noise(rng, height, width, 5) * 0.25 * side for _ in range(2))
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    distance = [np.hypot(x + wobble_x - cx, y + wobble_y - cy) for cx, cy in centres]
    region = np.argmin(distance, axis=0)  # (H, W)
    picture = np.zeros((height, width, 3))
    for index, label in enumerate(labels):
        inside = region == index
        tone = _STUFF_COLOURS[label] * rng.uniform(0.85, 1.12) + rng.normal(0, 5, 3)
        picture[inside] = tone + 34 * stuff_texture(rng, int(label), height, width)[inside, None]
    return np.clip(picture, 0, 255).astype(np.uint8), labels[region].astype(np.uint8)


def stuff_texture(rng: np.random.Generator, label: int, height: int, width: int) -> np.ndarray:
    """The brightness pattern of a stuff class, (H, W), about -1..1."""
    y = np.linspace(0, 1, height)[:, None]
    name = STUFF_CLASSES[label]
    if name == 'sky':
        return (y - 0.5) + smooth_noise(rng, height, width, 4) * 0.5
    if name == 'sand':
        return rng.normal(0, 0.35, (height, width))
    if name == 'grass':
        strokes = rng.normal(0, 0.6, (max(height // 6, 1), width))
        return cv2.resize(strokes, (width, height), interpolation=cv2.INTER_LINEAR)
    waves = np.sin(2 * np.pi * (y * rng.uniform(9, 13) + smooth_noise(rng, height, width, 6)))
    return 0.6 * waves


def smooth_noise(rng: np.random.Generator, height: int, width: int, cells: int) -> np.ndarray:
    """Noise of about ``cells`` bumps along each axis, (H, W), about -1..1."""
    grid = rng.uniform(-1, 1, (cells + 1, cells + 1))
    return cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)


def _polygon(corners: int, radius: float) -> np.ndarray:
    angle = np.pi / 4 + 2 * np.pi * np.arange(corners) / corners
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _rgb(hue: float, saturation: float, value: float) -> np.ndarray:
    # OpenCV keeps hues of float images in degrees and the other two in 0..1.
    pixel = np.array([[[hue, saturation, value]]], np.float32)
    return cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0] * 255
