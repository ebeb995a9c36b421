"""Frames to the device, normalised and padded: the same for clips and windows."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from mmengine.model import BaseDataPreprocessor
from torch import Tensor

from mmvseg.errors import UserError
from mmvseg.registry import MODELS
from mmvseg.structures import VideoDataSample


@MODELS.register_module()
class VideoDataPreprocessor(BaseDataPreprocessor):
    """Normalise uint8 RGB clips, then zero-pad them right and bottom to one size.

    Padding comes after normalisation, so the padding equals the mean colour. Ground-truth masks
    are padded along.

    Args:
        mean: per-channel mean, RGB, 0..255.
        std: per-channel standard deviation, RGB.
        pad_size_divisor: height and width of the batch become multiples of this.
    """

    def __init__(
        self, mean: Sequence[float], std: Sequence[float], pad_size_divisor: int = 32
    ) -> None:
        for name, values in dict(mean=mean, std=std).items():
            if len(values) != 3 or not all(math.isfinite(v) for v in values) or 0 in std:
                raise UserError(
                    f'data_preprocessor.{name} = {values}: must be three numbers, of red, green '
                    'and blue, and no std 0'
                )
        if pad_size_divisor < 1:
            raise UserError(f'data_preprocessor.pad_size_divisor = {pad_size_divisor}: below 1')
        super().__init__(non_blocking=True)
        self.pad_size_divisor = pad_size_divisor
        self.register_buffer('mean', torch.tensor(mean).view(-1, 1, 1), persistent=False)
        self.register_buffer('std', torch.tensor(std).view(-1, 1, 1), persistent=False)

    def forward(self, data: dict, training: bool = False) -> dict:
        """Collated clips to a batch.

        Args:
            data: ``inputs``, B clips (T, 3, h, w) uint8, and ``data_samples``, B samples.
            training: unused, mmengine's interface.

        Returns:
            ``inputs`` (B, T, 3, H, W) float32 and the ``data_samples`` with ``batch_input_shape``.
        """
        data = self.cast_data(data)
        clips, data_samples = data['inputs'], data['data_samples']
        height, width = self.padded_size(clips)
        inputs = torch.stack([self.normalise(clip, (height, width)) for clip in clips])
        for sample in data_samples:
            sample.set_metainfo(dict(batch_input_shape=(height, width)))
            self._pad_masks(sample, height, width)
        return dict(inputs=inputs, data_samples=data_samples)  # (B, T, 3, H, W)

    def padded_size(self, clips: Sequence[Tensor]) -> tuple[int, int]:
        """Height and width that hold every clip (..., h, w), multiples of the divisor."""
        height = max(clip.shape[-2] for clip in clips)
        width = max(clip.shape[-1] for clip in clips)
        return self.padded_shape((height, width))

    def padded_shape(self, shape: tuple[int, int]) -> tuple[int, int]:
        """Height and width after padding to multiples of the divisor."""
        divisor = self.pad_size_divisor
        return -(-shape[0] // divisor) * divisor, -(-shape[1] // divisor) * divisor

    def normalise(self, frames: Tensor, size: tuple[int, int]) -> Tensor:
        """uint8 frames (T, 3, h, w) to float32, padded to ``size`` (H, W)."""
        normalised = (frames.float() - self.mean) / self.std
        height, width = frames.shape[-2:]
        return F.pad(normalised, (0, size[1] - width, 0, size[0] - height))  # (T, 3, H, W)

    @staticmethod
    def _pad_masks(sample: VideoDataSample, height: int, width: int) -> None:
        if '_gt_instances' not in sample:
            return
        for instances in sample.gt_instances:
            h, w = instances.masks.shape[-2:]
            instances.masks = F.pad(instances.masks, (0, width - w, 0, height - h))
