"""Published weights by a model's name: fetched, converted for its config, kept in the cache.

What is kept is the converted file, which holds weights alone. The published one is removed
afterwards, but for a note of its size and hash, with which it is compared if it is fetched again.
"""

import sys
from contextlib import suppress
from pathlib import Path

from mmvseg.checkpoints.cache import address_key, cache_errors, cache_folder, forget
from mmvseg.checkpoints.digests import Known
from mmvseg.checkpoints.downloads import fetch
from mmvseg.checkpoints.files import DamagedCheckpointError, load_checkpoint_file
from mmvseg.converters.files import convert_file
from mmvseg.errors import UserError, say
from mmvseg.files import user_path
from mmvseg.locks import turn
from mmvseg.model_index import ModelEntry, Weights, known_models

WITHOUT_NETWORK = (
    'a model that ships with mmvseg can be tried without a network: '
    'mmvseg predict VIDEO --model example://minvis_shapes'
)


def install_model(model: ModelEntry, file: str | Path | None = None) -> Path:
    """The checkpoint of a model: out of the cache, or made from its published file.

    Args:
        model: of the index.
        file: the published file, where it was fetched by other means; what is in the cache is
            made anew from it.

    Returns:
        The converted file.

    Raises:
        UserError: there are no published weights, a program cannot fetch them, or the file is
            another one or does not fill the model.
    """
    weights = _weights_of(model)
    out = converted_path(model)
    if file is None and _is_whole(out):
        return out
    if file is None and weights.kind != 'direct':
        raise UserError(_browser_message(model, weights))
    with cache_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with turn(out.parent / '.lock', lambda: _say_waiting(model)):
            if file is not None:
                _convert_given(model, weights, user_path(file), out)
            elif not _is_whole(out):
                _convert_fetched(model, weights, out)
    return out


def converted_path(model: ModelEntry) -> Path:
    """Where the converted weights of a model are kept; those of another address lie elsewhere."""
    key = address_key(_weights_of(model).places[0])
    return cache_folder() / 'models' / model.name / key / f'{model.name}.pth'


def _is_whole(path: Path) -> bool:
    """Whether a converted file is there and can be read."""
    if not path.is_file():
        return False
    try:
        load_checkpoint_file(path, mmap=True)
    except DamagedCheckpointError as error:
        say(f'{error}, from its published file', sys.stderr)
        return False
    return True


def _weights_of(model: ModelEntry) -> Weights:
    if model.weights is None:
        others = [
            other.name
            for other in known_models().values()
            if other.weights and other.collection == model.collection
        ]
        hint = f'; there are some of {", ".join(others[:4])}' if others else ''
        raise UserError(
            f'model {model.name}: no weights of it are known to be published{hint}. To train it: '
            f'mmvseg train {model.config}'
        )
    return model.weights


def _convert_fetched(model: ModelEntry, weights: Weights, out: Path) -> None:
    say('\n'.join(_terms(model, weights)), sys.stderr)
    known = Known(weights.num_bytes, weights.sha256, weights.md5)
    advice = (
        f'or open {weights.page} in a browser, save the file and run: '
        f'mmvseg download {model.name} --file PATH; {WITHOUT_NETWORK}'
    )
    path = fetch(weights.url, known, f'try again later, {advice}')
    try:
        _convert(model, path, out)
    except DamagedCheckpointError:
        forget(path)
        raise
    if path.is_relative_to(cache_folder()):
        with suppress(OSError):
            path.unlink()


def _convert_given(model: ModelEntry, weights: Weights, path: Path, out: Path) -> None:
    if not path.is_file():
        raise UserError(f'--file {path}: no such file')
    known = Known(weights.num_bytes, weights.sha256, weights.md5)
    known.check(path, f'--file {path}', f'get the file of {model.name}: {weights.places[0]}')
    say('\n'.join(_terms(model, weights)), sys.stderr)
    _convert(model, path, out)
    twins = _twins(model)
    if twins and not (weights.sha256 or weights.md5):
        say(
            f'note: nothing in the file tells it from that of {", ".join(twins)}, which have the '
            f'same parameters: make sure that it is the one of {model.name}',
            sys.stderr,
        )


def _convert(model: ModelEntry, path: Path, out: Path) -> None:
    lines = convert_file(
        path,
        out,
        config=model.config_file,
        complete=True,
        terms=f'{model.license.name}, {model.weights.page}',
    )
    say('\n'.join(lines), sys.stderr)


def _twins(model: ModelEntry) -> list[str]:
    """Models whose weights have the same names and shapes."""
    return [
        other.name
        for other in known_models().values()
        if other.name != model.name
        and other.weights
        and (other.collection.name, other.parameters, other.backbone)
        == (model.collection.name, model.parameters, model.backbone)
    ]


def _terms(model: ModelEntry, weights: Weights) -> list[str]:
    """What to know before the weights are used."""
    paper, terms = model.collection, model.license
    allowed = ' (no commercial use)' if terms.non_commercial else ''
    return [
        f'{model.name}: weights of {weights.page}',
        f'licence: {terms.name}{allowed}. {terms.note}',
        f'paper:   {paper.paper_title}, {paper.paper_url}',
    ]


def _browser_message(model: ModelEntry, weights: Weights) -> str:
    need = 'after its terms are accepted' if weights.kind == 'gated' else 'in a browser'
    note = f' ({weights.note})' if weights.note else ''
    return (
        f'model {model.name}: its weights can only be fetched {need}: open '
        f'{" or ".join(weights.places)}{note}, save the file and run: '
        f'mmvseg download {model.name} --file PATH; {WITHOUT_NETWORK}'
    )


def _say_waiting(model: ModelEntry) -> None:
    say(f'{model.name}: another process is fetching it; waiting for that', sys.stderr)
