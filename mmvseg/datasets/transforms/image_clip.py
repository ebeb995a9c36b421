"""Images, as mmdet's data sets and transforms prepare them, for models that train on clips."""

from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData

from mmvseg.errors import UserError
from mmvseg.media.images import read_segment_map
from mmvseg.registry import TRANSFORMS
from mmvseg.structures import VideoDataSample

_META_KEYS = ('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor', 'flip')


@TRANSFORMS.register_module()
class LoadImageSegments(BaseTransform):
    """Things and stuff of an image of mmdet's ``CocoPanopticDataset``, each segment an object.

    Crowds are left out.

    Args:
        num_things: the classes below this index are things.
    """

    def __init__(self, num_things: int) -> None:
        self.num_things = num_things

    def transform(self, results: dict) -> dict:
        """Add ``gt_masks``, ``gt_bboxes`` and ``gt_bboxes_labels`` of the segments.

        Raises:
            UserError: the map of the segments cannot be read or is of another size.
        """
        size = (results['height'], results['width'])
        ids = read_segment_map(results['seg_map_path'], size)
        # mmdet notes a crowd of things as no thing
        segments = [
            segment
            for segment in results['segments_info']
            if segment['is_thing'] or segment['category'] >= self.num_things
        ]
        shown = np.array([segment['id'] for segment in segments], ids.dtype)
        masks = BitmapMasks((ids == shown[:, None, None]).astype(np.uint8), *size)
        results['gt_masks'] = masks
        results['gt_bboxes'] = masks.get_bboxes(HorizontalBoxes)
        results['gt_bboxes_labels'] = np.array([s['category'] for s in segments], np.int64)
        return results


@TRANSFORMS.register_module()
class PackImageClip(BaseTransform):
    """Make a clip of one frame of an image, in place of mmdet's ``PackDetInputs``.

    Objects to be ignored (crowds) and those whose mask has no pixel left are left out. Of a
    training image without objects nothing is made: the data set draws another one.

    Args:
        size: side of a square that the image is padded to, black, right and bottom.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def transform(self, results: dict) -> dict | None:
        """``inputs`` (1, 3, size, size) uint8 RGB and ``data_samples``, a ``VideoDataSample``.

        Raises:
            UserError: the image is larger than the square.
        """
        image = results['img']  # (h, w, 3), BGR
        if max(image.shape[:2]) > self.size:
            raise UserError(
                f'PackImageClip(size={self.size}): {results.get("img_path")} is '
                f'{image.shape[0]} x {image.shape[1]} here; resize or crop it before'
            )
        sample = VideoDataSample(metainfo={k: results[k] for k in _META_KEYS if k in results})
        sample.set_metainfo(dict(video_name=str(results.get('img_path'))))
        if 'gt_masks' in results:
            objects = self._objects(results)
            if not len(objects):
                return None
            sample.gt_instances = [objects]
        frame = np.ascontiguousarray(self._pad(image)[..., ::-1].transpose(2, 0, 1))
        return dict(inputs=torch.from_numpy(frame)[None], data_samples=sample)

    def _objects(self, results: dict[str, Any]) -> InstanceData:
        labels = results['gt_bboxes_labels']
        masks = results['gt_masks'].to_ndarray()  # (n, h, w)
        keep = masks.any((1, 2)) & ~results.get('gt_ignore_flags', np.zeros(len(labels), bool))
        return InstanceData(
            bboxes=results['gt_bboxes'].tensor[torch.from_numpy(keep)],
            labels=torch.from_numpy(labels[keep]),
            masks=torch.from_numpy(self._pad(masks[keep].transpose(1, 2, 0)).transpose(2, 0, 1)),
            instance_ids=torch.arange(int(keep.sum())),
        )

    def _pad(self, image: np.ndarray) -> np.ndarray:
        """(h, w, n) -> (size, size, n)."""
        padded = np.zeros((self.size, self.size, image.shape[2]), image.dtype)
        padded[: image.shape[0], : image.shape[1]] = image
        return padded
