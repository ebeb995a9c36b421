"""TeViT: one clip in, tubes out (CVPR 2022).

Every frame is searched by the same learned queries; query p in one frame and query p in another are
the same instance, so tracking needs no matching. At inference the published model takes a whole
video as one clip. Here, too, up to ``test_cfg.clip_frames``; longer videos become overlapping clips
whose tubes are stitched, which bounds the memory.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from torch import Tensor

from mmvseg.errors import UserError
from mmvseg.models.postprocess.tube_limits import TubeLimits
from mmvseg.models.postprocess.vis import paste_and_encode
from mmvseg.models.precision import WHY_NOT_FINITE
from mmvseg.ops import upload
from mmvseg.registry import MODELS
from mmvseg.structures import VideoDataSample, VideoInstances, VideoWindow
from mmvseg.structures.tube_stitching import TubeStitcher

from .base import VideoSegmentor
from .channels import check_channels
from .inference_settings import read_settings

# Pixels of the frames that neck and image backbone take at a time: bounds their intermediate maps.
CHUNK_PIXELS = {'cpu': 2**18, 'cuda': 2**22}


@dataclass(frozen=True)
class TeViTTestConfig(TubeLimits):
    """How TeViT reports a video; each clip of a longer one is a stretch.

    Attributes:
        task: what to report; TeViT knows instances only, ``vis``.
        mask_thr_binary: a pixel with at least this probability belongs to the object.
        clip_frames: frames that one pass takes at most.
        clip_overlap: frames that consecutive clips of a longer video share; None for a quarter of
            ``clip_frames``.
    """

    task: str = 'vis'
    mask_thr_binary: float = 0.5
    clip_frames: int = 96
    clip_overlap: int | None = None

    @property
    def overlap(self) -> int:
        """``clip_overlap``, settled."""
        return self.clip_frames // 4 if self.clip_overlap is None else self.clip_overlap

    @classmethod
    def from_dict(cls, settings: Mapping[str, float]) -> 'TeViTTestConfig':
        """Check the settings of a config.

        Raises:
            UserError: for another task, an unknown key, or clips that would not advance.
        """
        if settings.get('task', 'vis') != 'vis':
            raise UserError(
                f'model.test_cfg: TeViT gives instances only (task vis), not {settings["task"]!r}; '
                'MinVIS, DVISOnline and DVISOffline can do vps and vss'
            )
        config = read_settings(cls, settings)
        if not 0 <= config.overlap < config.clip_frames:
            raise UserError(
                f'model.test_cfg: clip_overlap={config.overlap} must be at least 0 and less than '
                f'clip_frames={config.clip_frames}'
            )
        return config


@dataclass
class TeViTState:
    """What TeViT remembers of a video between windows.

    Attributes:
        sample: meta information of the video.
        frames: uint8 frames (3, h, w) that wait for their clip, those shared with the clip before
            included.
        start: index in the video of the first of them.
        stitcher: the tubes of the clips so far.
    """

    sample: VideoDataSample
    frames: list[Tensor] = field(default_factory=list)
    start: int = 0
    stitcher: TubeStitcher = field(default_factory=TubeStitcher)


@MODELS.register_module()
class TeViT(VideoSegmentor):
    """Backbone, FPN, learned queries and a RoI head that refines them over a clip.

    Args:
        backbone: MsgShifT, or any image backbone with four maps.
        neck: FPN with as many outputs.
        rpn_head: mmdet's ``EmbeddingRPNHead``, the learned boxes and features.
        roi_head: ``TeViTRoIHead``.
        test_cfg: fields of :class:`TeViTTestConfig`.
        data_preprocessor: ``VideoDataPreprocessor``.
        frame_chunk: frames that neck and image backbone take at a time at inference; None for as
            many as hold ``CHUNK_PIXELS``.
        init_cfg: initialisation of the whole model.
    """

    def __init__(
        self,
        backbone: dict,
        neck: dict,
        rpn_head: dict,
        roi_head: dict,
        test_cfg: dict,
        data_preprocessor: dict | None = None,
        frame_chunk: int | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.test_cfg = TeViTTestConfig.from_dict(test_cfg)
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck)
        check_channels(self.backbone, 'neck', neck)
        self.rpn_head = MODELS.build(rpn_head)
        self.roi_head = MODELS.build(roi_head)
        self.frame_chunk = frame_chunk

    @property
    def has_messengers(self) -> bool:
        """Whether the backbone exchanges information between frames."""
        return getattr(self.backbone, 'msg_tokens', None) is not None

    def loss(self, inputs: Tensor, data_samples: list[VideoDataSample]) -> dict[str, Tensor]:
        """Losses of every stage of the RoI head on clips (B, T, 3, H, W)."""
        num_frames = inputs.shape[1]
        feats = self.extract_feats(inputs)
        img_shapes = [sample.img_shape for sample in data_samples for _ in range(num_frames)]
        boxes, queries = self.initial_queries(img_shapes)
        return self.roi_head.loss(
            feats,
            boxes,
            queries,
            clip_length=num_frames,
            gt_instances=[sample.gt_instances for sample in data_samples],
            img_shapes=[sample.img_shape for sample in data_samples],
        )

    def raw_outputs(self, inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Class logits (N, Q, K), boxes (N, Q, 4) xyxy and query features (N, Q, C), last stage."""
        num_frames = inputs.shape[1]
        feats = self.extract_feats(inputs)
        boxes, queries = self.initial_queries([inputs.shape[-2:]] * (len(inputs) * num_frames))
        return self.roi_head.predict_queries(feats, boxes, queries, clip_length=num_frames)

    def extract_feats(self, inputs: Tensor) -> list[Tensor]:
        """Pyramid of clips (B, T, 3, H, W): maps (B * T, C, H / s, W / s) for s = 4, 8, 16, 32."""
        num_frames = inputs.shape[1]
        frames = inputs.flatten(0, 1)  # (N, 3, H, W)
        if torch.is_grad_enabled():
            return list(self.neck(self._backbone(frames, num_frames)))
        if self.has_messengers:
            maps = self._backbone(frames, num_frames)
            return self._by_chunks(lambda part: self.neck([m[part] for m in maps]), frames)
        return self._by_chunks(lambda part: self.neck(self.backbone(frames[part])), frames)

    def initial_queries(self, img_shapes: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
        """The learned queries, the same for each of N frames.

        Args:
            img_shapes: (H, W) of each frame, resized and not padded.

        Returns:
            boxes (N, Q, 4) xyxy in pixels and features (N, Q, C).
        """
        relative = bbox_cxcywh_to_xyxy(self.rpn_head.init_proposal_bboxes.weight)  # (Q, 4)
        features = self.rpn_head.init_proposal_features.weight  # (Q, C)
        sizes = torch.tensor([[w, h, w, h] for h, w in img_shapes], dtype=relative.dtype)
        sizes = upload(sizes, relative.device)  # (N, 4)
        return relative * sizes[:, None], features.expand(len(img_shapes), -1, -1)

    def begin(self, sample: VideoDataSample) -> TeViTState:
        """An empty state for the video of ``sample``."""
        return TeViTState(sample)

    def advance(self, state: TeViTState, window: VideoWindow) -> None:
        """Collect frames; segment a clip when one is full and its video goes on."""
        clip_frames, overlap = self.test_cfg.clip_frames, self.test_cfg.overlap
        for frame in window.frames:
            if len(state.frames) == clip_frames:
                self._segment_pending(state)
                del state.frames[: clip_frames - overlap]
                state.start += clip_frames - overlap
            state.frames.append(frame)

    def finish(self, state: TeViTState) -> VideoDataSample:
        """Segment what is left and report the best tubes of the video."""
        if state.start == 0:
            pred = self.segment_clip(torch.stack(state.frames), state.sample)
        else:
            self._segment_pending(state)
            limits = self.test_cfg
            pred = state.stitcher.result(None if limits.by_stretches else limits.max_per_video)
        result = VideoDataSample(metainfo=state.sample.metainfo)
        result.pred = pred
        return result

    def _segment_pending(self, state: TeViTState) -> None:
        clip = self.segment_clip(torch.stack(state.frames), state.sample)
        state.stitcher.add(clip, state.start)

    @torch.no_grad()
    def segment_clip(self, frames: Tensor, sample: VideoDataSample) -> VideoInstances:
        """The tubes of one clip, by descending score.

        Args:
            frames: uint8 RGB, resized, (T, 3, h, w).
            sample: gives ``ori_shape``, ``img_shape`` and ``scale_factor`` of the frames.

        Raises:
            UserError: what the model gives is no number.
        """
        num_frames = len(frames)
        preprocessor = self.data_preprocessor
        padded_size = preprocessor.padded_size([frames])
        frames = upload(frames, preprocessor.mean.device)
        inputs = preprocessor.normalise(frames, padded_size)
        feats = self.extract_feats(inputs[None])
        boxes, queries = self.initial_queries([sample.img_shape] * num_frames)
        cls_logits, boxes, attn_feats = self.roi_head.predict_queries(
            feats, boxes, queries, clip_length=num_frames
        )
        class_scores = cls_logits.float().sigmoid().mean(0)  # (Q, K), averaged over frames
        scores, query, labels = self.test_cfg.select(class_scores)
        boxes = boxes[:, query]  # (T, n, 4)
        mask_logits = self.roi_head.predict_masks(
            feats, boxes, attn_feats[:, query], labels.expand(num_frames, -1)
        )
        _check_numbers(sample, scores, boxes, mask_logits)
        scale = upload(torch.tensor(sample.scale_factor, dtype=boxes.dtype), boxes.device).repeat(2)
        masks = paste_and_encode(
            mask_logits.float().sigmoid().flatten(0, 1),  # (T * n, 28, 28)
            (boxes / scale).flatten(0, 1),
            sample.ori_shape,
            self.test_cfg.mask_thr_binary,
        )
        return VideoInstances(
            scores=scores.cpu().numpy(),
            labels=labels.cpu().numpy(),
            masks=[masks[number :: len(query)] for number in range(len(query))],
            track_ids=query.cpu().numpy(),
        )

    def _backbone(self, frames: Tensor, num_frames: int) -> tuple[Tensor, ...]:
        return self.backbone(frames, num_frames) if self.has_messengers else self.backbone(frames)

    def _by_chunks(self, run: Callable[[slice], Sequence[Tensor]], frames: Tensor) -> list[Tensor]:
        """Concatenate ``run(slice)`` over frames (N, 3, H, W) without holding the parts twice."""
        num_frames, _, height, width = frames.shape
        limit = CHUNK_PIXELS['cuda' if frames.is_cuda else 'cpu']
        step = self.frame_chunk or max(1, limit // (height * width))
        outputs: list[Tensor] = []
        for start in range(0, num_frames, step):
            part = slice(start, min(start + step, num_frames))
            maps = run(part)
            if not outputs:
                outputs = [
                    torch.empty(
                        (num_frames, *m.shape[1:]),
                        dtype=m.dtype,
                        device=m.device,
                        memory_format=torch.channels_last,
                    )
                    for m in maps
                ]
            for output, m in zip(outputs, maps, strict=True):
                output[part] = m
        return outputs


def _check_numbers(sample: VideoDataSample, *outputs: Tensor) -> None:
    """Refuse scores, boxes and masks that are no numbers, all of them in one transfer."""
    if torch.stack([output.isnan().any() for output in outputs]).any():
        video = sample.get('video_name')
        raise UserError(f'video {video!r}: scores, boxes or masks are not finite; {WHY_NOT_FINITE}')
