"""From frame paths to tensors. Every random draw is made once and shared by a clip's frames.

Between ``LoadClip`` and ``PackClip`` a clip is a dict whose ``imgs`` are T frames (H, W, 3) uint8
RGB and whose ``frames``, in training, are T ``FrameAnnotations``. Transforms draw from numpy's
global generator, as mmcv's do; the dataset seeds it for every clip. A transform of mmcv or mmdet
for images joins in through mmcv's ``TransformBroadcaster(mapping=dict(img='imgs'),
auto_remap=True, share_random_params=True)``.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import cv2
import mmcv
import numpy as np
import torch
import torch.nn.functional as F
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData

from mmvseg.errors import UserError
from mmvseg.media.images import read_values
from mmvseg.media.pixel_values import ValueRange, check_range, to_uint8
from mmvseg.registry import TRANSFORMS
from mmvseg.structures import VideoDataSample

from .bit_masks import BitMasks
from .frame_annotations import FrameAnnotations

_META_KEYS = (
    'video_id',
    'video_name',
    'video_length',
    'frame_ids',
    'frame_paths',
    'ori_shape',
    'img_shape',
    'scale_factor',
    'flip',
    'is_first',
    'is_last',
)
#: What resizes the masks for each backend of the images: which pixel is the nearest.
_MASK_BACKENDS = dict(cv2='cv2', pillow='pillow', torch='pillow')


def probability(transform: str, value: Any) -> float:
    """A config's ``prob``, from 0 to 1.

    Raises:
        UserError: it is none.
    """
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UserError(f'{transform}.prob = {value!r}: must be a number from 0 to 1')
    return value


@TRANSFORMS.register_module()
class LoadClip(BaseTransform):
    """Decode the frames of a clip or window and, in training, the masks of their objects.

    Args:
        value_range: of pictures with more than 8 bits, the values that become 0 and 255; by
            default, 16 bits are divided by 256.
    """

    def __init__(self, value_range: ValueRange | None = None) -> None:
        if value_range is not None:
            check_range(value_range)
        self.value_range = value_range

    def transform(self, results: dict) -> dict:
        """Add ``imgs``, ``frames`` (if the item has objects), ``ori_shape`` and ``img_shape``.

        Raises:
            UserError: naming video and frame, where a file or mask is broken.
        """
        shape = (results['height'], results['width'])
        decoded: dict[int, np.ndarray] = {}  # a clip may show a frame several times
        for frame, path in zip(results['frame_ids'], results['frame_paths'], strict=True):
            if frame not in decoded:
                where = f'video {results["video_id"]}, frame {frame}'
                decoded[frame] = _read_frame(path, shape, where, self.value_range)
        results['imgs'] = [decoded[frame] for frame in results['frame_ids']]
        results.update(ori_shape=shape, img_shape=shape, scale_factor=(1.0, 1.0), flip=False)
        if self.has_annotations(results):
            known: dict[int, FrameAnnotations] = {}
            for index, frame in enumerate(results['frame_ids']):
                if frame not in known:
                    where = f'video {results["video_id"]}, frame {frame}'
                    known[frame] = self.load_annotations(results, index, where)
            results['frames'] = [known[frame] for frame in results['frame_ids']]
        return results

    def has_annotations(self, results: dict) -> bool:
        """Whether an item is of training."""
        return 'objects' in results

    def load_annotations(self, results: dict, index: int, where: str) -> FrameAnnotations:
        """Annotations of the clip's frame number ``index``; ``where`` is for messages."""
        shape = (results['height'], results['width'])
        return _load_annotations(results['objects'][index], shape, where)


@TRANSFORMS.register_module()
class ResizeClip(BaseTransform):
    """Resize all frames alike, keeping the aspect ratio: images bilinear, masks nearest.

    A frame is made as large as fits: its longer side is at most the scale's longer number, its
    shorter side at most the shorter one.

    Args:
        scale: two numbers in any order, or a list of such pairs to draw from.
        mode: how to draw from a list. ``'value'``: one of the pairs. ``'range'`` (two pairs): the
            long number between the two long ones and, independently, the short number between the
            two short ones, both ends included.
        backend: ``'pillow'`` averages over the pixels that a smaller frame leaves out, as DVIS was
            trained and tested; ``'torch'`` does the same in a fifth of the time, with weights of 16
            bits: of a thousand values about one is off by 1. ``'cv2'`` interpolates between the
            nearest four, as TeViT was.

    Example:
        >>> resize = ResizeClip([(640, 360), (960, 480)], mode='range')
        >>> long, short = resize.draw()
        >>> 640 <= long <= 960 and 360 <= short <= 480
        True
    """

    def __init__(
        self,
        scale: Sequence[int] | Sequence[Sequence[int]],
        mode: str = 'value',
        backend: str = 'cv2',
    ) -> None:
        pairs = [scale] if isinstance(scale[0], int) else scale
        self.scales = [(max(pair), min(pair)) for pair in pairs]
        if mode not in ('value', 'range') or (mode == 'range' and len(self.scales) != 2):
            raise UserError(
                f"ResizeClip(scale={scale}, mode={mode!r}): mode is 'value', or 'range' with "
                'two scales'
            )
        if backend not in _MASK_BACKENDS:
            raise UserError(
                f"ResizeClip(backend={backend!r}): backend is 'cv2', 'pillow' or 'torch'"
            )
        self.mode = mode
        self.backend = backend

    def draw(self) -> tuple[int, int]:
        """The (long, short) numbers of a clip."""
        if self.mode == 'value':
            return self.scales[np.random.randint(len(self.scales))]
        longs, shorts = zip(*self.scales, strict=True)
        long = np.random.randint(min(longs), max(longs) + 1)
        return int(long), int(np.random.randint(min(shorts), max(shorts) + 1))

    def transform(self, results: dict) -> dict:
        """Resize ``imgs`` and ``frames``; sets ``img_shape`` and ``scale_factor``."""
        height, width = results['img_shape']
        long, short = self.draw()
        factor = min(long / max(height, width), short / min(height, width))
        new = (max(int(height * factor + 0.5), 1), max(int(width * factor + 0.5), 1))
        results['imgs'] = each_once(
            lambda image: _resize_image(image, new, self.backend), results['imgs']
        )
        if 'frames' in results:
            scale = np.array([new[1] / width, new[0] / height] * 2, np.float32)
            results['frames'] = each_once(
                lambda annotations: _resize_annotations(annotations, new, scale, self.backend),
                results['frames'],
            )
        original_height, original_width = results['ori_shape']
        results['img_shape'] = new
        results['scale_factor'] = (new[1] / original_width, new[0] / original_height)
        return results


@TRANSFORMS.register_module()
class FlipClip(BaseTransform):
    """Mirror all frames of a clip left to right, or none.

    Args:
        prob: how often, 0..1.
    """

    def __init__(self, prob: float = 0.5) -> None:
        self.prob = probability(type(self).__name__, prob)

    def draw(self) -> bool:
        """Whether to mirror a clip."""
        return bool(np.random.random() < self.prob)

    def transform(self, results: dict) -> dict:
        """Mirror ``imgs`` and ``frames``; sets ``flip``."""
        results['flip'] = self.draw()
        if results['flip']:
            width = results['img_shape'][1]
            results['imgs'] = each_once(lambda image: cv2.flip(image, 1), results['imgs'])
            if 'frames' in results:
                results['frames'] = each_once(
                    lambda annotations: _flip_annotations(annotations, width), results['frames']
                )
        return results


@TRANSFORMS.register_module()
class PackClip(BaseTransform):
    """Make the item that the model's data preprocessor takes.

    Args:
        drop_empty: leave objects whose mask has no pixel left in a frame out of this frame, as DVIS
            does; TeViT keeps them by their box.
    """

    def __init__(self, drop_empty: bool = False) -> None:
        self.drop_empty = drop_empty

    def transform(self, results: dict) -> dict:
        """``inputs`` (T, 3, H, W) uint8 and ``data_samples``, a ``VideoDataSample``."""
        metainfo = {key: results[key] for key in _META_KEYS if key in results}
        if 'objects' in results:
            metainfo['last_frame_ids'] = [item['id'] for item in results['objects'][-1]]
        sample = VideoDataSample(metainfo=metainfo)
        if 'frames' in results:
            annotated: list[FrameAnnotations] = results['frames']
            if self.drop_empty:
                annotated = [annotations.visible() for annotations in annotated]
            sample.gt_instances = [
                InstanceData(
                    bboxes=torch.from_numpy(annotations.bboxes),
                    labels=torch.from_numpy(annotations.labels),
                    masks=torch.from_numpy(annotations.masks),
                    instance_ids=torch.from_numpy(annotations.instance_ids),
                )
                for annotations in annotated
            ]
        inputs = torch.from_numpy(_planes(results['imgs']))
        return dict(inputs=inputs, data_samples=sample)


def _resize_image(image: np.ndarray, size: tuple[int, int], backend: str) -> np.ndarray:
    """(H, W, 3) uint8 at another (height, width), bilinear."""
    if backend != 'torch':
        return mmcv.imresize(image, size[::-1], interpolation='bilinear', backend=backend)
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None]
    resized = F.interpolate(pixels, size, mode='bilinear', antialias=True)  # (1, 3, h, w)
    return resized[0].permute(1, 2, 0).numpy()


def each_once(change: Callable[[Any], Any], frames: Sequence[Any]) -> list[Any]:
    """What becomes of each frame of a clip; of one that is repeated, once."""
    changed: dict[int, Any] = {}
    for frame in frames:
        if id(frame) not in changed:
            changed[id(frame)] = change(frame)
    return [changed[id(frame)] for frame in frames]


def _planes(images: Sequence[np.ndarray]) -> np.ndarray:
    """Frames (H, W, 3) as one array (T, 3, H, W)."""
    height, width, channels = images[0].shape
    planes = np.empty((len(images), channels, height, width), images[0].dtype)
    for frame, image in zip(planes, images, strict=True):
        cv2.split(image, list(frame))
    return planes


def _read_frame(
    path: str, shape: tuple[int, int], where: str, value_range: ValueRange | None
) -> np.ndarray:
    try:
        values = read_values(path)
        image = to_uint8(values, value_range, path)
    except UserError as error:
        raise UserError(f'{where}: {error}') from error
    if image.shape[:2] != shape:
        raise UserError(
            f'{where}: {path} is {_size(image.shape)}, but the annotation file says {_size(shape)}'
        )
    if value_range is None and values.dtype == np.uint16:  # said once a process
        warnings.warn(
            'frames of 16 bits are divided by 256, which leaves those dark that use fewer bits: '
            'give value_range=(LOW, HIGH) of LoadClip',
            stacklevel=2,
        )
    return image


def _load_annotations(objects: list[dict], shape: tuple[int, int], where: str) -> FrameAnnotations:
    try:
        masks = BitMasks.from_codes([item['rle'] for item in objects], *shape)
    except ValueError as error:
        raise UserError(f'{where}: {error}') from error
    boxes = np.array([item['bbox'] for item in objects], np.float32)
    return FrameAnnotations(
        bboxes=boxes.reshape(-1, 4),
        labels=np.array([item['label'] for item in objects], np.int64),
        coded=masks,
        instance_ids=np.array([item['id'] for item in objects], np.int64),
    )


def _resize_annotations(
    annotations: FrameAnnotations, size: tuple[int, int], scale: np.ndarray, backend: str
) -> FrameAnnotations:
    masks = annotations.coded.resized(size, _MASK_BACKENDS[backend])
    limit = np.array([size[1], size[0]] * 2, np.float32)
    boxes = np.clip(annotations.bboxes * scale, 0, limit)
    return replace(annotations, bboxes=boxes, coded=masks)


def _flip_annotations(annotations: FrameAnnotations, width: int) -> FrameAnnotations:
    boxes = annotations.bboxes.copy()
    boxes[:, 0::2] = width - annotations.bboxes[:, 2::-2]
    return replace(annotations, bboxes=boxes, coded=annotations.coded.flipped())


def _size(shape: Sequence[int]) -> str:
    return f'{shape[0]} x {shape[1]} (height x width)'
