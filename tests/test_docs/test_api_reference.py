"""Every public name and every registered class is on a page of docs/api, and docstrings render."""

import ast
import importlib
import inspect
import pkgutil
import re
import sys

import pytest
from helpers import REPOSITORY

import mmvseg

sys.path.insert(0, str(REPOSITORY / 'docs' / '_ext'))
reference = pytest.importorskip('reference', reason='needs the packages of requirements/docs.txt')

PAGES = {path.stem: path.read_text() for path in (REPOSITORY / 'docs' / 'api').glob('*.md')}
#: For tests that import whatever there is.
all_packages = pytest.mark.skipif(
    importlib.util.find_spec('onnxruntime') is None, reason='mmvseg.deploy needs onnxruntime'
)
#: Packages that only tests use.
INSIDE = ('mmvseg.testing',)
PACKAGES = [
    found.name
    for found in pkgutil.walk_packages(mmvseg.__path__, 'mmvseg.')
    if found.ispkg and not found.name.startswith(INSIDE)
]


def listed():
    """The names that pages document, with their modules."""
    for text in PAGES.values():
        for block in re.findall(r'^\.\. entries::\n\n((?:   .+\n)+)', text, re.MULTILINE):
            for line in block.splitlines():
                module, _, names = line.strip().partition(':')
                yield from (f'{module}.{name}' for name in names.split())


def value_of(name):
    module, _, attribute = name.rpartition('.')
    return getattr(importlib.import_module(module), attribute)


def is_there(name):
    """Whether a name is documented, by itself or as the same class or function elsewhere."""
    value = value_of(name)
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        return name in LISTED
    own_name = name.rpartition('.')[2]
    return any(value_of(other) is value for other in LISTED if other.endswith(f'.{own_name}'))


LISTED = sorted(listed())


def exported():
    """The names of ``__all__`` of each package."""
    for package in PACKAGES:
        module = importlib.import_module(package)
        yield from (f'{package}.{name}' for name in getattr(module, '__all__', ()))


def test_names_are_listed_once():
    assert len(LISTED) == len(set(LISTED)) > 300


@all_packages
def test_every_exported_name_is_on_a_page():
    assert [name for name in exported() if not is_there(name)] == []


def test_every_registry_has_a_table():
    tables = re.findall(r'^\.\. registered:: (\w+)$', PAGES['registered'], re.MULTILINE)
    assert sorted(tables) == sorted(reference.registries())


def test_every_registered_class_is_on_a_page():
    classes = [
        value for name in reference.registries() for value in reference.registered(name).values()
    ]
    assert len(classes) > 60
    names = [f'{value.__module__}.{value.__name__}' for value in classes]
    assert [name for name in names if not is_there(name)] == []


def imports_of_pages():
    """What the code on the pages of docs/ and in README.md imports from mmvseg."""
    for path in [REPOSITORY / 'README.md', *(REPOSITORY / 'docs').glob('**/*.md')]:
        for module, names in re.findall(
            r'^ *from (mmvseg[\w.]*) import ([\w, ]+)', path.read_text(), re.MULTILINE
        ):
            yield from (f'{module}.{name}' for name in re.findall(r'(\w+)(?: as \w+)?', names))


@all_packages
def test_what_pages_import_is_on_a_page():
    tables = {f'mmvseg.registry.{name}' for name in reference.registries()}
    modules = {name for name in imports_of_pages() if inspect.ismodule(value_of(name))}
    names = {*imports_of_pages()} - tables - modules
    assert [name for name in names if not is_there(name)] == []


def test_every_page_is_in_the_index():
    listed_pages = re.findall(r'^(\w+)$', PAGES['index'], re.MULTILINE)
    assert {*PAGES} - {'index'} <= {*listed_pages}


def docstrings():
    for path in (REPOSITORY / 'mmvseg').rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                name = getattr(node, 'name', '')
                yield f'{path.relative_to(REPOSITORY)}: {name}', ast.get_docstring(node) or ''


def taken_for_a_type(text):
    """What stands before a colon in the first line of a result, which Sphinx takes for its type."""
    first = re.search(r'^(?:Returns|Yields):\n +(.+)$', text, re.MULTILINE)
    words = re.sub(r'(:\w+:)?`+.*?`+', '', first[1]) if first else ''
    return first[1] if ':' in words else None


def test_what_is_returned_has_no_colon_in_its_first_line():
    assert taken_for_a_type('Do.\n\nReturns:\n    A dict: of numbers.')
    assert [name for name, text in docstrings() if taken_for_a_type(text)] == []
