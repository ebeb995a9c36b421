"""VidEoMT: EoMT whose queries go on to the next frame (CVPR 2026).

No tracker and no matching between frames: query k is the same object in all frames, since it is
what became of query k of the frame before. Unlike the published code, any number of clips per
process trains correctly.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from mmvseg.errors import UserError
from mmvseg.models.backbones.vit import ImageTokens
from mmvseg.models.losses import ClipObjects, MaskTargets, VidEoMTCriterion, video_names
from mmvseg.models.task_modules import ConsistentQueryMatcher
from mmvseg.registry import MODELS
from mmvseg.structures import ClipQueries, FrameQueries, VideoDataSample, VideoWindow

from .eomt import EoMT
from .frame_segmentation import freeze, network_frames, require_finite, which_are_finite
from .online import OnlineState


@MODELS.register_module()
class VidEoMT(EoMT):
    """EoMT with query propagation.

    Args:
        backbone: ``DINOViT``; all of it is trained.
        panoptic_head: ``TokenQueryHead``.
        num_query_blocks: L, the last blocks of the backbone, which see the queries.
        frames_alone: the stage before: frames are images, tracked as MinVIS does; what carries
            the queries on is there, but neither trained nor used.
        normalise_layers: whether predictions before the last, and the queries that go on, are made
            of normalised tokens; published checkpoints depend on it.
        supervise_last_input: whether the prediction before the last block has a loss; as published
            it has none.
        absent_as_last_class: as published for YouTube-VIS and OVIS, an object that is not visible
            in the last frame of a clip is matched as "no object" and trained as the last class;
            False: it keeps its class. Needs ``VidEoMTCriterion``.
        **settings: see :class:`EoMT`.

    Raises:
        UserError: the criterion does not do what the other arguments need.
    """

    def __init__(
        self,
        backbone: dict,
        panoptic_head: dict,
        num_query_blocks: int,
        frames_alone: bool = False,
        normalise_layers: bool = False,
        supervise_last_input: bool = False,
        absent_as_last_class: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(
            backbone,
            panoptic_head,
            num_query_blocks,
            masked_attention=False,
            normalise_layers=normalise_layers,
            supervise_last_input=supervise_last_input,
            **settings,
        )
        del self.mask_probabilities
        embed_dims = self.panoptic_head.query_feat.embedding_dim
        self.query_updater = nn.Linear(embed_dims, embed_dims)
        self.absent_as_last_class = absent_as_last_class
        self.frames_alone = frames_alone
        if frames_alone:
            freeze(self.query_updater)
        self._check_criterion()

    def loss(self, inputs: Tensor, data_samples: list[VideoDataSample]) -> dict[str, Tensor]:
        """Losses of clips (B, T, 3, H, W); an object has one query in all frames of its clip."""
        if self.frames_alone:
            return super().loss(inputs, data_samples)
        sequences, grid = self.decode_clips(inputs)
        layers = self.predict_layers([frames.flatten(0, 1) for frames in sequences], grid)
        num_frames = inputs.shape[1]
        videos = video_names(data_samples, num_frames)
        losses = self.criterion(layers, self._targets(data_samples), num_frames, videos=videos)
        if num_frames == 1:  # nothing is carried on, but DDP waits for every gradient
            unused = sum(parameter.sum() for parameter in self.query_updater.parameters())
            losses['loss_ce'] = losses['loss_ce'] + 0 * unused
        return losses

    def raw_outputs(self, inputs: Tensor) -> ClipQueries:
        """The queries of clips (B, T, 3, H, W)."""
        if self.frames_alone:
            return super().raw_outputs(inputs)
        sequences, grid = self.decode_clips(inputs)
        return self.read(sequences[-1].flatten(0, 1), grid).unflatten(inputs.shape[:2])

    def follow(self, state: OnlineState, window: VideoWindow) -> Iterator[FrameQueries]:
        """One frame after the other; ``state.memory`` are the queries of the next, (1, Q, C)."""
        if self.frames_alone:
            yield from super().follow(state, window)
            return
        chunks = network_frames(self.data_preprocessor, window, self.test_cfg.frame_chunk)
        for start, frames in chunks:
            image, finite = self.encode(frames), []
            for tokens in image.tokens.split(1):
                if state.memory is None:
                    state.memory = self.panoptic_head.learned_queries(1)
                queries, state.memory = self.step(replace(image, tokens=tokens), state.memory)
                finite.append(which_are_finite(queries))
                yield queries
            # Behind the loop: a GPU would wait at every frame.
            require_finite(finite, 'network', window.sample, start)

    def step(self, image: ImageTokens, queries: Tensor) -> tuple[FrameQueries, Tensor]:
        """From frame to frame.

        Args:
            image: N frames of as many videos.
            queries: for them, (N, Q, C).

        Returns:
            What they find, as of :meth:`read_patches`, and the queries for the next frame.
        """
        *_, tokens = self.decode(image, queries)
        return self.read_patches(tokens, image.grid), self.propagate(tokens)

    def propagate(self, tokens: Tensor) -> Tensor:
        """Queries for the next frame (N, Q, C) from the tokens after the last block of this one.

        VidEoMT, section 3.3: what was found, through a linear layer, plus what is always looked
        for.
        """
        found = tokens[:, : self.panoptic_head.query_feat.num_embeddings]
        if self.normalise_layers:
            found = self.last_norm(found)
        return self.query_updater(found) + self.panoptic_head.query_feat.weight

    def decode_clips(self, inputs: Tensor) -> tuple[list[Tensor], tuple[int, int]]:
        """Frames of clips (B, T, 3, H, W) in order, clips side by side.

        Returns:
            The L + 1 token sequences of :meth:`.EoMT.decode`, each (B, T, Q + S, C), and the grid.
        """
        image = self.encode(inputs.flatten(0, 1))
        frames = image.tokens.unflatten(0, inputs.shape[:2]).unbind(1)  # T times (B, S, C)
        queries = self.panoptic_head.learned_queries(len(inputs))
        decoded = []
        for tokens in frames:
            decoded.append(list(self.decode(replace(image, tokens=tokens), queries)))
            queries = self.propagate(decoded[-1][-1])
        return [torch.stack(layer, dim=1) for layer in zip(*decoded, strict=True)], image.grid

    def _visible(self, tokens: Tensor, grid: tuple[int, int], block: int) -> None:
        """Everything attends to everything."""

    def _targets(self, data_samples: list[VideoDataSample]) -> list[MaskTargets]:
        absent_label = self.criterion.num_classes if self.absent_as_last_class else None
        clips = [ClipObjects.gather(sample, absent_label) for sample in data_samples]
        return [target for clip in clips for target in clip.by_frame()]

    def _check_criterion(self) -> None:
        if self.criterion is None:
            return
        if self.absent_as_last_class and not isinstance(self.criterion, VidEoMTCriterion):
            raise UserError(
                f'model.criterion.type = {type(self.criterion).__name__}: '
                "absent_as_last_class=True needs 'VidEoMTCriterion'"
            )
        matcher = self.criterion.matcher
        if not (self.frames_alone or isinstance(matcher, ConsistentQueryMatcher)):
            raise UserError(
                f'model.criterion.matcher.type = {type(matcher).__name__}: would match an object '
                "anew in every frame of a clip; use 'ExclusiveQueryMatcher', or frames_alone=True"
            )
