"""Directives of the API reference.

``entries`` documents public names of a module from their docstrings, below an overview of them:

    .. entries::

       mmvseg.deploy: DeployedModel
       mmvseg.deploy.manifest: Manifest read_folder

``registered`` lists what a registry of :mod:`mmvseg.registry` builds by name:

    .. registered:: DATASETS
"""

import builtins
import inspect
import pkgutil
import re
from collections.abc import Iterable
from importlib import import_module
from types import ModuleType
from typing import Any, get_origin

from docutils import nodes
from mmengine.registry import Registry
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.domains.python import PyObject
from sphinx.ext.autodoc.mock import mock
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

from mmvseg import registry

#: Base classes that say nothing about a class.
PLAIN_BASES = {'object', 'ABC', 'Generic', 'Protocol', 'Struct', 'tuple'}
#: Longer values of constants are not shown.
SHOWN_VALUE = 80


def registries() -> list[str]:
    """The registries that mmvseg adds to; others only pass on what mmdet and mmengine have."""
    names = (name for name, value in vars(registry).items() if isinstance(value, Registry))
    return [name for name in names if not name.startswith('MMDET_') and registered(name)]


def registered(name: str) -> dict[str, type]:
    """The classes of mmvseg that a registry builds, by the names that configs use."""
    found: Registry = getattr(registry, name)
    found.import_from_location()
    entries = sorted(found.module_dict.items())
    return {name: value for name, value in entries if value.__module__.startswith('mmvseg.')}


def is_class(value: Any) -> bool:
    """Whether a value is a class, and no alias such as ``tuple[int, int]``."""
    return inspect.isclass(value) and get_origin(value) is None


def is_documented_by_itself(value: Any) -> bool:
    """Whether a value has a docstring of its own; constants have comments."""
    return is_class(value) or inspect.isroutine(value)


def comment(module: ModuleType, name: str) -> list[str]:
    """The lines of the ``#:`` comment of a constant, wherever in a package it is made."""
    inside = pkgutil.iter_modules(getattr(module, '__path__', ()), f'{module.__name__}.')
    for place in (module.__name__, *(found.name for found in inside)):
        comments = ModuleAnalyzer.for_module(place).find_attr_docs()
        if ('', name) in comments:
            return comments['', name]
    raise LookupError(f'{module.__name__}.{name} has no comment "#: ..."')


def summary(module: ModuleType, name: str) -> str:
    """The first line of what is said about a name."""
    value = getattr(module, name)
    if is_documented_by_itself(value):
        return (inspect.getdoc(value) or '').partition('\n')[0]
    return ' '.join(comment(module, name)).partition('. ')[0].strip().removesuffix('.') + '.'


def entry(module: ModuleType, name: str) -> list[str]:
    """The lines that document one name."""
    value, full_name = getattr(module, name), f'{module.__name__}.{name}'
    if is_class(value):
        kind = 'autoexception' if issubclass(value, BaseException) else 'autoclass'
        has_bases = any(base.__name__ not in PLAIN_BASES for base in value.__bases__)
        return [f'.. {kind}:: {full_name}', *['   :show-inheritance:'] * has_bases, '']
    if inspect.isroutine(value):
        return [f'.. autofunction:: {full_name}', '']
    shown = repr(value)
    value_line = [f'   :value: {shown}'] if len(shown) <= SHOWN_VALUE else []
    text = [f'   {line}' for line in comment(module, name)]
    return [f'.. py:data:: {full_name}', *value_line, '', *text, '']


def table(rows: Iterable[tuple[str, str]], *header: str) -> list[str]:
    """The lines of a table of two columns."""
    lines = ['.. list-table::', '   :class: overview', '   :widths: 35 65']
    lines += [f'   :header-rows: {int(bool(header))}', '']
    for left, right in [header, *rows] if header else rows:
        lines += [f'   * - {left}', f'     - {right}']
    return [*lines, '']


class Entries(SphinxDirective):
    """The names of the content, each with what its docstring says."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The overview and the entries."""
        rows, entries, places = [], [], {}
        with mock(self.config.autodoc_mock_imports):
            for line in self.content:
                place, _, names = line.partition(':')
                module = places[place] = import_module(place)
                for name in names.split():
                    link = f':py:obj:`{name} <{place}.{name}>`'
                    rows.append((link, summary(module, name)))
                    entries += entry(module, name)
        targets = [line for place in places for line in self._target(place)]
        return self.parse_text_to_nodes('\n'.join([*targets, *table(rows), *entries]))

    def _target(self, module: str) -> list[str]:
        """What references to a module lead to; how names below are read does not change."""
        if module in self.env.domains.python_domain.modules:
            return []
        return [f'.. py:module:: {module}', '', '.. py:currentmodule:: None', '']


class Registered(SphinxDirective):
    """A table of what a registry builds."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The table."""
        rows = [
            (
                f':py:class:`{name} <{value.__module__}.{value.__qualname__}>`'
                + ('' if name == value.__name__ else f', class ``{value.__name__}``'),
                (inspect.getdoc(value) or '').partition('\n')[0],
            )
            for name, value in registered(self.arguments[0]).items()
        ]
        return self.parse_text_to_nodes('\n'.join(table(rows, '``type=``', 'What it is')))


def skip_field_numbers(app: Sphinx, what: str, name: str, value: Any, skip: bool, _: Any) -> Any:
    """Leave out the fields of named tuples, whose docstrings are numbers."""
    return True if (inspect.getdoc(value) or '').startswith('Alias for field number') else None


def show_public_bases(app: Sphinx, name: str, value: type, options: Any, bases: list) -> None:
    """Name a private base class by what it is made of."""
    while private := [base for base in bases if getattr(base, '__name__', '').startswith('_')]:
        position = bases.index(private[0])
        bases[position : position + 1] = private[0].__bases__


def shorten_factories(
    app: Sphinx, what: str, name: str, value: Any, options: Any, signature: str | None, result: Any
) -> tuple[str | None, Any]:
    """Write ``...`` for what dataclasses make anew each time, which would not be parsed."""
    return signature and re.sub(r' ?= ?<factory>', ' = ...', signature), result


def search_short_names(app: Sphinx, doctree: nodes.document) -> None:
    """Find names without a module wherever they are documented, as with a leading dot."""
    for reference in doctree.findall(addnodes.pending_xref):
        target = reference['reftarget']
        if reference['refdomain'] == 'py' and '.' not in target and not hasattr(builtins, target):
            reference['refspecific'] = True


def leave_members_out(app: Sphinx, doctree: nodes.document) -> None:
    """Name classes and functions in the contents of a page, but not the members of classes.

    The contents of all pages are copied for the navigation of each, which takes its time.
    """
    for description in doctree.findall(addnodes.desc):
        for member in description.findall(addnodes.desc, include_self=False):
            for signature in member.findall(addnodes.desc_signature):
                signature['_toc_name'] = ''


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive('entries', Entries)
    app.add_directive('registered', Registered)
    app.connect('autodoc-skip-member', skip_field_numbers)
    app.connect('autodoc-process-bases', show_public_bases)
    app.connect('autodoc-process-signature', shorten_factories)
    app.connect('doctree-read', search_short_names)
    app.connect('doctree-read', leave_members_out, priority=100)  # before contents are made
    # "Attributes" of docstrings would be headed "Variables"
    for field in PyObject.doc_field_types:
        if field.name == 'variable':
            field.label = 'Attributes'
    return dict(parallel_read_safe=True)
