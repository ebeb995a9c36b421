"""What the queries of a clip have to find, from its annotations frame by frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmvseg.ops import upload
from mmvseg.structures import VideoDataSample

from .query_predictions import MaskTargets


@dataclass
class ClipObjects:
    """The N objects of a clip of T frames.

    Attributes:
        labels: class indices, (N,).
        masks: empty where the object is not visible, (N, T, H, W) uint8.
        visible: (N, T) bool, on the CPU.
        ids: instance ids of the data set, ascending, (N,), on the CPU.
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
        device = frames[0].masks.device
        counts = [len(frame.instance_ids) for frame in frames]
        # One transfer for all frames; what is decided by ids is decided on the CPU.
        shown = torch.cat([frame.instance_ids for frame in frames]).cpu()
        ids, slots = torch.unique(shown, return_inverse=True)  # (N,), (sum of counts,)
        size = frames[0].masks.shape[-2:]
        labels = ids.new_zeros(len(ids), device=device)
        masks = torch.zeros(len(ids), len(frames), *size, dtype=torch.uint8, device=device)
        visible = torch.zeros(len(ids), len(frames), dtype=torch.bool)
        by_frame = zip(
            frames, slots.split(counts), upload(slots, device).split(counts), strict=True
        )
        for t, (frame, here, there) in enumerate(by_frame):
            labels[there] = frame.labels
            masks[there, t] = frame.masks.to(torch.uint8)
            visible[here, t] = True
        if absent_label is not None:
            annotated = sample.get('last_frame_ids', shown.split(counts)[-1].tolist())
            absent = ~torch.isin(ids, ids.new_tensor(annotated))
            labels.masked_fill_(upload(absent, device), absent_label)
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
