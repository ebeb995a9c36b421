"""Class probabilities of queries over a whole video."""

import torch
from torch import Tensor


class RunningMean:
    """Mean over frames of class logits (Q, K + 1), the same for any split into windows."""

    def __init__(self) -> None:
        self.count = 0
        self._sum: Tensor | None = None

    def add(self, class_logits: Tensor) -> None:
        """Take T frames, (T, Q, K + 1)."""
        for logits in class_logits.detach():
            self._sum = logits.double() if self._sum is None else self._sum + logits
            self.count += 1

    @property
    def value(self) -> Tensor:
        """The mean so far, float32, (Q, K + 1)."""
        return (self._sum / self.count).float()


def class_probabilities(class_logits: Tensor, online_logits: Tensor | None = None) -> Tensor:
    """Probabilities of the K classes and, in the last column, of "no object".

    Args:
        class_logits: of the queries over the video, (Q, K + 1).
        online_logits: of the tracker, where ``class_logits`` are the refiner's. A class then has
            the larger of both probabilities; "no object" keeps the refiner's, as published.

    Returns:
        (Q, K + 1), float32; with ``online_logits`` the rows need not sum to 1.
    """
    probs = class_logits.float().softmax(-1)
    if online_logits is None:
        return probs
    online = online_logits.float().softmax(-1)
    return torch.cat([torch.maximum(probs, online)[:, :-1], probs[:, -1:]], dim=1)
