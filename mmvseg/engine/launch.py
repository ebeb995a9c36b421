"""What training and testing share: the preparation of a config."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.device import get_device

from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.datasets import (
    CityscapesVPSDataset,
    STEPDataset,
    VIPSegDataset,
    VSPWDataset,
    YouTubeVISDataset,
)
from mmvseg.errors import UserError, say
from mmvseg.files import user_path
from mmvseg.formats.cityscapes_vps import read_cityscapes_vps
from mmvseg.formats.panoptic_records import PanopticSet
from mmvseg.formats.step import has_maps, list_sequences, read_step
from mmvseg.formats.vipseg import read_vipseg
from mmvseg.formats.vspw import load_semantic_truth
from mmvseg.formats.youtube_vis import released_file
from mmvseg.registry import DATASETS, METRICS

from .categories import sync_num_classes
from .config import load_config, require
from .console import hide_irrelevant_warnings
from .device import use_device
from .distributed import init_distributed
from .monitors import monitoring_hooks


def allowed_missing(args: argparse.Namespace) -> list[str] | None:
    """The prefixes of ``--allow-missing``, the empty one for all; None where it is not given."""
    return None if args.allow_missing is None else args.allow_missing or ['']


def start(args: argparse.Namespace) -> Config:
    """Read the config, choose the device and start the process group."""
    hide_irrelevant_warnings()
    cfg = load_config(args.config, args.cfg_options)
    if args.local_rank is not None:
        os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    if args.launcher != 'none' and args.device not in (None, 'cpu', 'cuda'):
        raise UserError(f'--device {args.device}: with a launcher each process takes its own GPU')
    use_device(args.device)
    cfg.launcher = args.launcher
    init_distributed(args.launcher)
    if args.allow_pickle:
        cfg.allow_pickle = True
    if args.allow_missing is not None:
        cfg.allow_missing = allowed_missing(args)
    return cfg


def prepare_test(cfg: Config, args: argparse.Namespace) -> Path:
    """Point the config at checkpoint and data, and drop what only training needs.

    Returns:
        The annotation file.

    Raises:
        UserError: a file is missing or unusable, or the config has no test data.
    """
    require(cfg, 'model', 'test_dataloader.dataset', 'test_cfg', 'test_evaluator')
    if not user_path(args.checkpoint).is_file():
        raise UserError(f'checkpoint {args.checkpoint}: no such file')
    for part in ('train', 'val'):
        cfg[f'{part}_cfg'] = cfg[f'{part}_dataloader'] = None
    cfg.val_evaluator = cfg.optim_wrapper = cfg.param_scheduler = None
    for _, _, hook in monitoring_hooks(cfg):  # which are built, but never asked
        hook.setdefault('rule', 'greater')
    cfg.load_from, cfg.resume = args.checkpoint, False
    # what a config lets stay unfilled concerns the start of a training
    cfg.allow_missing = allowed_missing(args) or []
    _choose_data(cfg, args)
    dataset = cfg.test_dataloader.dataset
    check_data(dataset, 'test_dataloader.dataset')
    allow_pickle = cfg.get('allow_pickle', False)
    checkpoint = load_checkpoint_file(args.checkpoint, allow_pickle, mmap=True)
    set_classes(cfg, 'test_dataloader', checkpoint)
    return annotation_file(dataset)


def _choose_data(cfg: Config, args: argparse.Namespace) -> None:
    """Let dataset and evaluators use what ``--json``, ``--root`` and ``--masks`` name."""
    dataset = cfg.test_dataloader.dataset
    prefix = dict(dataset.get('data_prefix') or {})
    changed = {}
    if args.root:
        # VSPW has its masks among the frames
        among_frames = data_folder(dataset, 'mask') == data_folder(dataset, 'img')
        prefix['img'] = str(Path(args.root).absolute())
        if among_frames:
            changed['mask_root'] = prefix['img']
    if args.masks:
        changed['mask_root'] = prefix['mask'] = str(Path(args.masks).absolute())
    if args.json:
        changed['ann_file'] = dataset.ann_file = str(Path(args.json).absolute())
        dataset.pop('sequences', None)  # those of another folder
    dataset.data_prefix = prefix
    for evaluator in metrics_of(cfg.test_evaluator):
        evaluator.update({key: value for key, value in changed.items() if key in evaluator})
        if args.json:
            evaluator.pop('sequences', None)


def set_classes(cfg: Config, dataloader: str, checkpoint: Mapping[str, Any] | None = None) -> None:
    """Let the dataset, or a trained model, decide the number of classes, and say so."""
    for change in sync_num_classes(cfg, dataloader, checkpoint):
        if int(os.environ.get('RANK', 0)) == 0:
            say(change, sys.stderr)


def set_amp(cfg: Config, precision: str) -> None:
    """Train in mixed precision.

    Args:
        cfg: config, changed in place.
        precision: ``fp16``, ``bf16`` or ``auto``: fp16 on a GPU, bf16 on a CPU.

    Raises:
        UserError: fp16 without a GPU, or an optimizer wrapper of an unknown kind.
    """
    if precision == 'auto':
        precision = 'fp16' if get_device() == 'cuda' else 'bf16'
    wrapper = cfg.optim_wrapper
    kind = wrapper.get('type', 'OptimWrapper')
    if kind not in ('OptimWrapper', 'AmpOptimWrapper', 'BFloat16OptimWrapper'):
        raise UserError(f'--amp: optim_wrapper.type = {kind!r} has no mixed-precision form')
    if precision == 'fp16':
        if get_device() != 'cuda':
            raise UserError('--amp fp16: needs a GPU; use --amp bf16 on a CPU')
        wrapper.type = 'AmpOptimWrapper'
        wrapper.setdefault('loss_scale', 'dynamic')
        wrapper.dtype = 'float16'
        return
    wrapper.type = 'BFloat16OptimWrapper'
    for key in ('loss_scale', 'dtype'):
        wrapper.pop(key, None)


def check_amp(cfg: Config) -> None:
    """Stop where a config asks for float16 and there is no GPU.

    Raises:
        UserError: it does.
    """
    wrapper = cfg.get('optim_wrapper') or {}
    if wrapper.get('type') == 'AmpOptimWrapper' and get_device() == 'cpu':
        raise UserError(
            "optim_wrapper.type = 'AmpOptimWrapper': float16 needs a GPU; use --amp bf16 on a CPU"
        )


def check_data(dataset: Mapping[str, Any], where: str) -> None:
    """Check that the files of a dataset config are there.

    Args:
        dataset: the config; wrappers are looked through.
        where: its config key, for the message.

    Raises:
        UserError: the annotation file or a folder of frames or maps is missing.
    """
    if 'dataset' in dataset:
        check_data(dataset['dataset'], f'{where}.dataset')
    parts = dataset.get('datasets', {})
    named = parts.items() if isinstance(parts, Mapping) else enumerate(parts)
    for name, part in named:
        check_data(part, f'{where}.datasets.{name}')
    root = Path(dataset.get('data_root') or '')
    prefix = dataset.get('data_prefix') or {}
    paths = {f'data_prefix.{name}': root / folder for name, folder in prefix.items()}
    if dataset.get('ann_file'):
        paths = {'ann_file': annotation_file(dataset), **paths}
    for key, path in paths.items():
        if not path.exists():
            if key == 'data_prefix.mask' and lacks_annotations(dataset):
                continue
            raise UserError(
                f'{where}.{key}: {path} does not exist (looked from {Path.cwd()}); put the data '
                'there or change the path in the config'
            )


def annotation_file(dataset: Mapping[str, Any]) -> Path:
    """Where the annotation file of a dataset config lies; without one the dataset's folder."""
    return Path(
        released_file(Path(dataset.get('data_root') or '') / (dataset.get('ann_file') or ''))
    )


def data_folder(dataset: Mapping[str, Any], name: str) -> Path:
    """Where the frames (``img``) or the maps (``mask``) of a dataset config lie.

    Maps without a folder of their own lie among the frames.
    """
    prefix = dataset.get('data_prefix') or {}
    return Path(dataset.get('data_root') or '') / (prefix.get(name) or prefix.get('img') or '')


def metrics_of(evaluator: Any) -> list[Mapping[str, Any]]:
    """The configs of the metrics of ``val_evaluator`` or ``test_evaluator``."""
    return [*evaluator] if isinstance(evaluator, list) else [evaluator]


def lacks_truth(dataset: Mapping[str, Any], evaluator: Any) -> bool:
    """Whether the videos of a dataset config have no annotations, and no metric brings any.

    Raises:
        UserError: the annotation file cannot be read, or only some of the videos have them.
    """
    kinds = (METRICS.get(metric['type']) for metric in metrics_of(evaluator))
    has_own = any(getattr(kind, 'has_own_truth', False) for kind in kinds)
    return not has_own and lacks_annotations(dataset)


def panoptic_truth(dataset: Mapping[str, Any]) -> PanopticSet:
    """The ground truth of a panoptic dataset config.

    Raises:
        UserError: naming the file that is missing or broken.
    """
    kind, masks = DATASETS.get(dataset['type']), data_folder(dataset, 'mask')
    if issubclass(kind, STEPDataset):
        sequences = list_sequences(annotation_file(dataset), dataset.get('sequences'))
        return read_step(masks, dataset.get('version'), sequences)
    return _reader(kind)(annotation_file(dataset), masks)


def _reader(kind: type[VIPSegDataset]) -> Callable[..., PanopticSet]:
    return read_cityscapes_vps if issubclass(kind, CityscapesVPSDataset) else read_vipseg


def lacks_annotations(dataset: Mapping[str, Any]) -> bool:
    """Whether the videos of a dataset config were released without annotations.

    Raises:
        UserError: the annotation file cannot be read, or only some of the videos have them.
    """
    kind = DATASETS.get(dataset['type'])
    path = annotation_file(dataset)
    if not isinstance(kind, type):
        return False
    if issubclass(kind, YouTubeVISDataset):
        return not kind.is_annotated(path)
    if issubclass(kind, VIPSegDataset):
        return not _reader(kind)(path, with_annotations=False).has_annotations
    if issubclass(kind, STEPDataset):
        return _lacks_maps(dataset)
    if issubclass(kind, VSPWDataset):
        return not load_semantic_truth(path, data_folder(dataset, 'mask')).masks
    return False


def _lacks_maps(dataset: Mapping[str, Any]) -> bool:
    names = list_sequences(annotation_file(dataset), dataset.get('sequences'))
    masks = data_folder(dataset, 'mask')
    if not (dataset.get('data_prefix') or {}).get('mask'):
        return True
    without = [name for name in names if not has_maps(masks / name)]
    if without and len(without) < len(names):
        raise UserError(
            f'{masks}: {len(without)} of {len(names)} sequences have no maps, the first is '
            f'{without[0]}; name the folder of this split as data_prefix.mask, or leave that empty '
            'if the split has no maps'
        )
    return bool(without)
