"""The directive ``zoo``: one table of all configs, from the model index, with fields to filter it.

Without JavaScript it is a plain table; ``_static/zoo.js`` shows the fields and hides rows.
"""

from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from mmvseg.model_index import ModelEntry, load_model_index

#: Columns that can be chosen from, by the name of the filter.
FILTERS = ('task', 'family', 'backbone', 'data', 'weights', 'licence')
TASKS = {'vis': 'instances', 'vps': 'panoptic', 'vss': 'semantic', 'image': 'image'}
NONE = '\N{EN DASH}'

Row = dict[str, str]


class Zoo(SphinxDirective):
    """``zoo``: no arguments, no content."""

    def run(self) -> list[nodes.Node]:
        """The fields and the table."""
        root = Path(self.env.srcdir).parent
        models = load_model_index(root / 'model-index.yml')
        for metafile in (root / 'model-index.yml', *root.glob('configs/*/metafile.yml')):
            self.env.note_dependency(str(metafile))
        self.env.note_dependency(__file__)
        self.env.metadata[self.env.docname]['zoo'] = True
        rows = [row_of(model) for model in models]
        markup = f'<div class="zoo">{_fields(rows)}'
        table = self._table(models, rows)
        return [nodes.raw('', markup, format='html'), table, nodes.raw('', '</div>', format='html')]

    def _table(self, models: Iterable[ModelEntry], rows: Iterable[Row]) -> nodes.Node:
        """A table in Markdown, whose links the site resolves as all others."""
        header = list(COLUMNS)
        lines = [f'| {" | ".join(header)} |', f'|{"---|" * len(header)}']
        for model, row in zip(models, rows, strict=True):
            cells = dict(row, name=f'[{row["name"]}](/../{model.config})')
            lines.append(f'| {" | ".join(cells[title] for title in header)} |')
        (parsed,) = self.parse_text_to_nodes('\n'.join(lines))
        return parsed


def _fields(rows: list[Row]) -> str:
    """A field for words and one a filter; hidden until a script is there to serve them."""
    words = (
        '<label>words <input type="search" name="words" autocomplete="off" '
        'placeholder="ovis swin"></label>'
    )
    selects = ''.join(_select(name, _values(rows, name)) for name in FILTERS)
    count = f'<p class="zoo-count" aria-live="polite">{len(rows)} configs</p>'
    return f'<form class="zoo-fields" hidden>{words}{selects}</form>{count}'


def _values(rows: list[Row], name: str) -> Iterable[str]:
    """What there is to choose; of a row that was trained on several data sets, each."""
    return dict.fromkeys(value for row in rows for value in row[name].split(' + '))


def _select(name: str, values: Iterable[str]) -> str:
    options = ''.join(f'<option>{escape(value)}</option>' for value in values)
    options = f'<option value="">all</option>{options}'
    return f'<label>{name} <select name="{name}">{options}</select></label>'


def row_of(model: ModelEntry) -> Row:
    """The cells of a model by the titles of the columns."""
    return {title: cell(model) for title, cell in COLUMNS.items()}


def _published(model: ModelEntry) -> str:
    """The main number: of the published file or, without one, of the paper."""
    numbers = model.numbers('weights') or model.numbers('paper')
    metric = next(iter(numbers), None)
    return f'{metric} {numbers[metric]}' if metric else NONE


def _weights(model: ModelEntry) -> str:
    """How the weights are had."""
    if model.weights is None:
        return 'none known'
    return 'by name' if model.weights.kind == 'direct' else f'by {model.weights.kind}'


def _license(model: ModelEntry) -> str:
    """Of the weights; what is not free for commerce says so."""
    if model.weights is None:
        return NONE
    name = model.license.name
    return f'{name}, non-commercial' if model.license.non_commercial else name


COLUMNS: dict[str, Callable[[ModelEntry], str]] = {
    'name': lambda model: model.name,
    'family': lambda model: model.collection.name,
    'task': lambda model: TASKS[model.task],
    'backbone': lambda model: model.backbone,
    'data': lambda model: ' + '.join(model.training_data),
    'published': _published,
    'parameters': lambda model: f'{model.parameters / 1e6:.1f} M',
    'weights': _weights,
    'licence': _license,
}


def add_script(app: Sphinx, pagename: str, *_: object) -> None:
    """Load the script on pages with a table."""
    if app.env.metadata.get(pagename, {}).get('zoo'):
        app.add_js_file('zoo.js')


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive('zoo', Zoo)
    app.connect('html-page-context', add_script)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
