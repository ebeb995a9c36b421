"""Panoptic ground truth and results of any form, told apart by what they are.

A folder with a folder of maps a sequence is of STEP's form, a json with ``videos`` of VIPSeg's, one
with ``images`` alone of that of Cityscapes-VPS.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Raw, ValidationError

from mmvseg.errors import UserError

from . import cityscapes_vps, cityscapes_vps_results, step, vipseg, vipseg_results
from .json_files import decode_json, read_json_bytes
from .panoptic_records import PanopticSet, Video

_SPLIT = re.compile(r'_(train|val|test)(?:_|$)')


def panoptic_form(path: str | Path) -> str:
    """The form of ground truth: ``vipseg``, ``cityscapes_vps`` or ``step``.

    Args:
        path: a json, or a folder of maps.

    Raises:
        UserError: it cannot be read or is no json.
    """
    if Path(path).is_dir():
        return 'step'
    try:
        content = decode_json(read_json_bytes(path), path, dict[str, Raw])
    except ValidationError:
        return 'vipseg'  # whose reader says what is wrong
    return 'cityscapes_vps' if 'images' in content and 'videos' not in content else 'vipseg'


def find_truth(path: str | Path) -> Path:
    """The json of a ground truth folder, or the folder itself if it is of STEP's form.

    Raises:
        UserError: it is none of them, see :func:`.vipseg_results.find_ground_truth`.
    """
    return Path(path) if is_step(path) else vipseg_results.find_ground_truth(path)


def is_step(path: str | Path) -> bool:
    """Whether a path is a folder with a folder of PNGs for each sequence."""
    path = Path(path)
    return path.is_dir() and any(path.glob('*/*.png')) and not any(path.glob('*.json'))


def mask_folder(path: str | Path) -> Path:
    """Where the segment maps usually lie.

    Args:
        path: the ground truth.

    Raises:
        UserError: the name of a json of Cityscapes-VPS does not say of which split it is.
    """
    return _beside(Path(path), 'panomasksRGB', 'panoptic_video') or Path(path)


def frame_folder(path: str | Path) -> Path:
    """Where the pictures usually lie; see :func:`mask_folder`."""
    path = Path(path)
    return _beside(path, 'images', 'img') or path.parent.parent / 'images' / path.name


def _beside(path: Path, of_vipseg: str, of_cityscapes_vps: str) -> Path | None:
    form = panoptic_form(path)
    if form == 'step':
        return None
    if form == 'vipseg':
        return path.parent / of_vipseg
    split = _SPLIT.search(path.stem)
    if split is None:
        raise UserError(
            f'{path}: its name does not say the split (train, val or test), in whose folder the '
            f'{of_cityscapes_vps} of Cityscapes-VPS lies; name it panoptic_gt_SPLIT_city_vps.json'
        )
    return path.parent / split[1] / of_cityscapes_vps


def read_panoptic(
    path: str | Path,
    mask_root: str | Path = '',
    version: str | None = None,
) -> PanopticSet:
    """Read ground truth of any form.

    Args:
        path: the json, or the folder of maps.
        mask_root: folder of the maps that a json speaks of.
        version: of the classes, where ``path`` is a folder, see :func:`.step.read_classes`.

    Raises:
        UserError: naming what is missing or wrong.

    Example:
        >>> truth = read_panoptic('vipseg/panoptic_gt_VIPSeg_val.json', 'vipseg/panomasksRGB')
        >>> truth.form, [category.name for category in truth.classes if not category.is_thing]
        ('vipseg', ['sky', 'sand', 'grass', 'water'])
    """
    form = panoptic_form(path)
    if form == 'step':
        return step.read_step(path, version)
    if version is not None:
        raise UserError(
            f'{path}: names its classes itself; leave out those given by name ({version})'
        )
    read = dict(vipseg=vipseg.read_vipseg, cityscapes_vps=cityscapes_vps.read_cityscapes_vps)
    return read[form](path, mask_root)


def load_results(
    folder: str | Path, truth: PanopticSet, videos: Mapping[str, Video] | None = None
) -> dict[str, Video]:
    """The predictions in a folder, see :func:`.vipseg_results.load_results` and its likes."""
    load = dict(
        vipseg=vipseg_results.load_results,
        cityscapes_vps=cityscapes_vps_results.load_results,
        step=step.load_results,
    )
    return load[truth.form](folder, truth, videos)


def results_pattern(truth: PanopticSet) -> str:
    """What lies at the top of a folder of predictions, for :func:`.submissions.unpacked`."""
    return '*/*.png' if truth.form == 'step' else 'pred.json'
