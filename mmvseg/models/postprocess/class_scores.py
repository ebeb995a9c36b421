"""Class probabilities of queries over a whole video."""

import torch
from torch import Tensor


class RunningMean:
    """Mean over frames of class logits (Q, K + 1), the same for any split into windows.

    Args:
        memory: None for the mean of all frames. Else about so many frames count: each makes what
            the earlier ones weigh smaller by 1 / ``memory``.
    """

    def __init__(self, memory: int | None = None) -> None:
        self.count = 0
        self._weight = 0.0
        self._keep = 1.0 if memory is None else 1 - 1 / memory
        self._sum: Tensor | None = None

    def add(self, class_logits: Tensor) -> None:
        """Take T frames, (T, Q, K + 1)."""
        for logits in class_logits.detach():
            first = self._sum is None
            self._sum = logits.double() if first else self._sum * self._keep + logits
            self._weight = self._weight * self._keep + 1
            self.count += 1

    @property
    def value(self) -> Tensor:
        """The mean so far, float32, (Q, K + 1)."""
        return (self._sum / self._weight).float()


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
