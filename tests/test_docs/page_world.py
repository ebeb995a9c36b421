"""The small world in which the pages run: a folder for each page, with what it names."""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest import mock

import pytest
import torch
from page_blocks import Block, PageError
from page_clone import write_clone, write_weights
from page_commands import CommandError, Commands
from page_sets import write_predictions
from page_shell import PROGRAMS, run_shell
from page_things import THINGS, squares

import mmvseg.shipped
from mmvseg.engine.config import load_config
from mmvseg.hub.install import converted_path
from mmvseg.model_index import find_entry, finding, known_models
from mmvseg.shipped import shipped_configs

#: What stands for something else on the pages. CHECKPOINT is that of the config in the command.
PLACEHOLDERS = {
    r'\bCONFIG\b': 'configs/minvis/minvis_r50_ytvis19.py',
    r'\$?\bCHECKPOINT\b': 'CHECKPOINT',
    r'\bVIDEO\b': 'street.mp4',
}
#: CONFIG of single pages: those that need annotations to validate with.
CONFIGS = {'docs/test.md': 'configs/shapes/minvis_shapes_quickstart.py'}
#: Pages that are about a scene of their own.
SCENES = {'docs/python_api.md': squares}
#: More things under one name.
PATTERNS = {'run_*/results.json': ('run_1', 'run_2', 'run_3')}
#: Folders of results, which belong to the data set that is named beside them.
PREDICTIONS = ('PRED', 'RESULTS', 'results')
_MAP_SETS = r'data/(VIPSeg/VIPSeg_720P|VSPW_480p|kitti_step|cityscapes_vps)'
#: Published models, whose weights are random here and in the cache already.
PUBLISHED = (
    'tevit_msgshift',
    'dvis_online_r50_ytvis19',
    'videomt_vit-s_ytvis19',
    'minvis_r50_ytvis21',
)
_WEIGHTS = ('.pth', '.safetensors')
#: Commands whose second argument is a file that they write.
_WRITERS = ('convert', 'publish')


class World:
    """Where pages are tried; see :func:`small_world`.

    Args:
        folder: an empty one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clone = write_clone(folder / 'clone')
        self._made = folder / 'things'

    def folder_of(self, page: str, blocks: Sequence[Block]) -> Path:
        """The folder of a page, with a clone's files and what its blocks name."""
        folder = self.folder / re.sub(r'\W+', '_', page)
        shutil.copytree(self.clone, folder, symlinks=True)
        if page in SCENES:
            SCENES[page](folder)
            return folder
        text = '\n'.join(block.text for block in blocks if not block.reason)
        text = fill_in(text, page, folder)
        for pattern, names in PATTERNS.items():
            text = text.replace(pattern, ' '.join(f'{name}/results.json' for name in names))
        for name in THINGS:
            named = rf'(?<![\w/.-]){re.escape(name)}(?![\w-]|\.\w)'
            is_written = re.search(
                rf'--(out|json|csv) {named}(?=\s|$)|720p.py \S+ {named}', text, re.MULTILINE
            )
            if re.search(named, text) and not is_written:
                self._lay(name, folder / name)
        return folder

    def _lay(self, name: str, path: Path) -> None:
        made = self._made / name
        if not made.exists():
            made.parent.mkdir(parents=True, exist_ok=True)
            THINGS[name](made)
        if made.is_dir():
            shutil.copytree(made, path, dirs_exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(made, path)

    def prepare(self, folder: Path, name: str, args: list[str]) -> list[str]:
        """Lay the data of the config of a command, and the weights that it names."""
        config = next((a for a in args if a in shipped_configs() or a.endswith('.py')), None)
        if config:
            self._lay_what_a_config_names(config, folder)
        truth = next((arg for arg in args if re.match(_MAP_SETS, arg)), None)
        for number, arg in enumerate(args):
            if truth and arg in PREDICTIONS:
                write_predictions(truth, folder, folder / arg)
            key, _, value = arg.rpartition('=')
            if key in ('', 'load_from') and value == 'CHECKPOINT':
                if not config:
                    raise CommandError('CHECKPOINT without a config')
                value = f'{Path(config).stem}.pth'
                args[number] = f'{key}={value}' if key else value
            named = config or _config_of(value)
            is_written = number > 0 and args[number - 1].startswith('--out')
            is_written |= number == 1 and name in _WRITERS
            if key == 'load_from' and value in known_models():
                value = f'{value}.pth'
                args[number] = f'load_from={value}'
            if value.endswith(_WEIGHTS) and '://' not in value and named and not is_written:
                path = Path(value).expanduser()
                if not path.exists():
                    write_weights(named, path)
        return args

    def _lay_what_a_config_names(self, config: str, folder: Path) -> None:
        cfg = load_config(config)
        for name in set(re.findall(r'data/\w+(?:/VIPSeg_720P)?', cfg.pretty_text)):
            if name in THINGS and not Path(folder, name).exists():
                self._lay(name, folder / name)
        start = cfg.get('load_from') or ''
        if start.endswith(_WEIGHTS) and '://' not in start and not Path(start).exists():
            write_weights(config, Path(start))

    def cached_weights(self) -> None:
        """Fill the cache with what would be fetched."""
        for name in PUBLISHED:
            entry = find_entry(name)
            path = converted_path(entry)
            if not path.exists():
                write_weights(entry.config_file, path)


def _config_of(checkpoint: str) -> str | None:
    """The config whose name a checkpoint or its folder has."""
    path = Path(checkpoint)
    return next((n for n in (path.parent.name, path.stem) if n in shipped_configs()), None)


def run_block(world: World, folder: Path, block: Block) -> str:
    """Run a block of shell commands, or read their arguments.

    Returns:
        What is printed.

    Raises:
        PageError: a command fails, or none is ours.
    """
    text = re.sub(r'^\$ ', '', block.text, flags=re.MULTILINE)
    if not block.reason:
        text = fill_in(text, block.page, folder)
    commands = Commands(not block.reason, lambda name, args: world.prepare(folder, name, args))
    programs = () if block.reason else PROGRAMS
    variables = dict(os.environ, CHECKPOINT='CHECKPOINT')
    printed = run_shell(text, folder, commands, variables, programs)
    if commands.failures:
        raise PageError(block.where, commands.failures[0])
    if not commands.asked and not block.reason:
        raise PageError(block.where, f'no command of mmvseg was run; printed:\n{printed}')
    return printed


def fill_in(text: str, page: str, folder: Path) -> str:
    """A block with names in place of placeholders, and with that of the file that was published."""
    text = re.sub(r'\bCONFIG\b', CONFIGS.get(page, 'CONFIG'), text)
    for pattern, value in PLACEHOLDERS.items():
        text = re.sub(pattern, value, text)
    for path in folder.glob('published/*'):
        text = text.replace('tevit_msgshift-1a2b3c4d.safetensors', path.name)
    return text


@pytest.fixture(scope='module')  # other modules read the configs as they are shipped
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all pages."""
    small = World(tmp_path_factory.mktemp('world'))
    threads, here = torch.get_num_threads(), Path.cwd()
    shipped = mock.patch.object(mmvseg.shipped, 'shipped_folder', return_value=small.clone)
    index = mock.patch.object(finding, 'index_file', return_value=small.clone / 'model-index.yml')
    with shipped, index:
        os.chdir(small.clone)
        small.cached_weights()
        os.chdir(here)
        yield small
    torch.set_num_threads(threads)
