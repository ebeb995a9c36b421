"""Write the tables of models in README.md and docs/ from the model index.

A table stands between two comments, of which the first says what it shows:

    <!-- models: begin overview TeViT, MinVIS -->     a row a model, a column a data set
    <!-- models: begin list TeViT -->                 a row a config
    <!-- models: begin weights TeViT, MinVIS -->      where weights are published, and their licence
    <!-- models: end -->

The names are collections of the index.

Example:
    python tools/misc/model_table.py            # after a change of a metafile.yml
    python tools/misc/model_table.py --check    # status 1 if a table is not up to date
"""

import argparse
import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from mmvseg.commands.parser import Parser
from mmvseg.errors import UserError, command_line, say
from mmvseg.files import file_errors, write_bytes
from mmvseg.model_index import ModelEntry, load_model_index

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    'README.md',
    'docs/models.md',
    'docs/dvis.md',
    'docs/videomt.md',
    'docs/model_zoo.md',
)
#: Columns of the overview, by the end of a config's name; a name without one says its data set in
#: the index only.
COLUMNS = {
    'ytvis19': 'YouTube-VIS 2019',
    'ytvis21': 'YouTube-VIS 2021',
    'ytvis22': 'YouTube-VIS 2022',
    'ovis': 'OVIS',
    'ovis_720p': 'OVIS 720p',
    'ovis_coco': 'OVIS with COCO',
    'lvvis': 'LV-VIS',
    'davis': 'DAVIS 2017',
    'vipseg': 'VIPSeg',
    'cityscapes_vps': 'Cityscapes-VPS',
    'kitti_step': 'KITTI-STEP',
    'motchallenge_step': 'MOTChallenge-STEP',
    'vspw': 'VSPW',
    'vspw_480p': 'VSPW 480p',
}
_SERIES = re.compile(rf'(.+?)(?:_({"|".join(COLUMNS)}))?')
_MARK = re.compile(r'<!-- models: (?:begin (\w+) (.+)|end) -->')

NONE = '\N{EN DASH}'

Row = Sequence[str]
Linker = Callable[[ModelEntry, str], str]


def parse_args() -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument('documents', nargs='*', type=Path, help=f'default: {", ".join(DOCUMENTS)}')
    parser.add_argument('--index', type=Path, default=ROOT / 'model-index.yml')
    parser.add_argument('--check', action='store_true', help='write nothing, only compare')
    return parser.parse_args()


@command_line
def main() -> None:
    args = parse_args()
    models = load_model_index(args.index)
    stale = []
    for document in args.documents or [ROOT / name for name in DOCUMENTS]:
        with file_errors(document):
            text = document.read_text(encoding='utf-8')
        updated = update_tables(text, models, document, args.index.parent)
        if updated == text:
            continue
        stale.append(os.path.relpath(document))
        if not args.check:
            write_bytes(document, updated.encode())
            say(f'{stale[-1]}: written')
    if args.check and stale:
        raise UserError(
            f'{", ".join(stale)}: tables differ from {os.path.relpath(args.index)}; to write them: '
            'python tools/misc/model_table.py'
        )
    if not stale:
        say('all tables are up to date')


def update_tables(text: str, models: Sequence[ModelEntry], document: Path, root: Path) -> str:
    """The text of a document with its tables as they should be.

    Args:
        text: as it is.
        models: the index.
        document: path of the text, for links and messages.
        root: folder that paths of the index are relative to.

    Raises:
        UserError: there is no table, or the comments around one are not as they should be.
    """

    def link(model: ModelEntry, label: str) -> str:
        return f'[{label}]({os.path.relpath(root / model.config, document.parent)})'

    lines, begin = [], None
    for number, line in enumerate(text.splitlines(), 1):
        mark, where = _MARK.fullmatch(line), f'{document}, line {number}'
        if mark is None and begin is None:
            lines.append(line)
        if mark is None:
            continue
        if (mark[1] is None) == (begin is None):
            raise UserError(f'{where}: {line} without its other half')
        begin = mark[1] and where
        lines.append(line)
        if begin:
            lines += ['', *_table(mark[1], mark[2].split(', '), models, link, where), '']
    if begin:
        raise UserError(f'{begin}: <!-- models: end --> is missing')
    if not any(_MARK.fullmatch(line) for line in lines):
        raise UserError(f'{document}: no line says <!-- models: begin KIND COLLECTIONS -->')
    return '\n'.join(lines) + '\n'


def _table(
    kind: str, names: Sequence[str], models: Sequence[ModelEntry], link: Linker, where: str
) -> list[str]:
    if kind not in _KINDS:
        raise UserError(f'{where}: there is no table {kind!r}, only {", ".join(_KINDS)}')
    chosen = []
    for name in names:
        of_name = [model for model in models if model.collection.name == name]
        if not of_name:
            known = dict.fromkeys(model.collection.name for model in models)
            raise UserError(f'{where}: there is no collection {name!r}, only {", ".join(known)}')
        chosen += of_name
    header, *rows = _KINDS[kind](chosen, link)
    lines = [header, ['---'] * len(header), *rows]
    return [f'| {" | ".join(cells)} |' for cells in lines]


def _overview(models: Sequence[ModelEntry], link: Linker) -> list[Row]:
    """A row for the models that differ in their data set only."""
    series: dict[str, dict[str, ModelEntry]] = {}
    for model in models:
        name, end = _SERIES.fullmatch(model.name).groups()
        series.setdefault(name, {})[COLUMNS[end] if end else model.training_data[0]] = model
    columns = {
        title: metric
        for title in COLUMNS.values()
        for row in series.values()
        if title in row
        for metric in list(_published(row[title]))[:1]
    }
    header = ['model', 'backbone', 'queries', 'parameters']
    header += [f'{title}, {metric}' for title, metric in columns.items()]
    table = [[*header, 'published weights']]
    for name, row in series.items():
        first = next(iter(row.values()))
        size = f'{first.parameters / 1e6:.2f} M'
        cells = [f'`{name}`', first.backbone, str(first.queries), size]
        for title, metric in columns.items():
            model = row.get(title)
            number = _published(model).get(metric, NONE) if model else ''
            cells.append(link(model, str(number)) if model else '')
        pages = ', '.join(_pages(row.values()))
        short = 'non-commercial' if first.license.non_commercial else first.license.name
        table.append([*cells, f'{pages}: {short}' if pages else NONE])
    return table


def _list(models: Sequence[ModelEntry], link: Linker) -> list[Row]:
    """A row for each config."""
    columns: dict[str, Callable[[ModelEntry], str]] = {
        'config': lambda model: link(model, model.name),
        'backbone': lambda model: model.backbone,
        'queries': lambda model: str(model.queries),
        'parameters': lambda model: _grouped(model.parameters),
        'trained on': lambda model: ', '.join(model.training_data),
        'training': _training,
        'tested at': lambda model: f'{model.test_short_side}p' if model.test_short_side else '',
        'published': _results,
        'published weights': _weights,
    }
    cells = {title: [cell(model) for model in models] for title, cell in columns.items()}
    filled = {title: column for title, column in cells.items() if any(column)}
    rows = zip(*filled.values(), strict=True)
    return [list(filled), *([cell or NONE for cell in row] for row in rows)]


def _licenses(models: Sequence[ModelEntry], link: Linker) -> list[Row]:
    """A row for each collection, and for each licence in it."""
    table = [['model', 'published weights', 'licence', 'commercial use', 'note']]
    kinds = dict.fromkeys((model.collection.name, model.license) for model in models)
    for name, terms in kinds:
        pages = _pages(m for m in models if (m.collection.name, m.license) == (name, terms))
        allowed = '**no**' if terms.non_commercial else 'not excluded'
        table.append([name, ', '.join(pages), terms.name, allowed, terms.note])
    return table


_KINDS = dict(overview=_overview, list=_list, weights=_licenses)


def _published(model: ModelEntry) -> dict[str, float]:
    """Numbers of the published file by metric; without those, of the paper."""
    return model.numbers('weights') or model.numbers('paper')


def _results(model: ModelEntry) -> str:
    """All published numbers, and what to know of them."""
    cells = []
    for result in model.results:
        if result.source in ('weights', 'paper'):
            origin = 'paper: ' if result.source == 'paper' else ''
            numbers = ', '.join(f'{name} {value}' for name, value in result.metrics.items())
            cells.append(f'{origin}{numbers}{f" ({result.note})" if result.note else ""}')
    return '; '.join(cells)


def _pages(models: Iterable[ModelEntry]) -> Iterable[str]:
    """Links to where weights of any of these were published, without repetition."""
    return dict.fromkeys(_weights_page(model) for model in models if model.weights)


def _weights(model: ModelEntry) -> str:
    weights = model.weights
    if weights is None:
        return ''
    page = _weights_page(model)
    if weights.url:
        size = f', {weights.size}' if weights.size else ''
        return f'{page}: [{weights.file_name}]({weights.url}){size}'
    hosts = [f'[{urlsplit(share).hostname}]({share})' for share in weights.shares]
    return f'{page}: by browser, {", ".join(hosts)}'


def _weights_page(model: ModelEntry) -> str:
    return f'[{Path(model.weights.page).name}]({model.weights.page})'


def _training(model: ModelEntry) -> str:
    if model.epochs:
        return f'{model.epochs} epochs, {model.batch_size} images a step'
    batch = f'{model.batch_size} images'
    if model.frames_per_clip:
        batch = f'{model.batch_size} clips of {model.frames_per_clip} frames'
    if model.frames_per_clip == 1:
        batch = f'{model.batch_size} frames'
    return f'{_grouped(model.iterations)} x {batch}'


def _grouped(number: int) -> str:
    return f'{number:,}'.replace(',', ' ') if number >= 10_000 else str(number)


if __name__ == '__main__':
    main()
