"""MinVIS: an image segmenter, its queries matched from frame to frame (NeurIPS 2022).

Training sees single frames only. At inference a query of a frame continues the query of the frame
before that it resembles most.
"""

from collections.abc import Iterator

from torch import Tensor

from mmvseg.models.losses import ClipObjects, QueryPredictions, video_names
from mmvseg.models.trackers.query_matching import chain_queries
from mmvseg.registry import MODELS
from mmvseg.structures import ClipQueries, FrameQueries, VideoDataSample, VideoWindow

from .channels import check_channels
from .frame_segmentation import segment_window
from .inference_settings import OnlineTestConfig, read_settings
from .online import OnlineSegmentor, OnlineState


@MODELS.register_module()
class MinVIS(OnlineSegmentor):
    """Backbone and frame-wise query head; tracking by matching.

    The published program reports instances whatever the data set; this one also segments (task
    ``vps``) and classifies pixels (``vss``), by the rules of DVIS online.

    Args:
        backbone: an image backbone with maps at strides 4, 8, 16 and 32.
        panoptic_head: ``FrameQueryHead``.
        criterion: ``QueryCriterion``; None for a model that is not trained.
        test_cfg: fields of :class:`OnlineTestConfig`.
        data_preprocessor: ``VideoDataPreprocessor``.
        init_cfg: initialisation of the whole model.
    """

    def __init__(
        self,
        backbone: dict,
        panoptic_head: dict,
        criterion: dict | None = None,
        test_cfg: dict | None = None,
        data_preprocessor: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.backbone = MODELS.build(backbone)
        self.panoptic_head = MODELS.build(panoptic_head)
        check_channels(self.backbone, 'panoptic_head', panoptic_head)
        self.criterion = MODELS.build(criterion) if criterion else None
        self.test_cfg = read_settings(OnlineTestConfig, test_cfg or {})

    def loss(self, inputs: Tensor, data_samples: list[VideoDataSample]) -> dict[str, Tensor]:
        """Losses of every decoder layer; each frame of clips (B, T, 3, H, W) is an image."""
        num_frames = inputs.shape[1]
        frames = inputs.flatten(0, 1)  # (B * T, 3, H, W)
        layers, queries = self.panoptic_head.forward_layers(self.backbone(frames))
        mask_features = queries.mask_features[:, None]  # one image, one frame
        predictions = [
            QueryPredictions(class_logits, mask_embeds[:, None], mask_features)
            for class_logits, mask_embeds in layers
        ]
        clips = [ClipObjects.gather(sample) for sample in data_samples]
        targets = [target for clip in clips for target in clip.by_frame()]
        return self.criterion(predictions, targets, videos=video_names(data_samples, num_frames))

    def raw_outputs(self, inputs: Tensor) -> ClipQueries:
        """The segmenter's queries of each frame, not yet matched."""
        queries = self.panoptic_head(self.backbone(inputs.flatten(0, 1)))
        return queries.unflatten(inputs.shape[:2])

    def track(self, state: OnlineState, window: VideoWindow) -> Iterator[FrameQueries]:
        """Each query goes to the slot of the query before that it resembles most."""
        chunks = segment_window(
            self.backbone,
            self.panoptic_head,
            self.data_preprocessor,
            window,
            self.test_cfg.frame_chunk,
        )
        for queries in chunks:
            order, state.memory = chain_queries(queries.query_embeds, state.memory)
            yield queries.reorder(order)
