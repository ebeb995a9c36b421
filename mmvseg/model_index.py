"""The model index: papers, published numbers and weights of the models in ``configs/``.

``model-index.yml`` lists files with OpenMMLab's keys, one a folder of configs. A collection holds
what its models have in common: paper, documentation, and the licence of the published weights.
Numbers with ``Source: published`` are those of the paper or of its authors' model zoo.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .errors import UserError


@dataclass(frozen=True)
class License:
    """Terms of published weights.

    Attributes:
        name: of the licence.
        non_commercial: whether commercial use is excluded.
        note: what else to know.
    """

    name: str
    non_commercial: bool
    note: str


@dataclass(frozen=True)
class Collection:
    """What the models of one paper, or of one part of it, have in common.

    Attributes:
        name: as models refer to it.
        paper_title: title.
        paper_url: address.
        readme: page of the documentation, from the repository's root.
        code: file of the model's class, from the root; None for mmdet's.
        license: of the published weights.
    """

    name: str
    paper_title: str
    paper_url: str
    readme: str
    code: str | None
    license: License


@dataclass(frozen=True)
class Result:
    """Numbers of a model on a data set.

    Attributes:
        task: e.g. ``Video Instance Segmentation``.
        dataset: with the split, e.g. ``OVIS valid``.
        metrics: values in percent by name.
        source: ``published``, or how else they were obtained.
    """

    task: str
    dataset: str
    metrics: Mapping[str, float]
    source: str


@dataclass(frozen=True)
class ModelEntry:
    """A model: one config.

    Attributes:
        name: the stem of the config's file.
        collection: what it shares with others.
        config: from the repository's root.
        backbone: for people, e.g. ``ResNet-50``.
        queries: how many.
        parameters: all but those that no stage of training changes: batch norms and first
            layers of a ResNet that its config freezes. DVIS trains only its last part; the others
            count all the same.
        training_data: names of data sets; the first decides the classes.
        iterations: of training; None if ``epochs`` is given.
        epochs: of training; None if ``iterations`` is given.
        batch_size: clips or images of all GPUs together.
        frames_per_clip: in training; None for image models.
        test_short_side: of the frames as tested, pixels; None for image models.
        results: numbers on data sets.
        weights: page on which the authors published weights; None if none are known.
        weights_file: their name there, if known.
        convert: the command that makes them a checkpoint; None without weights.
    """

    name: str
    collection: Collection
    config: str
    backbone: str
    queries: int
    parameters: int
    training_data: tuple[str, ...]
    iterations: int | None
    epochs: int | None
    batch_size: int
    frames_per_clip: int | None
    test_short_side: int | None
    results: tuple[Result, ...]
    weights: str | None
    weights_file: str | None
    convert: str | None


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
        """Path under a key, which has to exist."""
        name = self.get(key, str, required)
        if name is not None and not (root / name).is_file():
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
    terms = entry.section('Weights License')
    collection = Collection(
        name=entry.get('Name', str),
        paper_title=paper.get('Title', str),
        paper_url=paper.get('URL', str),
        readme=entry.file('README', root),
        code=entry.file('Code', root, required=False),
        license=License(
            name=terms.get('Name', str),
            non_commercial=terms.get('Non-Commercial', bool),
            note=terms.get('Note', str),
        ),
    )
    for section in (paper, terms, entry):
        section.finish()
    return collection


def _read_model(entry: _Section, root: Path, collections: Mapping[str, Collection]) -> ModelEntry:
    name = entry.get('Name', str)
    config = entry.file('Config', root)
    if Path(config).stem != name:
        raise UserError(f'{entry.where}: Config: {config} is not named like the model')
    collection = entry.get('In Collection', str)
    if collection not in collections:
        known = ', '.join(collections)
        raise UserError(
            f'{entry.where}: In Collection: there is no {collection!r} in this file, only {known}'
        )
    metadata = entry.section('Metadata')
    weights = entry.get('Weights', str, required=False)
    model = ModelEntry(
        name=name,
        collection=collections[collection],
        config=config,
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
        weights=weights,
        weights_file=entry.get('Weights File', str, required=False),
        convert=entry.get('Convert', str, required=weights is not None),
    )
    if (model.iterations is None) == (model.epochs is None):
        raise UserError(f"{entry.where}, Metadata: either 'Iterations' or 'Epochs' is needed")
    for section in (metadata, entry):
        section.finish()
    return model


def _read_result(entry: _Section) -> Result:
    result = Result(
        task=entry.get('Task', str),
        dataset=entry.get('Dataset', str),
        metrics=entry.section('Metrics').numbers(),
        source=entry.get('Source', str),
    )
    entry.finish()
    return result
