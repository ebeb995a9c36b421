"""Sphinx: ``pip install -e '.[docs]' && sphinx-build -W docs docs/_build``."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

project = 'mmvseg'
author = 'The mmvseg authors'
release = re.search(
    r"^__version__ = '(.+)'$", (ROOT / 'mmvseg' / '__init__.py').read_text(), re.MULTILINE
)[1]

sys.path.insert(0, str(ROOT / 'docs' / '_ext'))
extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.napoleon',
    'reference',
]
myst_enable_extensions = ['colon_fence', 'dollarmath', 'deflist']
myst_heading_anchors = 3
exclude_patterns = ['_build']

html_theme = 'furo'
html_title = f'{project} {release}'

# The API reference, docs/api: docstrings in Google style, only our own names are links.
autodoc_default_options = {
    'members': True,
    'member-order': 'bysource',
    'special-members': '__call__',
}
autodoc_mock_imports = ['onnxruntime']
autodoc_preserve_defaults = True
autodoc_typehints_format = 'short'
napoleon_use_ivar = True
maximum_signature_line_length = 80
toc_object_entries_show_parents = 'hide'
nitpicky = True
nitpick_ignore_regex = [
    ('py:.*', r'(?!mmvseg\b).*'),  # of other packages, whose lists of names are on other hosts
    ('py:class', r'mmvseg\..+\.(T|Own|Limits|_\w+)'),  # type variables, private classes
]
