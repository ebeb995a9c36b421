"""DVIS offline: a refiner looks at all frames of what the tracker found (ICCV 2023, section 3.3).

A video leaves two vectors a query and frame, and its mask features; images and masks of all queries
are never kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mmvseg.errors import UserError
from mmvseg.models.losses import (
    ClipObjects,
    QueryPredictions,
    require_finite_everywhere,
    video_names,
)
from mmvseg.models.postprocess.class_scores import RunningMean, class_probabilities
from mmvseg.models.postprocess.frame_store import FrameStore, RawCodec
from mmvseg.models.postprocess.query_collector import decode_masks
from mmvseg.models.postprocess.query_masks import FrameGeometry, encode_video
from mmvseg.models.postprocess.vis import select_top
from mmvseg.models.postprocess.vis_collector import to_instances
from mmvseg.models.postprocess.vps import Candidates, segment_video
from mmvseg.models.postprocess.vss import classify_video
from mmvseg.models.precision import WHY_NOT_FINITE
from mmvseg.models.trackers import TrackerState
from mmvseg.ops import upload
from mmvseg.registry import MODELS
from mmvseg.structures import (
    ClipQueries,
    FrameQueries,
    VideoDataSample,
    VideoInstances,
    VideoResult,
    VideoWindow,
)
from mmvseg.structures.tube_stitching import TubeStitcher

from .base import VideoSegmentor
from .channels import check_channels
from .frame_segmentation import as_images, freeze, segment_clips, segment_window
from .inference_settings import OfflineTestConfig, read_settings
from .memory_notice import announce_memory


@dataclass
class DVISOfflineState:
    """What DVIS offline remembers of a video between windows.

    Attributes:
        sample: meta information of the video.
        features: mask features of each frame, (C, h, w).
        tracker: the tracker's state after the last frame.
        tracked: normalised tracker output of each frame, (Q, C).
        frame_queries: each frame's queries referring to themselves, (Q, C).
        online_logits: mean of the tracker's class logits.
    """

    sample: VideoDataSample
    features: FrameStore
    tracker: TrackerState | None = None
    tracked: list[Tensor] = field(default_factory=list)
    frame_queries: list[Tensor] = field(default_factory=list)
    online_logits: RunningMean = field(default_factory=RunningMean)


@MODELS.register_module()
class DVISOffline(VideoSegmentor):
    """Segmenter, referring tracker and temporal refiner.

    Args:
        backbone: an image backbone with maps at strides 4, 8, 16 and 32; frozen.
        panoptic_head: ``FrameQueryHead``; frozen.
        tracker: ``ReferringTracker``; frozen.
        refiner: ``TemporalRefiner``.
        criterion: ``QueryCriterion`` with a ``QueryMatcher``; None for a model that is not trained.
        absent_as_background: as published, an object that is not visible in the last frame of a
            clip has the label "no object"; False: it keeps its class.
        test_cfg: fields of :class:`OfflineTestConfig`.
        data_preprocessor: ``VideoDataPreprocessor``.
        init_cfg: initialisation of the whole model.
    """

    needs_whole_video = True

    def __init__(
        self,
        backbone: dict,
        panoptic_head: dict,
        tracker: dict,
        refiner: dict,
        criterion: dict | None = None,
        absent_as_background: bool = True,
        test_cfg: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)
        self.panoptic_head = MODELS.build(panoptic_head)
        check_channels(self.backbone, 'panoptic_head', panoptic_head)
        self.tracker = MODELS.build(tracker)
        self.refiner = MODELS.build(refiner)
        self.criterion = MODELS.build(criterion) if criterion else None
        self.absent_as_background = absent_as_background
        self.test_cfg = read_settings(OfflineTestConfig, test_cfg or {})
        #: Whether objects are matched with the tracker's queries instead of the refiner's own;
        #: ``GuidedMatchingHook`` ends it halfway through the training.
        self.guided_matching = True
        freeze(self.backbone, self.panoptic_head, self.tracker)

    @property
    def task(self) -> str:
        """``test_cfg.task``."""
        return self.test_cfg.task

    def train(self, mode: bool = True) -> 'DVISOffline':
        """Set the mode of the refiner; the frozen modules always infer."""
        super().train(mode)
        freeze(self.backbone, self.panoptic_head, self.tracker)
        return self

    def loss(self, inputs: Tensor, data_samples: list[VideoDataSample]) -> dict[str, Tensor]:
        """Losses of every refiner layer; a clip is one image, its frames stacked."""
        videos = video_names(data_samples)
        frames = segment_clips(self.backbone, self.panoptic_head, inputs)
        require_finite_everywhere([as_images(frames)], video_names(data_samples, inputs.shape[1]))
        tracked = self._track_clips(frames, inputs.shape[:2])
        layers = [
            self._predict(layer, tracked.mask_features)
            for layer in self.refiner(tracked.embeds, tracked.frame_queries)
        ]
        absent_label = self.criterion.num_classes if self.absent_as_background else None
        targets = [ClipObjects.gather(sample, absent_label).whole() for sample in data_samples]
        assignments = None
        if self.guided_matching:
            guide = QueryPredictions(
                class_logits=self.tracker.classify(tracked.embeds).mean(1),  # over frames
                mask_embeds=self.tracker.embed_masks(tracked.embeds),
                mask_features=tracked.mask_features,
            )
            assignments = self.criterion.matcher.match(guide, targets, 1, videos)
        return self.criterion(layers, targets, assignments=assignments, videos=videos)

    def raw_outputs(self, inputs: Tensor) -> ClipQueries:
        """The refiner's queries of clips (B, T, 3, H, W); all frames have one class."""
        frames = segment_clips(self.backbone, self.panoptic_head, inputs)
        tracked = self._track_clips(frames, inputs.shape[:2])
        layer = self.refiner(tracked.embeds, tracked.frame_queries)[-1]
        embeds = self.refiner.normalise(layer)  # (B, T, Q, C)
        class_logits = self.refiner.classify(embeds)  # (B, Q, K + 1)
        return ClipQueries(
            class_logits=class_logits[:, None].expand(-1, inputs.shape[1], -1, -1),
            mask_embeds=self.refiner.embed_masks(embeds),
            query_embeds=embeds,
            mask_features=tracked.mask_features,
            online_class_logits=self.tracker.classify(tracked.embeds),
        )

    def begin(self, sample: VideoDataSample) -> DVISOfflineState:
        """An empty state for the video of ``sample``; says so if it will take much memory."""
        dtype = torch.float16 if self.test_cfg.half_precision_features else torch.float32
        memory_limit = int(self.test_cfg.feature_memory_mb * 2**20)
        state = DVISOfflineState(sample, FrameStore(memory_limit, RawCodec(dtype)))
        height, width = self.data_preprocessor.padded_shape(sample.img_shape)
        values = self.panoptic_head.mask_embed[-1].out_features * (height // 4) * (width // 4)
        frame_bytes, keys = values * dtype.itemsize, 'feature_memory_mb, half_precision_features'
        announce_memory(sample, frame_bytes, memory_limit, 'mask features', keys)
        return state

    @torch.no_grad()
    def advance(self, state: DVISOfflineState, window: VideoWindow) -> None:
        """Track the window's frames and keep what the refiner needs of them."""
        for part in self._track(state, window):
            state.tracked.extend(part.embeds[0])
            state.frame_queries.extend(part.frame_queries[0])
            state.online_logits.add(self.tracker.classify(part.embeds[0]))
            for features in part.mask_features[0].to('cpu', state.features.codec.dtype):
                state.features.append(features)

    @torch.no_grad()
    def finish(self, state: DVISOfflineState) -> VideoDataSample:
        """Refine the queries of the whole video, then decode the masks that the task needs."""
        tracked = torch.stack(state.tracked)[None]  # (1, T, Q, C)
        frame_queries = torch.stack(state.frame_queries)[None]
        embeds = self.refiner.normalise(self.refiner(tracked, frame_queries)[-1])
        online = state.online_logits.value  # (Q, K + 1)
        refined = self.refiner.classify(embeds)[0]
        finite = torch.stack([logits.isfinite().all() for logits in (online, refined)]).tolist()
        for module, is_finite in zip(('tracker', 'refiner'), finite, strict=True):
            if not is_finite:
                raise UserError(
                    f'video {state.sample.video_name!r}: the class scores of the {module} are not '
                    f'finite; {WHY_NOT_FINITE}'
                )
        result = VideoDataSample(metainfo=state.sample.metainfo)
        result.pred = self._report(state, class_probabilities(refined, online), embeds[0])
        return result

    def _report(self, state: DVISOfflineState, class_probs: Tensor, embeds: Tensor) -> VideoResult:
        """The result of a video from class probabilities (Q, K + 1) and queries (T, Q, C)."""
        padded = self.data_preprocessor.padded_shape(state.sample.img_shape)
        geometry = FrameGeometry.of(state.sample, padded)
        if self.task == 'vis' and self.test_cfg.by_stretches:
            return self._report_stretches(state, embeds, geometry)
        if self.task == 'vis':
            selected = select_top(class_probs[:, :-1], self.test_cfg.max_per_video)
            frames = self._mask_logits(state, embeds[:, selected[1]])
            return to_instances(*selected, encode_video(frames, geometry))
        if self.task == 'vps':
            rules = self.test_cfg.panoptic_rules
            candidates = Candidates.select(class_probs, rules.object_mask_threshold)
            frames = self._mask_logits(state, embeds[:, candidates.queries])
            return segment_video(candidates, frames, geometry, rules)
        return classify_video(class_probs[:, :-1], self._mask_logits(state, embeds), geometry)

    def _report_stretches(
        self, state: DVISOfflineState, embeds: Tensor, geometry: FrameGeometry
    ) -> VideoInstances:
        """All tubes, with scores of stretches of frames, from queries (T, Q, C)."""
        tubes, step = TubeStitcher(), self.test_cfg.stretch_frames
        for start in range(0, len(embeds), step):
            part = embeds[start : start + step]
            online = RunningMean()
            for tracked in state.tracked[start : start + step]:
                online.add(self.tracker.classify(tracked[None]))
            class_probs = class_probabilities(self.refiner.classify(part[None])[0], online.value)
            scores, queries, labels = self.test_cfg.select(class_probs[:, :-1])
            frames = self._mask_logits(state, part[:, queries], start)
            found = to_instances(scores, queries, labels, encode_video(frames, geometry))
            tubes.add_by_identity(found)
        return tubes.result()

    def _track(self, state: DVISOfflineState, window: VideoWindow) -> Iterator['_TrackedClips']:
        """What the refiner needs of the window, a few frames at a time; B = 1."""
        chunks = segment_window(
            self.backbone,
            self.panoptic_head,
            self.data_preprocessor,
            window,
            self.test_cfg.frame_chunk,
        )
        for frames in chunks:
            queries = frames.query_embeds[None]  # (1, T, Q, C)
            tracked = self.tracker(queries, state.tracker)
            state.tracker = tracked.state
            yield _TrackedClips(
                embeds=self.tracker.normalise(tracked.layers[-1]),
                frame_queries=self.tracker.refer_to_self(queries),
                mask_features=frames.mask_features[None],
            )

    @torch.no_grad()
    def _track_clips(self, frames: FrameQueries, clips: tuple[int, int]) -> '_TrackedClips':
        """The same of the frames of clips, (B, T) of them."""
        queries = frames.query_embeds.unflatten(0, clips)  # (B, T, Q, C)
        return _TrackedClips(
            embeds=self.tracker.normalise(self.tracker(queries).layers[-1]),
            frame_queries=self.tracker.refer_to_self(queries),
            mask_features=frames.mask_features.unflatten(0, clips),
        )

    def _predict(self, layer: Tensor, mask_features: Tensor) -> QueryPredictions:
        """Predictions of a layer's queries (B, T, Q, C), one image a clip."""
        embeds = self.refiner.normalise(layer)
        return QueryPredictions(
            class_logits=self.refiner.classify(embeds),
            mask_embeds=self.refiner.embed_masks(embeds),
            mask_features=mask_features,
        )

    def _mask_logits(
        self, state: DVISOfflineState, embeds: Tensor, start: int = 0
    ) -> Iterator[Tensor]:
        """Mask logits (n, h, w) of selected queries (T, n, C) from frame ``start`` on."""
        mask_embeds = self.refiner.embed_masks(embeds).float()
        features = state.features
        return (
            decode_masks(frame_embeds, upload(features[frame], frame_embeds.device).float())
            for frame, frame_embeds in enumerate(mask_embeds, start)
        )


@dataclass
class _TrackedClips:
    """What the refiner starts from: both embeddings (B, T, Q, C), features (B, T, C, h, w)."""

    embeds: Tensor
    frame_queries: Tensor
    mask_features: Tensor
