"""Reading ``model-index.yml`` and the files that it names."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from mmvseg.errors import UserError

from .entries import KINDS, TASKS, Collection, License, ModelEntry, Result, Weights

_DIGITS = re.compile('[0-9a-f]{6,64}')


def load_model_index(path: str | Path) -> list[ModelEntry]:
    """Read ``model-index.yml`` and the files that it imports.

    Args:
        path: of the index; the files that it names are relative to its folder.

    Returns:
        The models in the order of the files.

    Raises:
        UserError: a file is missing or malformed, or an entry lacks a key, has one that is not
            known, or names a file or a collection that does not exist.
    """
    path = Path(path)
    index = _Section(_read(path), str(path))
    files = index.names('Import')
    index.finish()
    models: dict[str, ModelEntry] = {}
    for name in files:
        for model in _read_metafile(path.parent, path.parent / name):
            if model.name in models:
                raise UserError(f'{path.parent / name}: model {model.name!r} is listed twice')
            models[model.name] = model
    return list(models.values())


class _Section:
    """A mapping of a YAML file that is read key by key."""

    def __init__(self, values: Any, where: str) -> None:
        """``where`` is the file and the entry, for messages."""
        if not isinstance(values, Mapping):
            raise UserError(f'{where}: keys with values expected, got {values!r}')
        self._values = dict(values)
        self.where = where

    def get(self, key: str, kind: type, required: bool = True) -> Any:
        """Value of a key, taken out; None if it is not there and need not be."""
        if key not in self._values:
            if required:
                raise UserError(f'{self.where}: key {key!r} is missing')
            return None
        value = self._values.pop(key)
        # a bool is an int for Python
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise UserError(f'{self.where}: {key}: {kind.__name__} expected, got {value!r}')
        return value

    def has(self, key: str) -> bool:
        """Whether there is such a key."""
        return key in self._values

    def choice(self, key: str, allowed: Iterable[str]) -> str:
        """Value of a key that is one of some."""
        value = self.get(key, str)
        if value not in allowed:
            raise UserError(f'{self.where}: {key}: one of {", ".join(allowed)} expected')
        return value

    def address(self, key: str, required: bool = True) -> str | None:
        """Address of a file or a page under a key."""
        value = self.get(key, str, required)
        if value is not None:
            self._check_address(key, value)
        return value

    def addresses(self, key: str) -> tuple[str, ...]:
        """The addresses listed under a key, perhaps none."""
        values = self.names(key) if key in self._values else ()
        for value in values:
            self._check_address(key, value)
        return values

    def _check_address(self, key: str, value: str) -> None:
        parts = urlsplit(value)
        if parts.scheme != 'https' or not parts.hostname or '@' in parts.netloc or ' ' in value:
            raise UserError(f'{self.where}: {key}: an address (https://…) expected, got {value!r}')

    def digits(self, key: str) -> str | None:
        """Digits of a hash under a key, all or the first ones."""
        value = self.get(key, str, required=False)
        if value is not None and not _DIGITS.fullmatch(value):
            raise UserError(f'{self.where}: {key}: 6 to 64 digits 0 to f expected, got {value!r}')
        return value

    def section(self, key: str) -> '_Section':
        """The mapping under a key."""
        return _Section(self.get(key, dict), f'{self.where}, {key}')

    def entries(self, key: str, required: bool = True) -> Iterator['_Section']:
        """The mappings listed under a key, with their names in messages."""
        for number, values in enumerate(self.get(key, list, required) or [], 1):
            name = values.get('Name') if isinstance(values, Mapping) else None
            yield _Section(values, f'{self.where}, {key}: {name or f"entry {number}"}')

    def names(self, key: str) -> tuple[str, ...]:
        """The strings listed under a key, at least one."""
        values = self.get(key, list)
        if not values or not all(isinstance(value, str) for value in values):
            raise UserError(f'{self.where}: {key}: a list of names expected, got {values!r}')
        return tuple(values)

    def numbers(self) -> dict[str, float]:
        """All keys, whose values are numbers."""
        return {key: self.get(key, float) for key in list(self._values)}

    def file(self, key: str, root: Path, required: bool = True) -> str | None:
        """Path under a key, which has to exist; an installed package lacks whole folders."""
        name = self.get(key, str, required)
        is_here = name is not None and (root / Path(name).parts[0]).exists()
        if is_here and not (root / name).is_file():
            raise UserError(f'{self.where}: {key}: there is no file {name}')
        return name

    def finish(self) -> None:
        """Refuse what has not been taken, such as a mistyped key."""
        if self._values:
            raise UserError(f'{self.where}: unknown key {", ".join(map(repr, self._values))}')


def _read(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'{path}: cannot be read: {error}') from error
    except yaml.YAMLError as error:
        message = ' '.join(str(error).split())
        raise UserError(f'{path}: not YAML: {message}') from error


def _read_metafile(root: Path, path: Path) -> Sequence[ModelEntry]:
    metafile = _Section(_read(path), str(path))
    collections = [_read_collection(entry, root) for entry in metafile.entries('Collections')]
    by_name = {collection.name: collection for collection in collections}
    models = [_read_model(entry, root, by_name) for entry in metafile.entries('Models')]
    metafile.finish()
    return models


def _read_collection(entry: _Section, root: Path) -> Collection:
    metadata = entry.section('Metadata')
    for key, required in {'Architecture': True, 'Training Techniques': False}.items():
        metadata.get(key, list, required)
    metadata.get('Training Resources', str, required=False)
    metadata.finish()
    paper = entry.section('Paper')
    collection = Collection(
        name=entry.get('Name', str),
        paper_title=paper.get('Title', str),
        paper_url=paper.get('URL', str),
        readme=entry.file('README', root),
        code=entry.file('Code', root, required=False),
        license=_read_license(entry.section('Weights License')),
    )
    for section in (paper, entry):
        section.finish()
    return collection


def _read_license(terms: _Section) -> License:
    found = License(
        name=terms.get('Name', str),
        non_commercial=terms.get('Non-Commercial', bool),
        note=terms.get('Note', str),
    )
    terms.finish()
    return found


def _read_model(entry: _Section, root: Path, collections: Mapping[str, Collection]) -> ModelEntry:
    name = entry.get('Name', str)
    config = entry.file('Config', root)
    if Path(config).stem != name:
        raise UserError(f'{entry.where}: Config: {config} is not named like the model')
    in_collection = entry.get('In Collection', str)
    if in_collection not in collections:
        known = ', '.join(collections)
        raise UserError(
            f'{entry.where}: In Collection: there is no {in_collection!r} in this file, only '
            f'{known}'
        )
    collection = collections[in_collection]
    own_terms = entry.has('Weights License')
    metadata = entry.section('Metadata')
    model = ModelEntry(
        name=name,
        collection=collection,
        root=root,
        config=config,
        task=metadata.choice('Task', TASKS),
        backbone=metadata.get('Backbone', str),
        queries=metadata.get('Queries', int),
        parameters=metadata.get('Parameters', int),
        training_data=metadata.names('Training Data'),
        iterations=metadata.get('Iterations', int, required=False),
        epochs=metadata.get('Epochs', int, required=False),
        batch_size=metadata.get('Batch Size', int),
        frames_per_clip=metadata.get('Frames per Clip', int, required=False),
        test_short_side=metadata.get('Test Short Side', int, required=False),
        results=tuple(_read_result(result) for result in entry.entries('Results', required=False)),
        weights=_read_weights(entry),
        license=_read_license(entry.section('Weights License'))
        if own_terms
        else collection.license,
    )
    if (model.iterations is None) == (model.epochs is None):
        raise UserError(f"{entry.where}, Metadata: either 'Iterations' or 'Epochs' is needed")
    for section in (metadata, entry):
        section.finish()
    return model


def _read_weights(entry: _Section) -> Weights | None:
    """Keys of the published weights, all of them taken out."""
    url = entry.address('Weights', required=False)
    page = entry.address('Weights Page', required=url is not None or entry.has('Weights File'))
    if page is None:
        return None
    file = entry.section('Weights File') if entry.has('Weights File') else _Section({}, entry.where)
    weights = Weights(
        url=url,
        page=page,
        kind=file.choice('Kind', KINDS) if file.has('Kind') else 'direct',
        shares=file.addresses('Shares'),
        size=file.get('Size', str, required=False),
        num_bytes=file.get('Bytes', int, required=False),
        sha256=file.digits('SHA-256'),
        md5=file.digits('MD5'),
        note=file.get('Note', str, required=False),
    )
    file.finish()
    if (weights.kind == 'direct') != (url is not None):
        raise UserError(
            f"{entry.where}: 'Weights' is the address of a file that a program can fetch; without "
            "one, Weights File needs 'Kind: browser' or 'Kind: gated'"
        )
    return weights


def _read_result(entry: _Section) -> Result:
    result = Result(
        task=entry.get('Task', str),
        dataset=entry.get('Dataset', str),
        metrics=entry.section('Metrics').numbers(),
        source=entry.get('Source', str),
        note=entry.get('Note', str, required=False),
    )
    entry.finish()
    return result
