"""The rules of MOTS, by which TrackEval scores KITTI MOTS and MOTS Challenge.

Masks do not overlap, and crowds are regions where what is predicted beyond the objects counts for
nothing.
"""

from collections.abc import Sequence

import numpy as np
import pycocotools.mask as coco_mask

from mmvseg.errors import UserError
from mmvseg.formats.rle import decode_masks
from mmvseg.formats.tracks import Annotation
from mmvseg.formats.youtube_vis import Video
from mmvseg.formats.youtube_vis_results import Result

from .track_overlap import Masks


def masks_by_rules(
    annotations: Sequence[Annotation], results: Sequence[Result], video: Video, file: str
) -> list[Masks]:
    """The masks of the results of a video without what does not count.

    Where results overlap, the highest score keeps the pixels, of equal scores the first. Then masks
    go of which more than half lies in the region to ignore: crowds, but for what objects cover.
    TrackEval keeps those that match an object; these have half of their pixels on it or more.

    Args:
        annotations: the objects and crowds of the video.
        results: the results of the video.
        video: the video.
        file: that of the annotations, for messages.

    Raises:
        UserError: objects overlap.
    """
    kept: list[list[dict | None]] = [[None] * len(video.file_names) for _ in results]
    order = sorted(range(len(results)), key=lambda n: (-results[n].score, results[n].index))
    for t in range(len(video.file_names)):
        region = _region(annotations, video, t, file)
        free = np.ones(region.shape, bool)
        for n in order:
            rle = results[n].rles[t]
            if rle is None:
                continue
            mask = decode_masks([rle], *free.shape)[0].astype(bool) & free
            free &= ~mask
            if mask.any() and 2 * np.count_nonzero(mask & region) <= np.count_nonzero(mask):
                kept[n][t] = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return kept


def _region(annotations: Sequence[Annotation], video: Video, frame: int, file: str) -> np.ndarray:
    """What is to be ignored in a frame, (H, W) bool."""
    there = [entry for entry in annotations if entry.rles[frame] is not None]
    masks = decode_masks([entry.rles[frame] for entry in there], video.height, video.width)
    is_crowd = np.array([entry.is_crowd for entry in there], bool)
    objects = masks[~is_crowd].sum(axis=0)
    if (objects > 1).any():
        raise UserError(
            f'{file}: video {video.id}, frame {frame}: objects overlap, which the rules of MOTS do '
            'not allow; without these rules they may'
        )
    return masks[is_crowd].any(axis=0) & (objects == 0)
