"""The segmenter over the frames of a window or clip, a few frames at a time."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmvseg.errors import UserError
from mmvseg.models.data_preprocessor import VideoDataPreprocessor
from mmvseg.models.losses import QueryPredictions
from mmvseg.models.precision import WHY_NOT_FINITE
from mmvseg.ops import upload
from mmvseg.structures import FrameQueries, VideoDataSample, VideoWindow

#: Pixels of the frames that backbone and head take at a time without gradients. A CPU is fastest
#: with one frame in its cache, a GPU with enough to fill it.
CHUNK_PIXELS = {'cpu': 2**18, 'cuda': 2**21}
#: What is looked at for numbers that are not finite.
_OUTPUTS = ('mask_features', 'query_embeds', 'class_logits', 'mask_embeds')


def segment_window(
    backbone: Callable[[Tensor], Any],
    head: Callable[[Any], FrameQueries],
    preprocessor: VideoDataPreprocessor,
    window: VideoWindow,
    frame_chunk: int | None = None,
) -> Iterator[FrameQueries]:
    """The frames of a window in order, some at a time.

    Raises:
        UserError: if the network gives numbers that are not finite.
    """
    for start, frames in network_frames(preprocessor, window, frame_chunk):
        queries = head(backbone(frames))
        require_finite([which_are_finite(queries)], 'segmenter', window.sample, start)
        yield queries


def network_frames(
    preprocessor: VideoDataPreprocessor, window: VideoWindow, frame_chunk: int | None = None
) -> Iterator[tuple[int, Tensor]]:
    """The frames of a window as the network takes them, some at a time.

    Yields:
        The place of the first of them in the window, and the frames, (n, 3, H, W).
    """
    size = preprocessor.padded_size([window.frames])
    step = frame_chunk or frames_at_a_time(size, preprocessor.mean.device)
    for start in range(0, len(window.frames), step):
        part = upload(window.frames[start : start + step], preprocessor.mean.device)
        yield start, preprocessor.normalise(part, size)


@torch.no_grad()
def segment_clips(backbone: nn.Module, head: nn.Module, inputs: Tensor) -> FrameQueries:
    """All frames of normalised clips (B, T, 3, H, W) at once, for training: N = B * T frames."""
    frames = inputs.flatten(0, 1)  # (N, 3, H, W)
    parts = [
        head(backbone(part))
        for part in frames.split(frames_at_a_time(frames.shape[-2:], frames.device))
    ]
    return FrameQueries(
        class_logits=torch.cat([part.class_logits for part in parts]),
        mask_embeds=torch.cat([part.mask_embeds for part in parts]),
        query_embeds=torch.cat([part.query_embeds for part in parts]),
        mask_features=torch.cat([part.mask_features for part in parts]),
    )


def as_images(queries: FrameQueries) -> QueryPredictions:
    """Predictions of N images of one frame each."""
    return QueryPredictions(
        queries.class_logits, queries.mask_embeds[:, None], queries.mask_features[:, None]
    )


def frames_at_a_time(size: tuple[int, int], device: torch.device) -> int:
    """How many padded frames of this size the segmenter takes at a time."""
    limit = CHUNK_PIXELS['cuda' if device.type == 'cuda' else 'cpu']
    return max(1, limit // (size[0] * size[1]))


def which_are_finite(queries: FrameQueries) -> Tensor:
    """Whether the numbers of N frames are finite, by output and frame, bool, (outputs, N)."""
    outputs = [getattr(queries, name) for name in _OUTPUTS]
    return torch.stack([output.isfinite().flatten(1).all(1) for output in outputs])


def require_finite(
    finite: Sequence[Tensor], module: str, sample: VideoDataSample, start: int = 0
) -> None:
    """Stop before damaged numbers become a result.

    Args:
        finite: of :func:`which_are_finite`, of consecutive frames; looked at in one transfer.
        module: what they come from.
        sample: gives the video's name and the indices of the window's frames.
        start: place in the window of the first of the frames.

    Raises:
        UserError: naming module, output, video and frame.
    """
    is_finite = torch.cat(list(finite), dim=1).cpu()  # (outputs, N)
    if not is_finite.all():
        frame, output = torch.nonzero(~is_finite.T)[0].tolist()
        raise UserError(
            f'video {sample.video_name!r}, frame {sample.frame_ids[start + frame]}: the '
            f'{_OUTPUTS[output]} of the {module} are not finite; {WHY_NOT_FINITE}'
        )


def freeze(*modules: nn.Module) -> None:
    """Let modules infer only: no gradients, no dropout, no batch statistics."""
    for module in modules:
        module.requires_grad_(False)
        module.eval()
