"""The Python of the pages: code that runs, and configs that are read and whose parts are known."""

import ast
import contextlib
import importlib.util
import inspect
import io
import os
import re
import textwrap
import traceback
from pathlib import Path
from typing import Any

from mmengine.registry import Registry
from page_blocks import Block, PageError

import mmvseg.registry as registries
from mmvseg.checkpoints.skeleton import build_skeleton
from mmvseg.engine.config import load_config
from mmvseg.errors import UserError
from mmvseg.shipped import shipped_configs

#: What is no argument of a class, but of the registry or of who builds it.
#: What is to be found in a block, and the package that it needs.
_NEEDED = {
    '.to_dataframe(': 'pandas',
    '.to_supervision(': 'supervision',
    'mmvseg export': 'onnx',
    'DeployedModel(': 'onnxruntime',
    'import onnx': 'onnx',
}
_COMMON = {'type', '_delete_', '_scope_', 'init_cfg'}


def run_code(folder: Path, block: Block, names: dict[str, Any]) -> None:
    """Run a block in the folder of its page.

    Args:
        folder: of the page.
        block: of Python.
        names: what the blocks before it have defined; the block adds its own.

    Raises:
        PageError: it fails, or prints something else than its comments say.
    """
    shown, here = io.StringIO(), Path.cwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(shown):
            exec(compile(block.text, block.where, 'exec'), names)
    except Exception as error:
        raise PageError(block.where, ''.join(traceback.format_exception(error))[-3000:]) from error
    finally:
        os.chdir(here)
    said = said_to_print(block.text)
    if said and shown.getvalue().splitlines() != said:
        raise PageError(block.where, f'prints\n{shown.getvalue()}and not\n' + '\n'.join(said))


def said_to_print(text: str) -> list[str]:
    """What a block says that it prints: the comments behind and below its prints."""
    start = text.find('print(')
    found = re.findall(r'print\(.*\)  # (.*)|^ *# (.*)', text[max(start, 0) :], re.MULTILINE)
    return [behind or below for behind, below in found] if start >= 0 else []


def check_config(folder: Path, block: Block) -> None:
    """Read a block as a config of the page's folder.

    Raises:
        PageError: it is none, or names types or arguments that do not exist.
    """
    text = block.text
    if block.config:
        base = shipped_configs().get(block.config)
        if base is None:
            raise PageError(block.where, f'there is no config {block.config}')
        path = base.parent / 'page_block.py'
        text = f'_base_ = [{f"./{base.name}"!r}]\n{text}'
    else:
        bases = re.findall(r"'(\.{1,2}/[\w./-]+\.py)'", text)
        families = sorted({path.parent for path in shipped_configs().values()})
        fit = [f for f in families if all((f / name).is_file() for name in bases)]
        if not fit:
            raise PageError(block.where, f'no folder of configs/ has the files {bases}')
        path = fit[0] / 'page_block.py'
    check_types(block)
    here = Path.cwd()
    os.chdir(folder)
    try:
        path.write_text(text, encoding='utf-8')
        cfg = load_config(path)
        build_skeleton(cfg.model)
    except (UserError, Exception) as error:
        raise PageError(block.where, f'{type(error).__name__}: {error}') from error
    finally:
        os.chdir(here)
        path.unlink(missing_ok=True)


def check_types(block: Block) -> None:
    """Each ``dict(type=...)`` names a registered class and arguments that it takes.

    Raises:
        PageError: of the first that does not. Blocks that leave something out are not read.
    """
    try:
        tree = ast.parse(textwrap.dedent(block.text))
    except SyntaxError as error:
        if re.search(r'\.\.\.|…', block.text):
            return
        raise PageError(block.where, f'no Python: {error}') from error
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'dict'):
            continue
        given = {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}
        kind = given.get('type')
        if isinstance(kind, ast.Constant):
            _check_arguments(block, kind.value, set(given))


def _check_arguments(block: Block, kind: str, given: set[str]) -> None:
    found = [
        registry.get(kind)
        for name, registry in vars(registries).items()
        if isinstance(registry, Registry) and not name.startswith('MMDET_') and registry.get(kind)
    ]
    if not found:
        raise PageError(block.where, f'there is no type {kind!r}')
    taken: set[str] = set()
    for cls in getattr(found[0], '__mro__', (found[0],)):
        parameters = inspect.signature(cls).parameters if cls is not object else {}
        if 'kwargs' in parameters and not cls.__module__.startswith('mmvseg'):
            return  # it hands them on to something else
        taken |= set(parameters)
    if unknown := given - taken - _COMMON:
        raise PageError(block.where, f'{kind} takes no {", ".join(sorted(unknown))}')


def lacking(text: str) -> str | None:
    """A package that a block needs and that is not installed; else None."""
    for word, package in _NEEDED.items():
        if word in text and importlib.util.find_spec(package) is None:
            return package
    return None
