"""DVIS online: a frozen segmenter and a tracker that carries queries on (ICCV 2023, section 3.2).

Unlike the published code, which glues the clips of a process together in time, any number of clips
per process trains correctly.
"""

from collections.abc import Iterator

from torch import Tensor

from mmvseg.models.losses import (
    ClipObjects,
    MaskTargets,
    QueryPredictions,
    require_finite_everywhere,
    video_names,
)
from mmvseg.registry import MODELS
from mmvseg.structures import ClipQueries, FrameQueries, VideoDataSample, VideoWindow

from .channels import check_channels
from .frame_segmentation import (
    as_images,
    freeze,
    require_finite,
    segment_clips,
    segment_window,
    which_are_finite,
)
from .inference_settings import OnlineTestConfig, read_settings
from .online import OnlineSegmentor, OnlineState


@MODELS.register_module()
class DVISOnline(OnlineSegmentor):
    """Segmenter and referring tracker.

    Args:
        backbone: an image backbone with maps at strides 4, 8, 16 and 32; frozen.
        panoptic_head: ``FrameQueryHead``; frozen.
        tracker: ``ReferringTracker``.
        criterion: ``QueryCriterion`` with a ``ConsistentQueryMatcher``; None for a model that is
            not trained.
        absent_as_background: as published, an object that is not visible in the last frame of a
            clip has the label "no object" in all of it; False: it keeps its class.
        test_cfg: fields of :class:`OnlineTestConfig`.
        data_preprocessor: ``VideoDataPreprocessor``.
        init_cfg: initialisation of the whole model.
    """

    def __init__(
        self,
        backbone: dict,
        panoptic_head: dict,
        tracker: dict,
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
        self.criterion = MODELS.build(criterion) if criterion else None
        self.absent_as_background = absent_as_background
        self.test_cfg = read_settings(OnlineTestConfig, test_cfg or {})
        #: Whether objects are matched with the segmenter's queries instead of the tracker's own;
        #: ``GuidedMatchingHook`` ends it halfway through the training.
        self.guided_matching = True
        freeze(self.backbone, self.panoptic_head)

    def train(self, mode: bool = True) -> 'DVISOnline':
        """Set the mode of the tracker; the frozen modules always infer."""
        super().train(mode)
        freeze(self.backbone, self.panoptic_head)
        return self

    def loss(self, inputs: Tensor, data_samples: list[VideoDataSample]) -> dict[str, Tensor]:
        """Losses of every tracker layer; an object has one query in all frames of its clip."""
        B, T = inputs.shape[:2]
        targets, videos = self._targets(data_samples), video_names(data_samples, T)
        frames = segment_clips(self.backbone, self.panoptic_head, inputs)
        require_finite_everywhere([as_images(frames)], videos)
        tracked = self.tracker(frames.query_embeds.unflatten(0, (B, T)))
        mask_features = frames.mask_features[:, None]
        layers = [self._predict(layer, mask_features) for layer in tracked.layers]
        assignments = None
        if self.guided_matching:
            guide = as_images(frames.reorder(tracked.permutations.flatten(0, 1)))
            assignments = self.criterion.matcher.assign(guide, targets, T, videos)
        return self.criterion(layers, targets, T, assignments, videos=videos)

    def raw_outputs(self, inputs: Tensor) -> ClipQueries:
        """The tracker's queries of clips (B, T, 3, H, W)."""
        frames = segment_clips(self.backbone, self.panoptic_head, inputs)
        tracked = self.tracker(frames.query_embeds.unflatten(0, inputs.shape[:2]))
        embeds = self.tracker.normalise(tracked.layers[-1])
        return ClipQueries(
            class_logits=self.tracker.classify(embeds),
            mask_embeds=self.tracker.embed_masks(embeds),
            query_embeds=embeds,
            mask_features=frames.mask_features.unflatten(0, inputs.shape[:2]),
        )

    def track(self, state: OnlineState, window: VideoWindow) -> Iterator[FrameQueries]:
        """The tracker's queries; ``state.memory`` is the tracker's state."""
        chunks = segment_window(
            self.backbone,
            self.panoptic_head,
            self.data_preprocessor,
            window,
            self.test_cfg.frame_chunk,
        )
        finite = []
        for frames in chunks:
            tracked = self.tracker(frames.query_embeds[None], state.memory)
            state.memory = tracked.state
            embeds = self.tracker.normalise(tracked.layers[-1])[0]  # (T, Q, C)
            queries = FrameQueries(
                class_logits=self.tracker.classify(embeds),
                mask_embeds=self.tracker.embed_masks(embeds),
                query_embeds=embeds,
                mask_features=frames.mask_features,
            )
            finite.append(which_are_finite(queries))
            yield queries
        require_finite(finite, 'tracker', window.sample)

    def _predict(self, layer: Tensor, mask_features: Tensor) -> QueryPredictions:
        """Predictions of a layer's queries (B, T, Q, C), one image (1, C, h, w) a frame."""
        embeds = self.tracker.normalise(layer).flatten(0, 1)  # (B * T, Q, C)
        return QueryPredictions(
            class_logits=self.tracker.classify(embeds),
            mask_embeds=self.tracker.embed_masks(embeds)[:, None],
            mask_features=mask_features,
        )

    def _targets(self, data_samples: list[VideoDataSample]) -> list[MaskTargets]:
        absent_label = self.criterion.num_classes if self.absent_as_background else None
        clips = [ClipObjects.gather(sample, absent_label) for sample in data_samples]
        return [target for clip in clips for target in clip.by_frame()]
