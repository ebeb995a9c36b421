"""What travels with the frames of a clip or window: annotations in, predictions out."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.structures import BaseDataElement, InstanceData
from torch import Tensor


class VideoDataSample(BaseDataElement):
    """One clip (training) or one window (inference) of a video.

    Attributes:
        gt_instances: a list of T ``InstanceData``, one a frame, each with ``bboxes`` (n, 4) xyxy
            pixels of the network input, ``labels`` (n,), ``masks`` (n, H, W) uint8 and
            ``instance_ids`` (n,). The same id in two frames is the same object.
        pred: the video's result, e.g. :class:`mmvseg.structures.VideoInstances`.

    Meta information: ``video_id``, ``video_name``, ``video_length`` (frames of the whole video),
    ``frame_ids`` (indices of the sample's frames), ``frame_paths``, ``ori_shape``, ``img_shape``
    (resized, before padding), ``batch_input_shape`` (after padding; set by the preprocessor), all
    (H, W), ``scale_factor`` (w, h) = resized / original, ``flip``, for windows ``is_first`` and
    ``is_last``, and for clips ``last_frame_ids``, the instance ids annotated in the last frame,
    also of objects that a crop has removed from it.

    Example:
        >>> sample = VideoDataSample(metainfo=dict(video_id=1, img_shape=(96, 128)))
        >>> sample.gt_instances = [InstanceData(), InstanceData()]
        >>> len(sample.gt_instances)
        2
    """

    @property
    def gt_instances(self) -> list[InstanceData]:
        """Annotations, one ``InstanceData`` a frame."""
        return self._gt_instances

    @gt_instances.setter
    def gt_instances(self, value: list[InstanceData]) -> None:
        self.set_field(value, '_gt_instances', dtype=list)

    def __repr__(self) -> str:
        parts = [repr(self.get('video_name'))]
        if 'pred' in self:  # of the whole video, unlike the frame_ids
            parts.append(f'pred={self.pred!r}')
        elif 'frame_ids' in self:
            parts.append(f'frames {self.frame_ids[0]} to {self.frame_ids[-1]}')
        parts += [key.removeprefix('_') for key in self.keys() if key != 'pred']
        return f'VideoDataSample({", ".join(parts)})'

    def to(self, *args, **kwargs) -> 'VideoDataSample':
        """Move or cast the sample, including the per-frame annotations."""
        moved = super().to(*args, **kwargs)
        if '_gt_instances' in moved:
            moved.gt_instances = [frame.to(*args, **kwargs) for frame in self.gt_instances]
        return moved

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        frames = state.get('_gt_instances')
        if frames and _can_be_packed(frames):
            state['_gt_instances'] = _pack(frames)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        frames = state.get('_gt_instances')
        if isinstance(frames, tuple):
            state = dict(state, _gt_instances=_unpack(*frames))
        self.__dict__.update(state)


def _can_be_packed(frames: Sequence[InstanceData]) -> bool:
    """Whether all have the same fields, at least one, and nothing but tensors."""
    keys = set(frames[0].keys())
    return bool(keys) and all(
        set(frame.keys()) == keys
        and not frame.metainfo_keys()
        and all(isinstance(value, Tensor) for value in frame.values())
        for frame in frames
    )


def _pack(frames: Sequence[InstanceData]) -> tuple[list[int], dict[str, Tensor]]:
    """The frames' numbers of objects, and their fields one after another.

    A tensor that comes from a worker costs the training process a fifth of a millisecond, however
    small it is: a clip of 21 frames has 84, packed 4.
    """
    keys = frames[0].keys()
    fields = {key: torch.cat([frame[key] for frame in frames]) for key in keys}
    return [len(frame) for frame in frames], fields


def _unpack(counts: list[int], fields: dict[str, Tensor]) -> list[InstanceData]:
    by_frame = zip(*(tensor.split(counts) for tensor in fields.values()), strict=True)
    return [InstanceData(**dict(zip(fields, parts, strict=True))) for parts in by_frame]
