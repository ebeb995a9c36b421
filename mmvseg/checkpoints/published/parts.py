"""Parts of a model whose parameters are named, or laid out, differently in published code."""

from collections.abc import Callable, Mapping

from torch import Tensor

from .names import NameTable

COUNTER = 'num_batches_tracked'


class Part:
    """A part with the same tensors under other names.

    Args:
        table: its names; None if they are the same.
    """

    def __init__(self, table: NameTable | None = None) -> None:
        self.table = table

    @property
    def is_same(self) -> bool:
        """Whether published and our weights are the same under the same names."""
        return type(self) is Part and self.table is None

    def to_ours(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """Translate published weights.

        Args:
            weights: by name, without the name of the part in front.

        Returns:
            The weights by our names, and the names that the published part does not have.
        """
        if self.table is None:
            return dict(weights), []
        return _rename(weights, self.table.to_ours)

    def to_theirs(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """The way back, see :meth:`to_ours`."""
        if self.table is None:
            return dict(weights), []
        return _rename(weights, self.table.to_theirs)


def _rename(
    weights: Mapping[str, Tensor], translate: Callable[[str], str | None]
) -> tuple[dict[str, Tensor], list[str]]:
    renamed, unknown = {}, []
    for name, tensor in weights.items():
        new = translate(name)
        if new is None or new in renamed:  # a second name for the same
            unknown.append(name)
        else:
            renamed[new] = tensor
    return renamed, unknown
