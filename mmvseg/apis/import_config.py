"""A config that trains on an imported data set."""

import os
from pathlib import Path

from mmvseg.errors import UserError
from mmvseg.model_index import known_models
from mmvseg.shipped import shipped_configs, shipped_folder

#: Small, with published weights that may be used for anything.
DEFAULT_MODEL = 'videomt_vit-s_ytvis19'

_TEXT = """\
# Labels of {format}, in the form of YouTube-VIS. Train, from the folder where they were imported:
#   mmvseg train {config}
{parts}# The model's classes are those of the json.
_base_ = {base!r}
own_data = dict(
    data_root='{{{{ fileDirname }}}}/',
    data_prefix=dict(img='frames'),
    train={train!r},
    val={val!r},
)
work_dir = {work_dir!r}  # checkpoints and logs
"""
_SAME = """\
# Both parts are the same videos here, so AP says nothing about new ones. To hold some back:
#   mmvseg data split {out}/annotations.json --out {out}
# and name train.json and val.json below.
"""
_WEIGHTS = 'load_from = {name!r}  # published weights; the class layer begins anew\n'


def import_config(out: Path, format_: str, model: str, is_split: bool = False) -> str:
    """Text of the config.

    Args:
        out: folder of the data set.
        format_: of the labels.
        model: name of the config to inherit from.
        is_split: whether there are ``train.json`` and ``val.json``.

    Raises:
        UserError: there is no such config.
    """
    configs = shipped_configs()
    if model not in configs:
        raise UserError(f'--model {model}: there is no such config; mmvseg models lists them')
    train, val = ('train.json', 'val.json') if is_split else ('annotations.json',) * 2
    text = _TEXT.format(
        format=format_,
        config=out / 'config.py',
        parts='' if is_split else _SAME.format(out=out),
        base=_base(configs[model], out),
        train=train,
        val=val,
        # every import has a config of the same name, so this says whose checkpoints they are
        work_dir=f'work_dirs/{out.resolve().name}',
    )
    entry = known_models().get(model)
    if entry is not None and entry.weights is not None:
        text += _WEIGHTS.format(name=model)
    return text


def _base(config: Path, out: Path) -> str:
    """Where the config to inherit from lies: as seen from a folder of the same clone, or as it is.

    A clone may be moved with what is in it. Links on the way would lead ``..`` elsewhere.
    """
    root, folder = shipped_folder().resolve(), out.resolve()
    if root in folder.parents and Path(os.path.abspath(out)) == folder:
        return os.path.relpath(config, folder).replace(os.sep, '/')
    return str(config)
