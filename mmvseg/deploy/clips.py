"""A video through TeViT's networks, clip by clip, to its tubes."""

from typing import Any

import numpy as np
from pycocotools import mask as mask_utils
from scipy.special import expit

from mmvseg.errors import UserError, counted
from mmvseg.structures import VideoInstances
from mmvseg.structures.tube_stitching import TubeStitcher

from .scores import select
from .video_loop import VideoLoop


class ClipVideo(VideoLoop):
    """Clips that overlap; the tubes of the next continue those of the one before."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._frames: list[np.ndarray] = []  # of the clip to come, those before for a fixed one
        self._start = 0  # frame of the video that is the clip's first
        self._before: list[np.ndarray] = []
        self._tubes = TubeStitcher()

    def add(self, frame: np.ndarray) -> None:
        """Take the next frame, (3, H, W); segment a clip when one is full and its video goes on."""
        clip = self._manifest.clip
        if len(self._frames) == clip.frames:
            self._tubes.add(self._segment(self._frames), self._start)
            step = clip.frames - clip.overlap
            self._before, self._frames = self._frames[:step], self._frames[step:]
            self._start += step
        self._frames.append(frame)

    def result(self) -> VideoInstances:
        """The best tubes of the video.

        Raises:
            UserError: the video has fewer frames than the clips of the file.
        """
        clip, report = self._manifest.clip, self._manifest.report
        if clip.fixed and len(self._frames) < clip.frames:
            self._reach_back(clip.frames - len(self._frames))
        found = self._segment(self._frames)
        if self._start == 0:
            return found
        self._tubes.add(found, self._start)
        return self._tubes.result(None if report.max_per_stretch else report.max_per_video)

    def _reach_back(self, missing: int) -> None:
        """Let the last clip begin earlier, so that it is full."""
        if missing > len(self._before):
            raise UserError(
                f'video {self._name!r}: has {counted(len(self._frames), "frames")}, but the file '
                f'was exported for clips of exactly {self._manifest.clip.frames}; export the '
                'model without --frames, or with fewer'
            )
        self._frames = self._before[-missing:] + self._frames
        self._start -= missing

    def _segment(self, frames: list[np.ndarray]) -> VideoInstances:
        T = len(frames)
        size = np.array(self._geometry.resized, np.float32)
        found = self._networks['clip'](frames=np.stack(frames), image_size=size)
        class_logits, boxes = found.pop('class_logits'), found.pop('boxes')
        attn_feats = found.pop('attn_feats')
        scores, queries, labels = select(expit(class_logits).mean(0), self._manifest.report)
        boxes = boxes[:, queries]
        masks = self._networks['masks'](
            boxes=boxes,
            attn_feats=attn_feats[:, queries],
            labels=np.broadcast_to(labels, (T, len(labels))),
            **found,
        )['mask_logits']
        self._require_finite((class_logits, boxes, masks), self._start)
        probs = expit(masks)
        height, width = (
            new / old
            for new, old in zip(self._geometry.resized, self._geometry.original, strict=True)
        )
        boxes = boxes / np.array([width, height, width, height], np.float32)
        tubes = [
            [self._paste(probs[frame, n], boxes[frame, n]) for frame in range(T)]
            for n in range(len(queries))
        ]
        return VideoInstances(scores, labels, tubes, queries)

    def _paste(self, probs: np.ndarray, box: np.ndarray) -> dict:
        """Run-length code of the mask (28, 28) in a box xyxy of the original frame."""
        mask = np.zeros(self._geometry.original, np.uint8, order='F')
        columns, across = _axis(box[0], box[2], mask.shape[1], probs.shape[1])
        rows, down = _axis(box[1], box[3], mask.shape[0], probs.shape[0])
        mask[rows, columns] = down @ probs @ across.T >= self._manifest.clip.mask_threshold
        return mask_utils.encode(mask)


def _axis(start: float, end: float, pixels: int, cells: int) -> tuple[slice, np.ndarray]:
    """The pixels of an axis that a box touches, and how much each cell counts at them.

    A cell lies half a cell from the ends; a pixel more than one beside the box is none of it.
    """
    first = int(np.clip(np.floor(start) - 1, 0, pixels))
    last = int(np.clip(np.ceil(end) + 1, first, pixels))
    places = (np.arange(first, last) + np.float32(0.5) - start) / max(end - start, 1e-6)
    places = places.astype(np.float32) * cells - np.float32(0.5)
    weights = np.maximum(1 - np.abs(places[:, None] - np.arange(cells, dtype=np.float32)), 0)
    return slice(first, last), weights
