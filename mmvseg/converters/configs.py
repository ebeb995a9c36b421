"""Finding the config whose model a published checkpoint belongs to."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import nn

from mmvseg.checkpoints.published.layouts import BACKBONES, SOURCES, Layout
from mmvseg.checkpoints.skeleton import build_skeleton
from mmvseg.engine.categories import classes_of, set_num_classes
from mmvseg.engine.config import config_errors, load_config, require
from mmvseg.shipped import shipped_folder

from .fit import Fit, fit_to_model, refuse_misfit
from .translate import Converted

CONFIGS = shipped_folder() / 'configs'
FOLDERS = ('tevit', 'queryinst', 'minvis', 'dvis', 'mask2former', 'eomt', 'videomt', 'pmt')
#: Biases of class heads, whose length tells the number of classes, and what it exceeds it by.
_CLASS_BIASES = (
    ('panoptic_head.cls_embed.bias', 1),
    ('roi_head.bbox_head.0.fc_cls.bias', 0),
)


@dataclass
class Target:
    """A config and what it says of the model.

    Attributes:
        path: the file.
        config: its contents, with class counts of its data set.
        classes: classes of the data set, as ``metainfo``; None if it does not tell.
    """

    path: Path
    config: Config
    classes: dict[str, Any] | None

    @property
    def name(self) -> str:
        """The path from the project's folder, or the file's name if it lies elsewhere."""
        path = self.path.resolve()
        is_ours = path.is_relative_to(CONFIGS)
        return str(path.relative_to(CONFIGS.parent)) if is_ours else path.name

    def skeleton(self) -> nn.Module:
        """The model, without memory for its parameters."""
        with config_errors(self.config):
            return build_skeleton(self.config.model)


def read_target(path: str | Path) -> Target:
    """Read a config for a conversion.

    Raises:
        UserError: it cannot be read, has no model, or its data set, which tells the classes, is
            not there.
    """
    config = load_config(path)
    require(config, 'model')
    classes = None
    for name in ('test_dataloader', 'train_dataloader'):
        if config.get(name):
            classes = classes_of(config[name]['dataset'])
            break
    if classes:
        things = classes.get('thing_classes')
        set_num_classes(
            config.model, len(classes['classes']), None if things is None else len(things)
        )
    return Target(Path(config.filename), config, classes)


def fit_to_target(converted: Converted, target: Target, source: str, where: str) -> Fit:
    """Compare weights with a config's model, and prepare them for it.

    Args:
        converted: changed as by :func:`mmvseg.converters.fit.fit_to_model`.
        target: the config.
        source: one of :data:`mmvseg.checkpoints.published.layouts.SOURCES`.
        where: the checkpoint's name, for messages.

    Raises:
        UserError: they do not belong together.
    """
    allowed = target.config.get('allow_missing', ())
    fit = fit_to_model(converted, target.skeleton(), source, allowed)
    refuse_misfit(fit, f'{where} and {target.name}')
    return fit


def find_targets(converted: Converted, source: str, folder: Path = CONFIGS) -> list[Target]:
    """The configs of this project whose models the weights fill exactly.

    Of a backbone alone, those whose backbone they fill. If there are none: those that differ in
    the grid of a ViT's positions alone, which are resampled.

    Args:
        converted: not changed.
        source: one of :data:`mmvseg.checkpoints.published.layouts.SOURCES`, or ``auto``.
        folder: of the configs.
    """
    number = _num_classes(converted)
    exact, resampled, fits_by_model = [], [], {}
    for path in _candidates(converted.layout, source, folder):
        target = read_target(path)
        count = len(target.classes['classes']) if target.classes else number
        if source not in BACKBONES and count != number:
            continue
        model = target.config.model
        key = f'{model.type} {model.backbone}' if source in BACKBONES else str(model)
        if key not in fits_by_model:
            fits_by_model[key] = _fit(converted, target, source)
        fit = fits_by_model[key]
        if source in BACKBONES:
            is_found = fit.possible and not fit.resized and not fit.resampled
        else:
            is_found = fit.whole
        if is_found:
            (resampled if fit.resampled else exact).append(target)
    return exact or resampled


def _candidates(layout: Layout, source: str, folder: Path) -> Iterator[Path]:
    if source in FOLDERS:
        folders = (source,)
    else:
        folders = [name for name in FOLDERS if layout in SOURCES[name]] or FOLDERS
    for name in folders:
        yield from sorted((folder / name).glob('*.py'))


def _num_classes(converted: Converted) -> int | None:
    for name, surplus in _CLASS_BIASES:
        if name in converted.weights and converted.weights[name].dim() == 1:
            return len(converted.weights[name]) - surplus
    return None


def _fit(converted: Converted, target: Target, source: str) -> Fit:
    trial = replace(converted, weights=dict(converted.weights), unused=list(converted.unused))
    allowed = target.config.get('allow_missing', ()) if source in BACKBONES else ()
    return fit_to_model(trial, target.skeleton(), source, allowed)
