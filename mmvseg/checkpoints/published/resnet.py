"""ResNet as detectron2 names it."""

from collections.abc import Iterator, Mapping

from torch import Tensor

from .names import NameTable, numbered
from .parts import COUNTER, Part

_STAGES = [(stage + 1, stage) for stage in range(1, 5)]  # res2 is layer1


class Detectron2ResNet(Part):
    """Detectron2's ResNet with frozen batch norm, which counts no batches."""

    def __init__(self) -> None:
        super().__init__(
            NameTable(
                [
                    ('stem.conv1.weight', 'conv1.weight'),
                    ('stem.conv1.norm.{rest}', 'bn1.{rest}'),
                    *_blocks('shortcut.weight', 'downsample.0.weight'),
                    *_blocks('shortcut.norm.{rest}', 'downsample.1.{rest}'),
                    *_blocks('conv{conv}.weight', 'conv{conv}.weight'),
                    *_blocks('conv{conv}.norm.{rest}', 'bn{conv}.{rest}'),
                ]
            )
        )

    def to_theirs(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """The way back; the counters of batches have no place there."""
        return super().to_theirs(
            {name: tensor for name, tensor in weights.items() if not name.endswith(COUNTER)}
        )


def _blocks(theirs: str, ours: str) -> Iterator[tuple[str, str]]:
    return numbered(f'res#.{{block}}.{theirs}', f'layer#.{{block}}.{ours}', _STAGES)
