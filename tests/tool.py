"""Runs the ``main`` of a tool in this process, as a second one would import everything again."""

import importlib.util
from itertools import count
from unittest import mock

from helpers import REPOSITORY

_runs = count()


def run_tool(name: str, *args: str) -> int:
    """Exit status of ``tools/NAME.py ARGS``."""
    path = REPOSITORY / 'tools' / f'{name}.py'
    spec = importlib.util.spec_from_file_location(f'tool_{path.stem}', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    argv = [str(path), *args]
    if '--cfg-options' in args:
        # mmengine keeps loggers and message hubs by this name for the life of a process
        argv.append(f'experiment_name=run_{next(_runs)}')
    # asking gcc and nvcc for their versions takes a second
    no_versions = mock.patch('mmengine.runner.runner.collect_env', dict)
    with mock.patch('sys.argv', argv), no_versions:
        try:
            module.main()
        except SystemExit as stop:
            return stop.code or 0
    return 0
