"""Sphinx: ``pip install -e '.[docs]' && sphinx-build -W docs docs/_build/html``.

Builds without a network, and the pages load nothing from elsewhere.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / 'docs' / '_ext')]

project = 'mmvseg'
author = project_copyright = 'The mmvseg authors'
release = re.search(
    r"^__version__ = '(.+)'$", (ROOT / 'mmvseg' / '__init__.py').read_text(), re.MULTILINE
)[1]

extensions = [
    'myst_nb',
    'sphinx.ext.autodoc',
    'sphinx.ext.napoleon',
    'sphinx_copybutton',
    'sphinx_design',
    'reference',
    'repository_files',
    'zoo',
]
exclude_patterns = ['_build', '**.ipynb_checkpoints']

# No dollarmath: formulas would be set by a script from another host.
myst_enable_extensions = ['colon_fence', 'deflist']
myst_heading_anchors = 4
# Notebooks are shown as they were executed and saved; tests execute them.
nb_execution_mode = 'off'
# Nor do scripts of widgets come from another host.
nb_ipywidgets_js = {}

html_theme = 'furo'
html_title = f'{project} {release}'
html_static_path = ['_static']
html_css_files = ['mmvseg.css']
html_copy_source = False
# Summaries of search results are fetched page by page, which a browser refuses for local files.
html_show_search_summary = False
html_theme_options = {
    'light_css_variables': {
        'color-brand-primary': '#0b5394',
        'color-brand-content': '#0b5394',
        'color-api-name': '#0b5394',
        'color-api-pre-name': '#0b5394',
    },
    'dark_css_variables': {
        'color-brand-primary': '#7ab8f5',
        'color-brand-content': '#7ab8f5',
        'color-api-name': '#7ab8f5',
        'color-api-pre-name': '#7ab8f5',
    },
}
copybutton_prompt_text = r'>>> |\.\.\. |\$ '
copybutton_prompt_is_regexp = True

# The API reference, docs/api: docstrings in Google style, only our own names are links.
autodoc_default_options = {
    'members': True,
    'member-order': 'bysource',
    'special-members': '__call__',
}
autodoc_mock_imports = ['onnxruntime']
autodoc_preserve_defaults = True
autodoc_typehints_format = 'short'
napoleon_numpy_docstring = False
napoleon_use_ivar = True
maximum_signature_line_length = 80
toc_object_entries_show_parents = 'hide'
nitpicky = True
nitpick_ignore_regex = [
    # names of other packages, whose lists are on other hosts
    ('py:.*', r'(?!mmvseg\b)\w+(\.\w+)+'),
    ('py:class', r'mmvseg\..+\.(T|Own|Limits|_\w+)'),  # type variables, private classes
]
