"""A recorded case on disk, and the comparison of what a module computes with it."""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from mmvseg.checkpoints.published.layouts import DETECTRON2_RESNET, MMDET, Layout, recognise
from mmvseg.converters.translate import rename
from mmvseg.errors import UserError
from mmvseg.models.precision import inference
from mmvseg.models.prepared import prepare_for_inference

#: Absolute tolerance, for values of order 1, where a case records no noise of its own.
DEFAULT_TOLERANCE = 1e-4
#: Tolerance over recorded float32 noise.
NOISE_FACTOR = 10
#: Units in the last place of a tensor's largest value that always pass: a lucky recording may
#: show less noise than float32 can promise.
ALLOWED_ULPS = 16

_prepare = False


@dataclass(frozen=True)
class Case:
    """One case folder.

    Attributes:
        folder: where it lies.
        kind: what it records, e.g. ``stqi_head``.
        config: contents of its config.json.
        inputs: tensors by name, without the prefix ``in.``.
        expected: recorded outputs by name, without the prefix ``out.``.
        weights: state dict under the original parameter names.
    """

    folder: Path
    kind: str
    config: dict
    inputs: dict[str, Tensor]
    expected: dict[str, Tensor]
    weights: dict[str, Tensor]

    def tolerance(self, name: str) -> float:
        """Largest allowed |difference| of an output that holds real numbers, recorded or not."""
        recorded = self.expected.get(name)
        scale = 0.0 if recorded is None or not recorded.numel() else recorded.abs().max().item()
        noise = self.config.get('fp64_deviation', {}).get(f'out.{name}')
        if not isinstance(noise, float | int):
            return DEFAULT_TOLERANCE * max(1.0, scale)
        floor = ALLOWED_ULPS * torch.finfo(torch.float32).eps * scale
        return max(NOISE_FACTOR * noise, floor)

    @property
    def layout(self) -> Layout:
        """How the weights are named."""
        return _layout(self.weights)

    def our_weights(self, published: str = '', ours: str = '') -> dict[str, Tensor]:
        """The weights through the converter of published checkpoints.

        Args:
            published: what the names of a case of one part leave out in front, e.g. ``tracker.``.
            ours: the same of our names.

        Raises:
            UserError: the published model has no such names.
        """
        weights = {published + name: tensor for name, tensor in self.weights.items()}
        renamed = rename(weights, _layout(weights))
        return {name.removeprefix(ours): tensor for name, tensor in renamed.items()}

    def load_weights(self, module: nn.Module, published: str = '', ours: str = '') -> None:
        """Put the converted weights into a module, see :meth:`our_weights`, for inference.

        Raises:
            UserError: if names or shapes do not fit.
        """
        fill(module, self.our_weights(published, ours))


def fill(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Put weights by our names into a module and set it to inference mode.

    Raises:
        UserError: if names or shapes do not fit.
    """
    try:
        module.load_state_dict(weights, strict=True)
    except RuntimeError as error:
        raise UserError(
            f'weights.safetensors does not fit the module that config.json describes. {error}'
        ) from error
    module.eval()
    if _prepare:
        prepare_for_inference(module)


@contextmanager
def prepared() -> Iterator[None]:
    """Let the cases of the block be replayed with models that are prepared for inference."""
    global _prepare
    _prepare = True
    try:
        with inference(torch.float32, torch.device('cpu')):
            yield
    finally:
        _prepare = False


def _layout(names: Collection[str]) -> Layout:
    """Parts alone do not tell the backbone, on which the names of other parts do not depend."""
    is_dvis = any(name.startswith(('sem_seg_head.', 'tracker.', 'refiner.')) for name in names)
    return recognise(names) or (DETECTRON2_RESNET if is_dvis else MMDET)


@dataclass(frozen=True)
class Row:
    """How one output compares: passed if ``difference`` is at most ``tolerance``."""

    name: str
    difference: float
    tolerance: float
    note: str = ''

    @property
    def passed(self) -> bool:
        """Whether the output agrees; NaN never does."""
        return self.difference <= self.tolerance


@dataclass
class Comparison:
    """Collects a row for every recorded output; what a case does not record is not compared."""

    case: Case
    rows: list[Row] = field(default_factory=list)

    def records(self, prefix: str) -> bool:
        """Whether the case has any output whose name begins with ``prefix``."""
        return any(name.startswith(prefix) for name in self.case.expected)

    def comparable(self, name: str, actual: Tensor) -> Tensor | None:
        """What was recorded; None if nothing was, or with a failed row if in another shape."""
        expected = self.case.expected.get(name)
        if expected is not None and expected.shape != actual.shape:
            shapes = f'shape {tuple(actual.shape)}, recorded {tuple(expected.shape)}'
            self.rows.append(Row(name, float('nan'), 0, shapes))
            return None
        return expected

    def close(self, name: str, actual: Tensor) -> None:
        """Compare real numbers: max |difference| against the case's tolerance."""
        expected = self.comparable(name, actual)
        if expected is None:
            return
        difference = (actual.detach().double() - expected.double()).abs()
        worst = difference.max().item() if difference.numel() else 0.0
        self.rows.append(Row(name, worst, self.case.tolerance(name)))

    def equal(self, name: str, actual: Tensor) -> None:
        """Compare integers, such as indices or labels: all of them must agree."""
        self.nearly_equal(name, actual, 0.0, 'differ')

    def nearly_equal(self, name: str, actual: Tensor, allowed_share: float, note: str) -> None:
        """Compare integers of which a share may differ, such as the pixels of masks."""
        expected = self.comparable(name, actual)
        if expected is None:
            return
        total, differing = expected.numel(), int((actual != expected).sum())
        self.count(name, differing, int(total * allowed_share), f'of {total} {note}')

    def count(self, name: str, number: int, allowed: int, note: str) -> None:
        """Add a row that counts disagreements."""
        self.rows.append(Row(name, number, allowed, note))

    def finish(self) -> list[Row]:
        """All rows, with a failed one for each recorded output that was not compared."""
        compared = {row.name for row in self.rows}
        missing = [name for name in self.case.expected if name not in compared]
        self.rows += [Row(name, float('nan'), 0, 'recorded, not replayed') for name in missing]
        return self.rows


def is_case(folder: Path) -> bool:
    """Whether a folder holds a case."""
    return (folder / 'config.json').is_file()


def load_case(folder: Path) -> Case:
    """Read a case folder.

    Raises:
        UserError: if a file is missing or broken, or config.json names no kind.
    """
    path = folder / 'config.json'
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f'{path}: not readable as JSON ({error})') from error
    # TeViT's cases call it case_type; in those of DVIS it is the value of case.
    kind = config.get('case_type') or config.get('case') if isinstance(config, dict) else None
    if not isinstance(kind, str):
        raise UserError(f"{path}: names no kind of case ('case_type' or 'case')")
    tensors = _read_tensors(folder / 'io.safetensors')
    weights = folder / 'weights.safetensors'
    return Case(
        folder=folder,
        kind=kind,
        config=config,
        inputs=_with_prefix(tensors, 'in.'),
        expected=_with_prefix(tensors, 'out.'),
        weights=_read_tensors(weights) if weights.exists() else {},
    )


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(f'{path}: not readable as safetensors ({error})') from error


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
