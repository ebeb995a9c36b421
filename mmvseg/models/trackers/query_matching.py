"""Which query of a frame continues which query of the frame before, by cosine similarity.

MinVIS (NeurIPS 2022, section 3.2) and the referring tracker of DVIS (ICCV 2023, section 3.2). All
similarities of a clip are computed at once and leave the device in one transfer: a frame's
reference is the frame before with its queries permuted, so its costs are those of the frame before
with their rows permuted.
"""

from typing import Literal, get_args

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from mmvseg.errors import UserError
from mmvseg.models.precision import WHY_NOT_FINITE, full_precision
from mmvseg.ops import upload

#: ``true``: slot k takes the query that resembles what the slot held before. ``inverse``: slot k
#: takes the query whose number is the slot that query k resembles, as in the published DVIS. The
#: two agree where queries only swap places in pairs.
Alignment = Literal['inverse', 'true']


def check_alignment(alignment: str, key: str) -> None:
    """Refuse anything but an :data:`Alignment`.

    Args:
        alignment: what the user chose.
        key: where it is set.

    Raises:
        UserError: if there is no such alignment.
    """
    if alignment not in get_args(Alignment):
        raise UserError(f"{key} is {alignment!r}, choose 'inverse' (as published) or 'true'")


@torch.no_grad()
def match_frames(
    queries: Tensor,
    references: Tensor | None,
    alignment: Alignment,
    epsilon: float = 0.0,
) -> Tensor:
    """Match each frame with the frame before as it was re-ordered.

    Args:
        queries: embeddings of consecutive frames, (B, T, Q, C).
        references: re-ordered embeddings of the frame before the first, (B, Q, C); None if a video
            begins here: the first frame then keeps its order.
        alignment: how a matching becomes a permutation.
        epsilon: added to the length of each vector before it divides the vector.

    Returns:
        For each frame the query that each slot takes, (B, T, Q) int64.

    Raises:
        UserError: if embeddings are not finite.

    Example:
        >>> first = torch.eye(3)  # embeddings of three queries
        >>> second = first[[2, 0, 1]]  # the same in another order
        >>> match_frames(torch.stack([first, second])[None], None, 'true')
        tensor([[[0, 1, 2],
                 [1, 2, 0]]])
    """
    is_first = references is None
    if is_first:
        references = queries[:, 0]
    costs = _costs(torch.cat([references[:, None], queries], dim=1), epsilon).cpu().numpy()
    _check_finite(costs)
    permutations = [_follow(clip, alignment, is_first) for clip in costs]
    return upload(torch.from_numpy(np.stack(permutations)), queries.device)  # (B, T, Q)


def chain_queries(query_embeds: Tensor, references: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Carry the slots of one video through its next frames, as MinVIS does.

    Args:
        query_embeds: of the segmenter, (N, Q, C) of N consecutive frames.
        references: what the call before returned; None at the first frame of a video.

    Returns:
        The query that each slot takes (N, Q), and the references (Q, C) for the next call.

    Raises:
        UserError: if embeddings are not finite.
    """
    if references is not None:
        references = references[None]  # (1, Q, C)
    order = match_frames(query_embeds[None], references, 'true')[0]  # (N, Q)
    return order, query_embeds[-1][order[-1]]


def _costs(frames: Tensor, epsilon: float) -> Tensor:
    """1 - cosine between the queries of neighbouring frames.

    Args:
        frames: (B, T + 1, Q, C).
        epsilon: see :func:`match_frames`.

    Returns:
        Rows are the queries of frame t, columns those of frame t + 1, (B, T, Q, Q).
    """
    with torch.autocast(frames.device.type, enabled=False):
        frames = full_precision(frames)
        lengths = frames.norm(dim=3, keepdim=True) + epsilon
        # A vector of zeros stays one instead of becoming NaN: it resembles all others equally.
        frames = frames / lengths.clamp(min=torch.finfo(frames.dtype).tiny)
        return 1 - frames[:, :-1] @ frames[:, 1:].transpose(2, 3)


def _follow(costs: np.ndarray, alignment: Alignment, is_first: bool) -> np.ndarray:
    """Permutations (T, Q) of one video from the costs (T, Q, Q) of neighbouring frames."""
    slots = np.arange(costs.shape[-1])  # references that were given are in slots already
    permutations = []
    for number, cost in enumerate(costs):
        if number > 0 or not is_first:
            slots = _assign(cost[slots], alignment)
        permutations.append(slots)
    return np.stack(permutations)


def _assign(cost: np.ndarray, alignment: Alignment) -> np.ndarray:
    """The permutation for costs of slots (rows) and current queries (columns)."""
    _, matches = linear_sum_assignment(cost if alignment == 'true' else cost.T)
    return matches


def _check_finite(costs: np.ndarray) -> None:
    """A frame is the first whose costs are not finite if it is the first that is not finite."""
    finite = np.isfinite(costs).all(axis=(2, 3))  # (B, T)
    if not finite.all():
        clip, frame = np.argwhere(~finite)[0]
        raise UserError(
            f'the query embeddings of frame {frame} of clip {clip} of the batch are not finite; '
            + WHY_NOT_FINITE
        )
