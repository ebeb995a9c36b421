"""EoMT: a plain Vision Transformer whose last blocks also process object queries (CVPR 2025).

No pixel decoder, no decoder of queries. Training masks the attention of queries to patches, less
and less, until none is left (section 3.2); inference never does. Here its input is a video, frame
by frame, tracked as MinVIS does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmvseg.errors import UserError
from mmvseg.models.backbones.vit import ImageTokens
from mmvseg.models.losses import ClipObjects, QueryPredictions, UpscaledPredictions, video_names
from mmvseg.models.postprocess.query_masks import FrameGeometry
from mmvseg.models.trackers.query_matching import chain_queries
from mmvseg.registry import MODELS
from mmvseg.structures import ClipQueries, FrameQueries, VideoDataSample, VideoWindow

from .frame_segmentation import segment_window
from .inference_settings import OnlineTestConfig, read_settings
from .memory_notice import announce_memory
from .online import OnlineSegmentor, OnlineState
from .token_codec import TokenCodec


@MODELS.register_module()
class EoMT(OnlineSegmentor):
    """Plain transformer, queries in front of the tokens of its last blocks.

    Args:
        backbone: ``DINOViT``.
        panoptic_head: ``TokenQueryHead``.
        num_query_blocks: L, the last blocks of the backbone, which see the queries.
        masked_attention: whether a training begins with masks, see ``MaskAnnealingHook``.
        normalise_layers: whether the predictions before the last are made of normalised tokens.
        supervise_last_input: whether the prediction before the last block has a loss, as all
            others do.
        checkpoint_predictions: make the upscaled features of one image at a time, and again in
            the backward pass, instead of keeping those of all images and layers.
        criterion: ``QueryCriterion``; None for a model that is not trained.
        test_cfg: fields of :class:`OnlineTestConfig`.
        data_preprocessor: ``VideoDataPreprocessor``.
        init_cfg: initialisation of the whole model.

    Raises:
        UserError: the backbone has not that many blocks, or other channels than the head.
    """

    def __init__(
        self,
        backbone: dict,
        panoptic_head: dict,
        num_query_blocks: int,
        masked_attention: bool = True,
        normalise_layers: bool = True,
        supervise_last_input: bool = True,
        checkpoint_predictions: bool = False,
        criterion: dict | None = None,
        test_cfg: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)
        self.panoptic_head = MODELS.build(panoptic_head)
        depth = len(self.backbone.blocks)
        if not 0 < num_query_blocks <= depth:
            raise UserError(f'model.num_query_blocks = {num_query_blocks}: must be 1 to {depth}')
        channels = self.panoptic_head.query_feat.embedding_dim
        if channels != self.backbone.embed_dims:
            raise UserError(
                f'model.panoptic_head.embed_dims = {channels}: must be {self.backbone.embed_dims}, '
                'as in the backbone'
            )
        self.num_query_blocks = num_query_blocks
        self.normalise_layers = normalise_layers
        self.supervise_last_input = supervise_last_input
        self.checkpoint_predictions = checkpoint_predictions
        self.criterion = MODELS.build(criterion) if criterion else None
        self.test_cfg = read_settings(OnlineTestConfig, test_cfg or {})
        #: Share of the queries whose attention is masked, block by block, (L,).
        self.register_buffer(
            'mask_probabilities', torch.full((num_query_blocks,), float(masked_attention))
        )

    @property
    def query_blocks(self) -> Sequence[nn.Module]:
        """The L blocks that see the queries."""
        return self.backbone.blocks[-self.num_query_blocks :]

    @property
    def last_norm(self) -> nn.Module:
        """The LayerNorm before the heads."""
        return self.backbone.norm

    def loss(self, inputs: Tensor, data_samples: list[VideoDataSample]) -> dict[str, Tensor]:
        """Losses of every prediction; each frame of clips (B, T, 3, H, W) is an image."""
        image = self.encode(inputs.flatten(0, 1))
        queries = self.panoptic_head.learned_queries(len(image.tokens))
        layers = self.predict_layers(list(self.decode(image, queries)), image.grid)
        clips = [ClipObjects.gather(sample) for sample in data_samples]
        targets = [target for clip in clips for target in clip.by_frame()]
        return self.criterion(layers, targets, videos=video_names(data_samples, inputs.shape[1]))

    def raw_outputs(self, inputs: Tensor) -> ClipQueries:
        """The queries of each frame of clips (B, T, 3, H, W), not yet matched."""
        return self.segment(self.encode(inputs.flatten(0, 1))).unflatten(inputs.shape[:2])

    def track(self, state: OnlineState, window: VideoWindow) -> Iterator[FrameQueries]:
        """:meth:`follow` with upscaled mask features."""
        for queries in self.follow(state, window):
            upscaled = torch.cat([*self.panoptic_head.strips(queries.mask_features)], dim=2)
            yield replace(queries, mask_features=upscaled)

    def follow(self, state: OnlineState, window: VideoWindow) -> Iterator[FrameQueries]:
        """Each query goes to the slot of the query before that it resembles most.

        Yields:
            A few frames at a time, their mask features as of :meth:`read_patches`.
        """
        chunks = segment_window(
            self.encode, self.find, self.data_preprocessor, window, self.test_cfg.frame_chunk
        )
        for queries in chunks:
            order, state.memory = chain_queries(queries.query_embeds, state.memory)
            yield queries.reorder(order)

    @torch.no_grad()
    def advance(self, state: OnlineState, window: VideoWindow) -> None:
        """Follow the window's queries and keep what masks of any of them are made of."""
        for queries in self.follow(state, window):
            state.collector.add(queries.class_logits, TokenCodec.join(queries))

    def codec(self, geometry: FrameGeometry, sample: VideoDataSample) -> TokenCodec:
        """Keeps patches, and upscales them when it is known which queries are reported."""
        return TokenCodec(self.panoptic_head, self._grid(geometry), sample.video_name)

    def announce(self, geometry: FrameGeometry, sample: VideoDataSample, memory_limit: int) -> None:
        """Say what the patches of the video will take, if it is much."""
        rows, columns = self._grid(geometry)
        tokens = self.panoptic_head.query_feat.num_embeddings + rows * columns
        frame_bytes = 4 * tokens * self.backbone.embed_dims
        announce_memory(sample, frame_bytes, memory_limit, 'patches', 'mask_memory_mb')

    def _grid(self, geometry: FrameGeometry) -> tuple[int, int]:
        """Rows and columns of patches of a frame."""
        height, width = geometry.padded
        return height // self.backbone.patch_size, width // self.backbone.patch_size

    def encode(self, frames: Tensor) -> ImageTokens:
        """Tokens of frames (N, 3, H, W) before the queries join them."""
        image = self.backbone.embed(frames)
        for block in self.backbone.blocks[: -self.num_query_blocks]:
            image.tokens = self.backbone.run(block, image.tokens, image.rotation)
        return image

    def decode(self, image: ImageTokens, queries: Tensor) -> Iterator[Tensor]:
        """Queries (N, Q, C) and the tokens of N images together, before every block and at the end.

        Yields:
            L + 1 times (N, Q + S, C), not normalised.
        """
        tokens = torch.cat([queries, image.tokens], dim=1)
        for number, block in enumerate(self.query_blocks):
            yield tokens
            visible = self._visible(tokens, image.grid, number)
            tokens = self.backbone.run(block, tokens, image.rotation, visible)
        yield tokens

    def segment(self, image: ImageTokens) -> FrameQueries:
        """:meth:`find` with upscaled mask features."""
        return self._upscaled(self.find(image))

    def find(self, image: ImageTokens) -> FrameQueries:
        """What the learned queries find in each of N images, as :meth:`read_patches` has it."""
        *_, tokens = self.decode(image, self.panoptic_head.learned_queries(len(image.tokens)))
        return self.read_patches(tokens, image.grid)

    def read(self, tokens: Tensor, grid: tuple[int, int]) -> FrameQueries:
        """The final prediction from the tokens after the last block (N, Q + S, C)."""
        return self._upscaled(self.read_patches(tokens, grid))

    def read_patches(self, tokens: Tensor, grid: tuple[int, int]) -> FrameQueries:
        """:meth:`read` without upscaling: mask features are the patches, (N, C, h, w) of a grid."""
        queries, patches = self.panoptic_head.split(self.last_norm(tokens), grid)
        return FrameQueries(
            class_logits=self.panoptic_head.cls_embed(queries),
            mask_embeds=self.panoptic_head.mask_embed(queries),
            query_embeds=queries,
            mask_features=patches,
        )

    def _upscaled(self, queries: FrameQueries) -> FrameQueries:
        return replace(queries, mask_features=self.panoptic_head.upscale(queries.mask_features))

    def predict_layers(
        self, sequences: Sequence[Tensor], grid: tuple[int, int]
    ) -> list[QueryPredictions]:
        """Predictions that have a loss, from the L + 1 token sequences of :meth:`decode`."""
        *inputs, last = sequences
        if not self.supervise_last_input:
            inputs.pop()
        if self.normalise_layers:
            inputs = [self.last_norm(tokens) for tokens in inputs]
        return [self._predict(tokens, grid) for tokens in [*inputs, self.last_norm(last)]]

    def _predict(self, tokens: Tensor, grid: tuple[int, int]) -> QueryPredictions:
        """Predictions for N images from tokens (N, Q + S, C) as the heads take them."""
        head = self.panoptic_head
        queries, patches = head.split(tokens, grid)
        class_logits, mask_embeds = head.cls_embed(queries), head.mask_embed(queries)[:, None]
        if self.checkpoint_predictions:
            return UpscaledPredictions(class_logits, mask_embeds, patches[:, None], head.upscale)
        return QueryPredictions(class_logits, mask_embeds, head.upscale(patches)[:, None])

    @torch.no_grad()
    def _visible(self, tokens: Tensor, grid: tuple[int, int], block: int) -> Tensor | None:
        """What each token may attend to in a block, (N, 1, Q + S, Q + S) bool; None: everything.

        A masked query attends to the patches of its own mask, as it is before the block, and to
        all other tokens.
        """
        probability = self.mask_probabilities[block].item() if self.training else 0.0
        if not probability:
            return None
        queries, patches = self.panoptic_head.split(self.last_norm(tokens), grid)
        features = F.interpolate(
            self.panoptic_head.upscale(patches), grid, mode='bilinear', align_corners=False
        )
        inside = self.panoptic_head.mask_embed(queries) @ features.flatten(2) > 0  # (N, Q, P)
        if probability < 1:
            inside |= (torch.rand(inside.shape[:2], device=inside.device) > probability)[..., None]
        N, S = tokens.shape[:2]
        visible = torch.ones(N, 1, S, S, dtype=torch.bool, device=tokens.device)
        visible[:, 0, : queries.shape[1], -patches[0, 0].numel() :] = inside
        return visible
