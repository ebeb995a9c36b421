"""Export the networks of a trained model to ONNX files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmvseg.apis.inferencer import VideoSegInferencer
from mmvseg.deploy.manifest import (
    FILE_NAME,
    METADATA_KEY,
    NAME_KEY,
    NETWORKS,
    Manifest,
    encode,
)
from mmvseg.errors import UserError
from mmvseg.files import check_writable, user_path, write_bytes
from mmvseg.hub import find_model
from mmvseg.models.segmentors import VideoSegmentor

from .describing import describe, require_exportable, resizing
from .plans import Plan, plans
from .tracing import reason, require_exporter, to_onnx, trace
from .verifying import largest_difference


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes:
        path: of the file.
        nbytes: its size.
        difference: between what onnxruntime and torch compute for another input than the traced
            one, see :func:`.verifying.largest_difference`.
    """

    path: Path
    nbytes: int
    difference: float | None


def export_model(
    config: str | Path | Config,
    checkpoint: str | Path | None,
    out: str | Path,
    size: tuple[int, int] = (720, 1280),
    dynamic: bool = False,
    num_frames: int | None = None,
    **loading: Any,
) -> Iterator[Exported]:
    """Write the networks of a model.

    Args:
        config: a config, or the name of a published model; see :class:`VideoSegInferencer`.
        checkpoint: its weights; None after a name.
        out: a file ``.onnx`` if the model is one network, else a folder.
        size: (height, width) of the videos that a static network will take.
        dynamic: take videos of any size.
        num_frames: TeViT: take clips of exactly so many frames.
        loading: ``cfg_options``, ``allow_pickle`` and ``allow_missing`` of the inferencer.

    Yields:
        Each file when it is written.

    Raises:
        UserError: the model cannot be exported, in this way or at all, or a file not be written.
    """
    require_exporter()
    source = str(getattr(config, 'filename', config))
    cfg, weights = find_model(
        config, checkpoint, loading.pop('cfg_options', None), loading.get('allow_pickle', False)
    )
    require_exportable(cfg, source)
    inferencer = VideoSegInferencer(cfg, weights, 'cpu', precision='fp32', prepare=False, **loading)
    manifest = describe(
        inferencer.model, inferencer.metainfo, resizing(cfg), size, dynamic, num_frames
    )
    yield from write_networks(inferencer.model, manifest, out, size)


def write_networks(
    model: VideoSegmentor, manifest: Manifest, out: str | Path, size: tuple[int, int]
) -> Iterator[Exported]:
    """The same for a model that is loaded.

    Args:
        model: in inference mode, on the CPU; of no use afterwards.
        manifest: its description.
        out: as of :func:`export_model`.
        size: likewise.
    """
    model.requires_grad_(False)
    paths = _paths(manifest, out)
    for path in paths.values():
        check_writable(path)
    for plan in plans(model, manifest, size):
        yield export_network(plan, manifest, paths[plan.name])
    if len(paths) > 1:
        write_bytes(user_path(out) / FILE_NAME, encode(manifest))


def _paths(manifest: Manifest, out: str | Path) -> dict[str, Path]:
    """Where each network goes."""
    names, path = NETWORKS[manifest.kind], user_path(out)
    is_file = path.suffix == '.onnx'
    if len(names) == 1:
        if not is_file:
            raise UserError(f'{out}: a {manifest.model} is one network; give a file NAME.onnx')
        return {names[0]: path}
    if is_file or path.is_file():
        raise UserError(
            f'{out}: a {manifest.model} is several networks ({", ".join(names)}); give a folder, '
            f'without .onnx: {path.with_suffix("").name}'
        )
    return {name: path / f'{name}.onnx' for name in names}


def export_network(plan: Plan, manifest: Manifest, path: Path) -> Exported:
    """Write one network and compare it with torch.

    Raises:
        UserError: it cannot be traced or written, or does not run.
    """
    try:
        program = trace(plan.network, plan.example, plan.dynamic)
        metadata = {METADATA_KEY: encode(manifest).decode(), NAME_KEY: plan.name}
        data = to_onnx(program, plan.network, metadata, plan.defaults)
    except UserError:
        raise
    except Exception as error:  # whatever torch raises for what it cannot trace
        way = 'with --dynamic' if manifest.input.size is None else 'at this size'
        advice = '; leave --dynamic out and give --size' if manifest.input.size is None else ''
        raise UserError(
            f'{manifest.model}: its {plan.name} network cannot be exported {way} '
            f'({reason(error)}){advice}'
        ) from error
    write_bytes(path, data)
    try:
        difference = largest_difference(path, plan.network, plan.other)
    except Exception as error:  # of many types, of onnxruntime
        path.unlink()
        raise UserError(
            f'{manifest.model}: the exported {plan.name} network does not run ({reason(error)})'
        ) from error
    return Exported(path, len(data), difference)
