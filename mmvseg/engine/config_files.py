"""Reading a config's file, and those that it inherits from.

A ``.py`` config is a program that is run. The others are data: nothing in them runs while they are
read, and a small file stays small.
"""

import difflib
import keyword
import os
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import mmengine.fileio.handlers.yaml_handler as yaml_handler
import yaml
from mmengine.config import Config
from mmengine.fileio import load

from mmvseg.errors import UserError
from mmvseg.shipped import shipped_configs

from .config_sections import OWN_DATA_HINT

SUFFIXES = ('.py', '.json', '.yml', '.yaml')
#: Of all values that a yaml file stands for, those behind aliases counted as often as they occur.
_MAX_VALUES = 100_000
#: Of the files beside a name that does not exist, so many are looked at.
_MAX_LISTED = 1000


class _PlainLoader(yaml.SafeLoader):
    """Reads yaml without tags that make objects, and bounds what aliases multiply."""

    def __init__(self, stream: object) -> None:
        super().__init__(stream)
        self._sizes: dict[int, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node | None:
        """Compose a value; its size is known once all of it is there."""
        is_alias = self.check_event(yaml.AliasEvent)
        node = super().compose_node(parent, index)
        if is_alias and id(node) not in self._sizes:
            raise yaml.YAMLError('a value contains itself')
        if not is_alias:
            self._sizes[id(node)] = 1 + sum(self._sizes[id(child)] for child in _children(node))
        if self._sizes[id(node)] > _MAX_VALUES:
            raise yaml.YAMLError(f'aliases make more than {_MAX_VALUES} values of it')
        return node


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


# the only tag that configs written by mmengine have
_PlainLoader.add_constructor(
    'tag:yaml.org,2002:python/tuple',
    lambda loader, node: tuple(loader.construct_sequence(node, deep=True)),
)
# mmengine's own loader makes whatever object a tag asks for, also for a file named in _base_
yaml_handler.Loader = _PlainLoader
_locate_beside = Config._get_cfg_path


def _locate_base(base: str, filename: str) -> tuple[str, str | None]:
    """Where mmengine finds a config that ``_base_`` names: those of the package also by name."""
    is_beside = os.path.isfile(os.path.join(os.path.dirname(filename), base))
    if _is_name(Path(base)) and not is_beside and base in (configs := shipped_configs()):
        return str(configs[base]), None
    return _locate_beside(base, filename)


Config._get_cfg_path = staticmethod(_locate_base)


def read_config(path: str | Path) -> Config:
    """Read a config.

    Args:
        path: a file, or the name of a config that comes with the package.

    Raises:
        UserError: it is missing, no config, or has an error.
    """
    path = _find_config(Path(path))
    if path.suffix and path.suffix not in SUFFIXES:
        raise UserError(
            f'config {path}: a config ends in {", ".join(SUFFIXES)}; is this the checkpoint? the '
            'order is CONFIG CHECKPOINT'
        )
    if not os.path.isfile(path):  # unlike Path's, silent about names that no file can have
        raise UserError(f'config {path}: no such file{_closest_configs(path)}')
    try:
        _check_bases(str(path), ())
        return Config.fromfile(path)
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f'config {path}: a file is missing: {error}') from error
    except RecursionError as error:
        raise UserError(f'config {path}: nested too deep') from error
    except (Exception, SystemExit) as error:  # a config is a program: it may raise anything
        text = f'{type(error).__name__}: {" ".join(str(error).split())}'
        # published data have no annotations to validate with, so there is nothing to inherit
        hint = OWN_DATA_HINT if "_dataloader={'dataset'" in text else ''
        raise UserError(f'config {path}: {text[:500].removesuffix(": ")}{hint}') from error


def _check_bases(path: str, above: tuple[str, ...]) -> None:
    """Follow ``_base_`` as mmengine will, which takes a quarter of a minute to notice a circle.

    Raises:
        UserError: a file leads back to itself, or one of data is no table of named values.
    """
    if '{{' in path or not os.path.isfile(path):  # to be filled in, or to be complained of later
        return
    place = os.path.realpath(path)
    if place in above:
        raise UserError(f'config {path}: its _base_ leads back to itself')
    if not path.endswith('.py'):
        content = load(path)
        if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
            raise UserError(f'config {path}: is no table of values by names')
        for name in content:  # a config is shown and saved as a program
            if not name.isidentifier() or keyword.iskeyword(name):
                raise UserError(
                    f'config {path}: {name!r} is no name of a section (letters, digits and _, and '
                    'no word of Python): remove or rename it'
                )
    for name in Config._get_base_files(path):
        base, scope = Config._get_cfg_path(name, path)
        if scope is None and '{{' not in base and not os.path.isfile(base):
            raise UserError(
                f'config {path}: its _base_ {name!r}: no such file{_closest_bases(name, path)}'
            )
        _check_bases(base, (*above, place))


def _is_name(path: Path) -> bool:
    return path.name == str(path) and not path.suffix


def _find_config(path: Path) -> Path:
    """The file of a config that is given by name; ``path`` itself where there is such a file."""
    if not _is_name(path) or os.path.isfile(path):
        return path
    return shipped_configs().get(str(path), path)


def _closest_configs(path: Path) -> str:
    """Configs that come with the package, or files beside ``path``, that may have been meant."""
    beside = sorted(islice(path.parent.glob('*.py'), _MAX_LISTED))
    shown = {p.stem: os.path.relpath(p) for p in beside if p.is_file()}
    for name, file in shipped_configs().items():
        # far away, as in an installed package, or asked for by name: the name will do
        is_near = file.is_relative_to(Path.cwd())
        shown[name] = os.path.relpath(file) if is_near and not _is_name(path) else name
    return _did_you_mean(path.stem, shown)


def _closest_bases(name: str, path: str) -> str:
    """The same of what ``_base_`` of the config ``path`` names."""
    folder = Path(path).parent
    beside = sorted(islice((folder / name).parent.glob('*.py'), _MAX_LISTED))
    shown = {p.stem: os.path.relpath(p, folder) for p in beside if p != Path(path)}
    return _did_you_mean(Path(name).stem, {known: known for known in shipped_configs()} | shown)


def _did_you_mean(name: str, shown: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(name, shown, n=3, cutoff=0.4)
    names = [shown[match] for match in close]
    return '; did you mean ' + ' or '.join(names) + '?' if close else ''
