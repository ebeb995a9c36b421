"""Which query of a frame is which of the frame before, by cosine similarity.

Used by MinVIS at inference and by the referring tracker of DVIS. What a frame is compared with is
the frame before it in another order, so one table of similarities between neighbouring frames
answers for a whole window, and travels from a GPU in one piece.
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from mmvseg.errors import NonFiniteError, UserError

#: ``true``: a slot takes the query that was matched to it. ``inverse``: as published for the
#: tracker, the permutation is applied the wrong way round, and weights were trained with that.
ALIGNMENTS = ('inverse', 'true')


def check_alignment(alignment: str) -> None:
    """Refuse an unknown kind of alignment.

    Raises:
        UserError: naming the known ones.
    """
    if alignment not in ALIGNMENTS:
        raise UserError(f'tracker.alignment {alignment!r}: use one of {", ".join(ALIGNMENTS)}')


@torch.no_grad()
def align_queries(
    queries: Tensor,
    references: Tensor | None = None,
    alignment: str = 'true',
    epsilon: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Put the queries of consecutive frames into the order of the first.

    Args:
        queries: (T, Q, C).
        references: the last frame before these, in order, (Q, C); None if the video begins here.
        alignment: one of ``ALIGNMENTS``.
        epsilon: added to the length of each vector.

    Returns:
        Permutations, (T, Q) int64: slot k of frame t takes query ``permutation[t, k]``; and the
        queries of the last frame in order, (Q, C).

    Raises:
        NonFiniteError: a query is not finite.
    """
    first = queries[:1] if references is None else references[None]
    similarity = _cosines(torch.cat([first, queries[:-1]]), queries, epsilon)  # (T, Q, Q)
    similarity = similarity.double().cpu().numpy()
    _check_finite(similarity)
    num_queries = queries.shape[1]
    # Position, among the rows of a table, of what each slot holds: queries of the frame before.
    held = np.arange(num_queries)
    orders = []
    for frame, table in enumerate(similarity):
        if frame > 0 or references is not None:
            held = _match(1 - table[held], alignment)
        orders.append(held)
    permutations = torch.from_numpy(np.stack(orders)).to(queries.device)
    return permutations, queries[-1, permutations[-1]]


def _match(cost: np.ndarray, alignment: str) -> np.ndarray:
    """Current query of each slot, from costs of slots (rows) against current queries."""
    if alignment == 'true':
        return linear_sum_assignment(cost)[1]
    # Solved for the current queries, the answer is the slot of each; published code takes it for
    # the query of each slot.
    return linear_sum_assignment(cost.T)[1]


def _cosines(references: Tensor, queries: Tensor, epsilon: float) -> Tensor:
    """Cosine similarity of every reference (rows) and query of each frame, (T, Q, Q)."""
    with torch.autocast(queries.device.type, enabled=False):
        unit = [
            vectors / (vectors.norm(dim=2, keepdim=True) + epsilon)
            for vectors in (references.float(), queries.float())
        ]
        return unit[0] @ unit[1].transpose(1, 2)


def _check_finite(similarity: Sequence[np.ndarray]) -> None:
    for frame, table in enumerate(similarity):
        if not np.isfinite(table).all():
            raise NonFiniteError.diverged(f'query embeddings at frame {frame} of the window')
