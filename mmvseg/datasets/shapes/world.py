"""One Shapes video: textured objects that cross, hide one another, leave and come back.

Everything is drawn from one random generator, so a video is a function of its seed. Masks are
exact: an object's mask is the set of pixels that were painted with its texture.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.interpolate import PchipInterpolator

from .textures import (
    INNER_RADIUS,
    TEXTURE_EXTENT,
    TEXTURE_SIZE,
    THING_CLASSES,
    background,
    object_texture,
    outline,
)

#: Frames between two waypoints of an object's path.
_WAYPOINT_FRAMES = 7
#: Fractional bits of polygon corners given to OpenCV.
_SHIFT = 4


@dataclass(frozen=True)
class ShapesOptions:
    """What a Shapes video looks like.

    Attributes:
        height: of the frames, in pixels.
        width: of the frames, in pixels.
        length: number of frames.
        difficulty: 0 (few, slow, well separated objects) to 1 (many, fast, much hidden).
    """

    height: int = 96
    width: int = 128
    length: int = 12
    difficulty: float = 0.5


@dataclass(frozen=True)
class ShapesFrame:
    """One rendered frame.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        instances: index of the visible object of each pixel, -1 for background, (H, W) int.
        full_masks: the pixels that each object covers, hidden ones included, (N, H, W) bool.
        stuff: index into ``STUFF_CLASSES`` of the background of each pixel, (H, W) uint8.
    """

    image: np.ndarray
    instances: np.ndarray
    full_masks: np.ndarray
    stuff: np.ndarray


@dataclass
class _Object:
    label: int
    texture: np.ndarray  # (S, S, 3)
    radius: float  # pixels at scale 1
    path: np.ndarray  # (T, 2) xy of the centre
    scale: np.ndarray  # (T,)
    angle: np.ndarray  # (T,) radians


class ShapesWorld:
    """A video of the Shapes world.

    Args:
        options: size, length and difficulty.
        seed: entropy of the video; any sequence of integers.

    Example:
        >>> world = ShapesWorld(ShapesOptions(length=4), seed=[0, 1])
        >>> world.render(3).image.shape
        (96, 128, 3)
    """

    def __init__(self, options: ShapesOptions, seed: list[int]) -> None:
        self.options = options
        self._rng = np.random.default_rng(seed)
        self._side = min(options.height, options.width)
        self._margin = max(self._side // 8, 1)
        self._canvas, self._stuff = background(
            self._rng, options.height + 2 * self._margin, options.width + 2 * self._margin
        )
        #: Objects from the back to the front.
        self.objects = self._make_objects()
        self._pan = self._make_pan()
        self._noise_seed = int(self._rng.integers(2**32))

    @property
    def labels(self) -> list[int]:
        """Index into ``THING_CLASSES`` of each object."""
        return [item.label for item in self.objects]

    def render(self, frame: int) -> ShapesFrame:
        """Draw frame number ``frame`` (0-based); frames may be drawn in any order."""
        height, width = self.options.height, self.options.width
        top, left = self._pan[frame]
        image = self._canvas[top : top + height, left : left + width].copy()
        instances = np.full((height, width), -1, np.int32)
        full_masks = np.zeros((len(self.objects), height, width), bool)
        for index, item in enumerate(self.objects):
            mask, paint = self._draw(item, frame)
            full_masks[index] = mask
            image[mask] = paint[mask]
            instances[mask] = index
        stuff = self._stuff[top : top + height, left : left + width]
        return ShapesFrame(self._add_noise(image, frame), instances, full_masks, stuff)

    def _draw(self, item: _Object, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """The object's pixels (H, W) bool, and its texture laid over the image (H, W, 3)."""
        height, width = self.options.height, self.options.width
        size = item.radius * item.scale[frame]
        cos, sin = size * np.cos(item.angle[frame]), size * np.sin(item.angle[frame])
        turn = np.array([[cos, -sin], [sin, cos]])
        centre = item.path[frame]
        contours = [
            np.round((points @ turn.T + centre) * 2**_SHIFT).astype(np.int32)
            for points in outline(THING_CLASSES[item.label])
        ]
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, contours, 1, lineType=cv2.LINE_8, shift=_SHIFT)
        texel = 2 * TEXTURE_EXTENT / (TEXTURE_SIZE - 1)
        linear = turn * texel
        offset = centre - turn @ np.full(2, TEXTURE_EXTENT)
        affine = np.concatenate([linear, offset[:, None]], axis=1)
        paint = cv2.warpAffine(
            item.texture, affine, (width, height), borderMode=cv2.BORDER_REPLICATE
        )
        return mask.astype(bool), paint

    def _add_noise(self, image: np.ndarray, frame: int) -> np.ndarray:
        rng = np.random.default_rng([self._noise_seed, frame])
        spread = 2 + 5 * self.options.difficulty
        noise = rng.standard_normal(image.shape, np.float32) * spread
        gain = 1 + 0.03 * self.options.difficulty * rng.standard_normal()
        return np.clip(image * gain + noise, 0, 255).astype(np.uint8)

    def _make_objects(self) -> list[_Object]:
        rng, difficulty = self._rng, self.options.difficulty
        count = int(rng.integers(2, 4 + round(3 * difficulty)))
        objects: list[_Object] = []
        if rng.random() < 0.3 + 0.6 * difficulty:
            objects.append(self._occluder())
        for _ in range(count - len(objects)):
            if objects and rng.random() < 0.15 + 0.4 * difficulty:
                objects.append(self._look_alike(objects[int(rng.integers(len(objects)))]))
            else:
                objects.append(self._new_object())
        # Mostly, not always, the larger object is in front: then it can hide the other one.
        order = np.argsort([item.radius * rng.uniform(0.7, 1.3) for item in objects])
        objects = [objects[i] for i in order]
        for item, path in zip(objects, self._make_paths(objects), strict=True):
            item.path = path
        return objects

    def _new_object(self) -> _Object:
        rng = self._rng
        label = int(rng.integers(len(THING_CLASSES)))
        texture = object_texture(rng, label, 8 + 12 * self.options.difficulty)
        return self._moving(label, texture, self._side * rng.uniform(0.15, 0.28))

    def _occluder(self) -> _Object:
        """A large object without gaps, which can hide a small one wholly."""
        rng = self._rng
        label = int(rng.choice([THING_CLASSES.index('disc'), THING_CLASSES.index('square')]))
        texture = object_texture(rng, label, 8 + 12 * self.options.difficulty)
        return self._moving(label, texture, self._side * rng.uniform(0.26, 0.3))

    def _look_alike(self, model: _Object) -> _Object:
        """A second object of the same class with the same texture."""
        radius = model.radius * self._rng.uniform(0.85, 1.15)
        return self._moving(model.label, model.texture, radius)

    def _moving(self, label: int, texture: np.ndarray, radius: float) -> _Object:
        rng, difficulty = self._rng, self.options.difficulty
        time = np.arange(self.options.length)
        period = rng.uniform(15, 40)
        swing = rng.uniform(0, 0.1 + 0.15 * difficulty)
        scale = 1 + swing * np.sin(2 * np.pi * time / period + rng.uniform(0, 2 * np.pi))
        angle = rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.05 + 0.08 * difficulty) * time
        return _Object(label, texture, radius, np.zeros((len(time), 2)), scale, angle)

    def _make_paths(self, objects: list[_Object]) -> list[np.ndarray]:
        """Centres (T, 2) of each object: random waypoints, then meetings and exits put in."""
        rng = self._rng
        waypoints = [self._wander(item) for item in objects]
        scenes = self.options.length / 20 * (0.6 + 2.4 * self.options.difficulty)
        for _ in range(int(rng.poisson(scenes))):
            self._meet(objects, waypoints)
        for index in rng.permutation(len(objects))[: rng.poisson(0.7 * scenes)]:
            self._leave(objects[index], waypoints[index])
        time = np.arange(self.options.length)
        return [_interpolate(points, time) for points in waypoints]

    def _wander(self, item: _Object) -> dict[int, np.ndarray]:
        """Waypoints by frame: a random walk whose steps bound the speed."""
        rng = self._rng
        low = np.full(2, 0.8 * item.radius)
        high = np.array([self.options.width, self.options.height]) - low
        step = self._side * (0.15 + 0.4 * self.options.difficulty)
        point = rng.uniform(low, high)
        waypoints = {}
        for frame in range(0, self.options.length + _WAYPOINT_FRAMES, _WAYPOINT_FRAMES):
            waypoints[frame] = point
            point = np.clip(point + rng.uniform(-step, step, 2), low, high)
        return waypoints

    def _meet(self, objects: list[_Object], waypoints: list[dict[int, np.ndarray]]) -> None:
        """Let two objects be at one place at one time, preferably one that hides the other."""
        rng = self._rng
        pairs = [(back, front) for front in range(len(objects)) for back in range(front)]
        weights = np.array([_hides(objects[f], objects[b]) * 9 + 1.0 for b, f in pairs])
        back, front = pairs[int(rng.choice(len(pairs), p=weights / weights.sum()))]
        # Not at the very end, so that they also come apart again.
        frame = int(self.options.length * rng.uniform(0.1, 0.75))
        place = rng.uniform(0.2, 0.8, 2) * (self.options.width, self.options.height)
        for index in (back, front):
            point = place + rng.normal(0, 0.02 * self._side, 2)
            _put(waypoints[index], frame, point)
            # They stay together for a moment, so that hidden means hidden for some frames.
            waypoints[index][frame + 2] = point

    def _leave(self, item: _Object, waypoints: dict[int, np.ndarray]) -> None:
        """Send an object out of the picture for some frames."""
        rng = self._rng
        outside = rng.uniform(0, 1, 2) * (self.options.width, self.options.height)
        axis = int(rng.integers(2))
        limit = (self.options.width, self.options.height)[axis]
        reach = 1.25 * item.radius * item.scale.max()
        outside[axis] = -reach if rng.random() < 0.5 else limit + reach
        frame = int(rng.integers(self.options.length))
        _put(waypoints, frame, outside)
        waypoints[frame + 2] = outside

    def _make_pan(self) -> np.ndarray:
        """Top left corner of the camera on the canvas, (T, 2) integer (y, x)."""
        rng = self._rng
        time = np.arange(self.options.length)[:, None]
        phase = rng.uniform(0, 2 * np.pi, 2) + time * rng.uniform(0.03, 0.12, 2)
        reach = self._margin * self.options.difficulty
        return np.round(self._margin + reach * np.sin(phase)).astype(int)


def _hides(front: _Object, back: _Object) -> bool:
    return front.radius * INNER_RADIUS[THING_CLASSES[front.label]] > 1.3 * back.radius


def _put(waypoints: dict[int, np.ndarray], frame: int, point: np.ndarray) -> None:
    """Add a waypoint in place of those too near in time to be reached at a natural speed."""
    for near in [key for key in waypoints if abs(key - frame) < _WAYPOINT_FRAMES // 2 + 1]:
        del waypoints[near]
    waypoints[frame] = point


def _interpolate(waypoints: dict[int, np.ndarray], time: np.ndarray) -> np.ndarray:
    frames = sorted(waypoints)
    points = np.array([waypoints[frame] for frame in frames])
    if len(frames) == 1:
        return np.repeat(points, len(time), axis=0)
    # Held at the ends: an extrapolated cubic would run away.
    return PchipInterpolator(frames, points)(np.clip(time, frames[0], frames[-1]))
