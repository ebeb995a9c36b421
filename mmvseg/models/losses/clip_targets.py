"""What the queries of a clip have to find, from its annotations frame by frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmvseg.structures import VideoDataSample

from .query_predictions import MaskTargets


@dataclass
class ClipObjects:
    """The N objects of a clip of T frames.

    Attributes:
        labels: class indices, (N,).
        masks: empty where the object is not visible, (N, T, H, W) uint8.
        visible: (N, T) bool.
        ids: instance ids of the data set, ascending, (N,).
    """

    labels: Tensor
    masks: Tensor
    visible: Tensor
    ids: Tensor

    @classmethod
    def gather(cls, sample: VideoDataSample, absent_label: int | None = None) -> 'ClipObjects':
        """Collect the objects that are visible in at least one frame.

        Args:
            sample: a clip with annotations, masks padded to ``batch_input_shape``.
            absent_label: label of objects that are not annotated in the last frame; None: their
                own.
        """
        frames: list[InstanceData] = sample.gt_instances
        ids = torch.unique(torch.cat([frame.instance_ids for frame in frames]))  # (N,)
        size = frames[0].masks.shape[-2:]
        labels = ids.new_full((len(ids),), 0)
        masks = torch.zeros(len(ids), len(frames), *size, dtype=torch.uint8, device=ids.device)
        visible = torch.zeros(len(ids), len(frames), dtype=torch.bool, device=ids.device)
        for t, frame in enumerate(frames):
            slots = torch.searchsorted(ids, frame.instance_ids)
            labels[slots] = frame.labels
            masks[slots, t] = frame.masks.to(torch.uint8)
            visible[slots, t] = True
        if absent_label is not None:
            annotated = sample.get('last_frame_ids', frames[-1].instance_ids.tolist())
            labels[~torch.isin(ids, ids.new_tensor(annotated))] = absent_label
        return cls(labels, masks, visible, ids)

    def by_frame(self) -> list[MaskTargets]:
        """One image a frame, each with all N objects."""
        return [
            MaskTargets(self.labels, self.masks[:, t], self.visible[:, t])
            for t in range(self.masks.shape[1])
        ]

    def whole(self) -> MaskTargets:
        """The clip as one image, its frames stacked along the height."""
        return MaskTargets(self.labels, self.masks.flatten(1, 2), self.visible.any(1))


def video_names(data_samples: Sequence[VideoDataSample], repeat: int = 1) -> list[str]:
    """Name of the video of each clip, each ``repeat`` times, for messages."""
    names = [str(sample.get('video_name', sample.get('video_id'))) for sample in data_samples]
    return [name for name in names for _ in range(repeat)]
