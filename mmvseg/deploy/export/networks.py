"""The networks of a model as modules of tensors alone: what is traced.

Each has the names and axes of its inputs and outputs beside its forward pass. B = 1 everywhere.
"""

import torch
from torch import Tensor, nn

from mmvseg.models.segmentors import EoMT, VidEoMT
from mmvseg.models.trackers import ReferringTracker, TemporalRefiner
from mmvseg.structures import FrameQueries

from .pixel_decoder import TraceablePixelDecoder

#: What every network of a frame gives.
QUERIES = ('class_logits', 'mask_embeds', 'query_embeds', 'mask_features')


class MaskedAttentionFrame(nn.Module):
    """A frame through backbone and ``FrameQueryHead``: MinVIS, and the segmenter of DVIS.

    Args:
        model: MinVIS or one of DVIS.
    """

    inputs = ('frame',)
    outputs = QUERIES

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.backbone, self.head = model.backbone, model.panoptic_head
        self.pixel_decoder = TraceablePixelDecoder(model.panoptic_head.pixel_decoder)

    def forward(self, frame: Tensor) -> tuple[Tensor, ...]:
        """(1, 3, H, W) normalised -> (1, Q, K + 1), (1, Q, C), (1, Q, C), (1, C, H / 4, W / 4)."""
        _, queries = self.head.decode_layers(*self.pixel_decoder(self.backbone(frame)))
        return _tensors(queries)


class TokenFrame(nn.Module):
    """A frame through a plain transformer: EoMT.

    Args:
        model: the model.
    """

    inputs = ('frame',)
    outputs = QUERIES

    def __init__(self, model: EoMT) -> None:
        super().__init__()
        self.model = model

    def forward(self, frame: Tensor) -> tuple[Tensor, ...]:
        """As of :class:`MaskedAttentionFrame`."""
        return _tensors(self.model.segment(self.model.encode(frame)))


class PropagatedFrame(nn.Module):
    """A frame and the queries of the frame before: VidEoMT and PMT.

    Args:
        model: the model.
    """

    inputs = ('frame', 'queries')
    outputs = (*QUERIES, 'next_queries')

    def __init__(self, model: VidEoMT) -> None:
        super().__init__()
        self.model = model

    def forward(self, frame: Tensor, queries: Tensor) -> tuple[Tensor, ...]:
        """(1, 3, H, W) and (1, Q, C) -> what a frame gives, and the next frame's (1, Q, C)."""
        found, following = self.model.step(self.model.encode(frame), queries)
        upscaled = self.model.panoptic_head.upscale(found.mask_features)
        return (*_tensors(found)[:-1], upscaled, following)


class TrackerStep(nn.Module):
    """The referring tracker for one frame.

    At a video's beginning there is no output of the frame before: what is refined asks for itself.

    Args:
        tracker: the tracker.
    """

    inputs = ('aligned', 'queries', 'previous', 'is_first')
    outputs = ('state', 'embeds', 'class_logits', 'mask_embeds')

    def __init__(self, tracker: ReferringTracker) -> None:
        super().__init__()
        self.tracker = tracker

    def forward(
        self, aligned: Tensor, queries: Tensor, previous: Tensor, is_first: Tensor
    ) -> tuple[Tensor, ...]:
        """Track.

        Args:
            aligned: the frame's queries in the order of the slots, (1, Q, C).
            queries: in the segmenter's order, (1, Q, C).
            previous: ``state`` of the frame before; of no meaning at the first frame, (1, Q, C).
            is_first: whether the video begins with this frame, (1,) bool.

        Returns:
            State and normalised output (1, Q, C), class logits (1, Q, K + 1) and mask embeddings
            (1, Q, C).
        """
        state = aligned
        for layer in self.tracker.layers:
            state = layer(state, torch.where(is_first, state, previous), queries)
        embeds = self.tracker.normalise(state)
        return state, embeds, self.tracker.classify(embeds), self.tracker.embed_masks(embeds)


class Refiner(nn.Module):
    """The temporal refiner over all T frames of a video.

    Args:
        refiner: the refiner.
    """

    inputs = ('tracked', 'frame_queries')
    outputs = ('frame_logits', 'activations', 'mask_embeds')

    def __init__(self, refiner: TemporalRefiner) -> None:
        super().__init__()
        self.refiner = refiner

    def forward(self, tracked: Tensor, frame_queries: Tensor) -> tuple[Tensor, ...]:
        """Refine.

        Args:
            tracked: ``embeds`` of the tracker, (1, T, Q, C).
            frame_queries: ``embeds`` of the tracker for each frame as if a video began with it,
                (1, T, Q, C).

        Returns:
            Class logits of each frame (1, T, Q, K + 1) and how much it counts before the softmax
            over the frames (1, T, Q); mask embeddings (1, T, Q, C).
        """
        refined = tracked
        for layer in self.refiner.layers:
            refined = layer.within_frames(layer.along_time(refined), frame_queries)
        embeds = self.refiner.normalise(refined)
        return (
            # A mean commutes with a linear layer, so the frames can be weighed outside.
            self.refiner.class_embed(embeds),
            self.refiner.activation_proj(embeds).squeeze(3),
            self.refiner.embed_masks(embeds),
        )


def _tensors(queries: FrameQueries) -> tuple[Tensor, ...]:
    return tuple(getattr(queries, name) for name in QUERIES)


def learned_queries(model: VidEoMT) -> Tensor:
    """With which a video begins, (1, Q, C)."""
    return model.panoptic_head.learned_queries(1).detach().clone()
