"""``own_data`` in a config: own files in the place of the published ones, for any video model.

It stands for what differs from family to family: where data sets and metrics name files, COCO's
images beside the videos, and the validation that published data without annotations do not allow.
"""

import os.path
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope

from mmvseg.datasets import VideoDataset
from mmvseg.errors import UserError
from mmvseg.registry import DATASETS, METRICS

from .config_sections import require

#: Keys of its own; all others are arguments of the data sets.
_SPLITS = ('train', 'val')
#: Arguments that say which of the published files or videos there are.
_OF_PUBLISHED = {'all_frames', 'sequences'}


def use_own_data(cfg: Config) -> None:
    """Let a config train and test on the data that its ``own_data`` names, if it has one.

    ``own_data`` is a dict with ``train`` and ``val``, each an annotation file or a dict of the data
    set's arguments, and with the arguments that both share. Validation and tests use ``val``.

    Raises:
        UserError: something is missing, or the model is none of videos.

    Example:
        >>> own_data = dict(
        ...     data_root='data/cutlery/',
        ...     data_prefix=dict(img='frames'),
        ...     train='train.json',
        ...     val='val.json',
        ... )
    """
    own = cfg._cfg_dict.pop('own_data', None)
    if own is None:
        return
    splits = _arguments(cfg, own)
    require(cfg, 'train_dataloader.dataset', 'test_dataloader.dataset', 'test_evaluator')
    for name, arguments in zip(('train_dataloader', 'test_dataloader'), splits, strict=True):
        dataset = _video_dataset(cfg, name)
        dataset.update(arguments)
        if 'version' in dataset:
            dataset.version = None  # the classes are those of the file
        for key in _OF_PUBLISHED - arguments.keys():
            dataset.pop(key, None)
    evaluators = cfg.test_evaluator
    for evaluator in evaluators if isinstance(evaluators, list) else [evaluators]:
        if getattr(METRICS.get(evaluator.get('type', '')), 'has_own_truth', False):
            raise UserError(
                f'config {cfg.filename}, own_data: {evaluator.type} has ground truth of its own, '
                'which is not that of own data; set test_evaluator=dict(_delete_=True, type='
                "'YouTubeVISMetric', ann_file=...)"
            )
        _measure_on(evaluator, cfg.test_dataloader.dataset)
    cfg.val_dataloader = deepcopy(cfg.test_dataloader)
    cfg.val_evaluator = deepcopy(cfg.test_evaluator)
    cfg.val_cfg = cfg.get('val_cfg') or dict(type='VideoValLoop')


def _arguments(cfg: Config, own: Any) -> list[dict[str, Any]]:
    """Arguments of the data sets of training and validation."""
    for split in _SPLITS:
        if not isinstance(own, Mapping) or not isinstance(own.get(split), str | Mapping):
            raise UserError(
                f'config {cfg.filename}, own_data: needs train and val, each an annotation file '
                'or dict(ann_file=...); they may be the same'
            )
    shared = {key: value for key, value in own.items() if key not in _SPLITS}
    given = (own[split] for split in _SPLITS)
    return [shared | (dict(ann_file=g) if isinstance(g, str) else dict(g)) for g in given]


def _video_dataset(cfg: Config, dataloader: str) -> ConfigDict:
    """The data set of videos; of several, the first is left alone."""
    loader = cfg[dataloader]
    dataset = loader.dataset
    if isinstance(dataset.get('datasets'), Mapping):
        loader.dataset = dataset = next(iter(dataset.datasets.values()))
        loader.sampler = dict(type='ClipSampler')
    init_default_scope('mmvseg')
    kind = DATASETS.get(dataset.type)
    if not isinstance(kind, type) or not issubclass(kind, VideoDataset):
        raise UserError(
            f'config {cfg.filename}, own_data: {dataloader}.dataset is {dataset.type}, no data set '
            'of videos; name the files in the data set itself'
        )
    return dataset


def _measure_on(evaluator: ConfigDict, dataset: ConfigDict) -> None:
    root, prefix = dataset.get('data_root') or '', dataset.get('data_prefix') or {}
    files = dict(
        ann_file=dataset.get('ann_file') or '',
        mask_root=prefix.get('mask') or prefix.get('img') or '',
    )
    for key, name in files.items():
        if key in evaluator:
            evaluator[key] = os.path.join(root, name)
    for key in ('version', 'sequences'):
        if key in evaluator:
            evaluator[key] = dataset.get(key)
