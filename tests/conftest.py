"""Fixtures of all tests; one thread a process, since pytest-xdist fills the cores."""

import copy
import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import helpers
import pytest
import torch
from hypothesis import settings
from mmengine.config import Config

import mmvseg  # noqa: F401 - adapts the stack before mmdet is imported

torch.set_num_threads(1)

# A shell that starts the tests in the background lets them ignore Ctrl-C, which tools then keep to.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Each run tries the same examples; ``--hypothesis-profile explore`` tries new ones.
settings.register_profile('suite', derandomize=True)
settings.register_profile('explore', derandomize=False)
settings.load_profile('suite')


@pytest.fixture(scope='session', autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests fetch nothing into the user's cache of downloads, and find nothing there."""
    os.environ['MMVSEG_CACHE'] = str(tmp_path_factory.mktemp('cache'))
    for name in ('MMVSEG_MIRROR', 'HF_ENDPOINT'):
        os.environ.pop(name, None)


@pytest.fixture(scope='session', autouse=True)
def configs_are_read_once() -> Iterator[None]:
    """Tests get copies of the project's configs and of what these build on, 1 ms instead of 50."""
    read, known = Config._file2dict, {}
    folder = helpers.REPOSITORY / 'configs'

    def read_once(filename: str, *args, **kwargs) -> tuple[dict, str, dict]:
        place = Path(filename).resolve()
        if not place.is_relative_to(folder):
            return read(filename, *args, **kwargs)
        # a config tells its path as it was given
        key = os.path.abspath(filename), place, args, *kwargs.items()
        if key not in known:
            known[key] = read(filename, *args, **kwargs)
        return copy.deepcopy(known[key])

    with mock.patch.object(Config, '_file2dict', staticmethod(read_once)):
        yield


@pytest.fixture(scope='session', autouse=True)
def configs_are_not_laid_out() -> Iterator[None]:
    """Spare every run what changes but spaces and lines of the config in its log, 0.2 s or more."""
    with mock.patch('mmengine.config.config.FormatCode', lambda text, **style: (text, True)):
        yield


@pytest.fixture(scope='session')
def reference_dir() -> Path:
    """Folder of recorded cases, see :func:`helpers.reference_dir`."""
    return helpers.reference_dir()


def pytest_configure(config: pytest.Config) -> None:
    """Notes to the authors of libraries would hide those that concern this code."""
    config.addinivalue_line('filterwarnings', 'ignore:.*torch.jit.* is deprecated')
    gc.freeze()


def pytest_collection_finish() -> None:
    """Modules and tests live until the end: no search for garbage, 0.3 s each, has to pass them."""
    gc.freeze()
