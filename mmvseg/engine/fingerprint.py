"""Makes sure that an interrupted test is continued with the same model on the same data."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmvseg.errors import UserError
from mmvseg.files import file_errors, file_hash, user_path, write_json
from mmvseg.formats.results_folder import holds_results, remove_results
from mmvseg.formats.vspw import find_categories

FILE_NAME = 'run.json'


def fingerprint(cfg: Config, checkpoint: str | Path, ann_file: str | Path) -> dict[str, str]:
    """What decides the results of a test, as one hash a source.

    Args:
        cfg: its model, test pipeline and window size count; paths and workers do not.
        checkpoint: file of the weights.
        ann_file: file, or folder of folders, that lists the videos.

    Raises:
        UserError: if a file cannot be read.
    """
    dataset_cfg = cfg.test_dataloader.dataset
    dataset = {
        key: value
        for key, value in dataset_cfg.items()
        if key not in ('ann_file', 'all_frames', 'data_root', 'data_prefix')
    }
    precision = cfg.test_cfg.get('precision', 'fp32')
    settings = dict(model=cfg.model, dataset=dataset, precision=precision)
    prefix = dataset_cfg.get('data_prefix') or {}
    folder = Path(dataset_cfg.get('data_root') or '', prefix.get('img') or '')
    categories = find_categories(ann_file, folder)  # of own data in VSPW's layout
    if categories is not None:
        settings['categories'] = file_hash(user_path(categories))
    if dataset_cfg.get('all_frames'):  # the frames of Cityscapes-VPS between the labelled ones
        root = Path(dataset_cfg.get('data_root') or '')
        settings['all_frames'] = file_hash(user_path(root / dataset_cfg.all_frames))
    text = json.dumps(_plain(settings), sort_keys=True)
    return dict(
        config=hashlib.sha256(text.encode()).hexdigest(),
        checkpoint=file_hash(user_path(checkpoint)),
        annotations=_hash_of_list(user_path(ann_file)),
    )


def _hash_of_list(path: Path) -> str:
    """SHA-256 of a file, or of the names of all files in the folders of a folder."""
    if not path.is_dir():
        return file_hash(path)
    names = sorted(str(file.relative_to(path)) for file in path.glob('*/*'))
    return hashlib.sha256('\n'.join(names).encode()).hexdigest()


def claim_folder(out_dir: Path, run: Mapping[str, str], restart: bool = False) -> None:
    """Note ``run`` in a results folder, or check that the folder belongs to the same run.

    Args:
        out_dir: folder of the results; made if need be.
        run: as :func:`fingerprint` gives it.
        restart: throw away what another or an earlier run left there.

    Raises:
        UserError: the folder holds results of another config, checkpoint or annotation file, or
            cannot be written to.
    """
    with file_errors(out_dir):
        out_dir.mkdir(parents=True, exist_ok=True)
        _check_folder(out_dir, run, restart)
    write_json(out_dir / FILE_NAME, dict(run))


def _check_folder(out_dir: Path, run: Mapping[str, str], restart: bool) -> None:
    note = out_dir / FILE_NAME
    if restart:
        remove_results(out_dir)
        note.unlink(missing_ok=True)  # the claim to the folder last
    elif note.is_file():
        previous = _read_note(note)
        differing = [name for name in run if previous.get(name) != run[name]]
        if differing:
            raise UserError(
                f'{out_dir} holds results of another run ({" and ".join(differing)} differ); '
                'give another --out, or --restart to throw them away'
            )
    elif holds_results(out_dir):
        raise UserError(
            f'{out_dir} holds results without a {FILE_NAME} that says where they come from; '
            'give another --out, or --restart to throw them away'
        )


def _read_note(path: Path) -> dict:
    try:
        note = json.loads(path.read_text())
    except (ValueError, RecursionError):
        note = None
    return note if isinstance(note, dict) else {}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(child) for child in value]
    return value if isinstance(value, bool | int | float | str | None) else repr(value)
