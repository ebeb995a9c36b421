"""``--cfg-options``: setting the given values in a config."""

import math
import re
import sys
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mmvseg.errors import UserError, say, suggest

from .config_sections import count_rule, describe, is_section_or_list, parts_of

#: Top-level keys that something reads after the config was read.
SECTIONS = {
    *('allow_missing', 'allow_pickle', 'auto_scale_lr', 'compile', 'custom_hooks', 'default_hooks'),
    *('default_scope', 'env_cfg', 'experiment_name', 'find_unused_parameters', 'launcher'),
    *('load_from', 'load_parts', 'log_level', 'log_processor', 'log_to', 'model'),
    *('model_wrapper_cfg', 'optim_wrapper', 'param_scheduler', 'randomness', 'resume'),
    *('runner_type', 'sync_bn', 'test_cfg', 'test_dataloader', 'test_evaluator', 'train_cfg'),
    *('train_dataloader', 'val_cfg', 'val_dataloader', 'val_evaluator', 'visualizer', 'work_dir'),
}
#: Sections without a type, of which single keys are asked for, so that nobody misses other ones.
_ASKED = re.compile(r'(env_cfg(\..*)?|auto_scale_lr|optim_wrapper\.paramwise_cfg|model\..*_cfg)')


def apply_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Set values of a config by dotted key, in place.

    Raises:
        UserError: a key names nothing, leads through a value that is no section, or was used
            already when the config was read; or a value is of another type than what is there.
    """
    values = dict(options)
    for key, value in options.items():
        _check_key(cfg, key)
        now = _check_value(cfg, key, value)
        if isinstance(value, Mapping) and not isinstance(now, Mapping):
            values[key] = dict(value, _delete_=True)  # mmengine merges sections with sections only
    try:
        cfg.merge_from_dict(values)
    except (AttributeError, KeyError, TypeError, IndexError) as error:
        raise UserError(f'--cfg-options {" ".join(options)}: {error}') from error


def _check_key(cfg: Config, key: str) -> None:
    section = key.split('.')[0]
    if section in SECTIONS:
        return
    if section not in cfg:
        raise UserError(
            f'--cfg-options {key}: no such key{suggest(section, SECTIONS | set(cfg.keys()))}'
        )
    places = [] if cfg[section] in (None, '') else _places_of(cfg, cfg[section])
    where = f'; its value stands in {", ".join(places[:8])}: change that' if places else ''
    raise UserError(
        f'--cfg-options {key}: nothing reads {section} any more: the config has used it while it '
        f'was read{where}'
    )


def _places_of(cfg: Config, value: Any) -> list[str]:
    """Keys that hold a value, or a path in a folder that it is."""
    return [
        where
        for key in sorted(SECTIONS & set(cfg.keys()))
        for where, part in parts_of(cfg[key], key)
        if type(part) is type(value)
        and (part == value or (isinstance(value, str) and part.startswith(value)))
    ]


def _check_value(cfg: Config, key: str, value: Any) -> Any:
    """Walk to what is there now, and compare its type with that of the new value.

    Returns:
        What is there; an empty section if nothing is.
    """
    now: Any = cfg._cfg_dict
    path: list[str] = []
    for part in key.split('.'):
        where = '.'.join(path)
        if isinstance(now, Mapping):
            if part not in now:
                if _ASKED.fullmatch(where):
                    _warn_of_new_key(key, where, now)
                return {}
            now = now[part]
        elif isinstance(now, list | tuple):
            if not part.isdecimal() or int(part) >= len(now):
                last = f'0 to {len(now) - 1}' if now else 'it is empty'
                raise UserError(
                    f'--cfg-options {key}: {where} is a list of {len(now)}, and {part} no place in '
                    f'it ({last})'
                )
            now = now[int(part)]
        else:
            raise UserError(f'--cfg-options {key}: {where} is {describe(now)}, which has no {part}')
        path.append(part)
    rule = count_rule(key, value)
    if rule or not _fits(now, value, path[-1]):
        raise UserError(
            f'--cfg-options {key}: is {describe(now)} now, which {describe(value)} cannot replace'
            f'{rule and f": {rule}"}'
        )
    return now


def _warn_of_new_key(key: str, where: str, section: Mapping[str, Any]) -> None:
    has = ', '.join(map(str, section)) or 'nothing'
    say(
        f'--cfg-options {key}: the config has no such key, and perhaps nothing reads it; {where} '
        f'has {has}',
        sys.stderr,
    )


def _fits(now: Any, value: Any, name: str) -> bool:
    """Whether a value is of a kind that may stand in the place of another."""
    if now is None or value is None:
        return True
    if isinstance(now, Mapping):
        return is_section_or_list(value)
    if isinstance(now, list | tuple):
        # of lists with one kind of entry, a single one is often taken, too
        return isinstance(value, list | tuple) or any(
            _fits(entry, value, name) and isinstance(entry, str | Mapping) for entry in now
        )
    if isinstance(value, Mapping):
        return False
    if isinstance(now, bool):
        return isinstance(value, bool) or value in (0, 1)
    if isinstance(now, int | float):
        numbers = value if isinstance(value, list | tuple) else [value]
        kinds = (int, float)
        return all(type(n) in kinds and (type(n) is type(now) or math.isfinite(n)) for n in numbers)
    return isinstance(value, str | type) or name != 'type'
