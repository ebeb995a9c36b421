"""Sphinx: ``pip install -e '.[docs]' && sphinx-build -W docs docs/_build``."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

project = 'mmvseg'
author = 'The mmvseg authors'
release = re.search(
    r"^__version__ = '(.+)'$", (ROOT / 'mmvseg' / '__init__.py').read_text(), re.MULTILINE
)[1]

extensions = ['myst_parser']
myst_enable_extensions = ['colon_fence', 'dollarmath', 'deflist']
myst_heading_anchors = 3
exclude_patterns = ['_build']

html_theme = 'furo'
html_title = f'{project} {release}'
