"""What the model index says of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

#: How a file can be fetched: by a program, through a page for people, or after an approval.
KINDS = ('direct', 'browser', 'gated')
#: Tasks of models; those of videos are named as in the configs.
TASKS = {
    'vis': 'Video Instance Segmentation',
    'vps': 'Video Panoptic Segmentation',
    'vss': 'Video Semantic Segmentation',
    'image': 'Image Segmentation',
}


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
        source: ``weights``: of the published file, by its authors; ``paper``: of the paper, mostly
            the mean of several trainings; or how else they were obtained.
        note: what else to know; None for nothing.
    """

    task: str
    dataset: str
    metrics: Mapping[str, float]
    source: str
    note: str | None


@dataclass(frozen=True)
class Weights:
    """Where published weights are.

    Attributes:
        url: address of the file; None if a program cannot fetch it.
        page: where the authors tell of it.
        kind: one of :data:`~.entries.KINDS`.
        shares: addresses for a browser, where there is no address of the file.
        size: for people, e.g. ``528 MB``; None if unknown.
        num_bytes: exact size; None if unknown.
        sha256: of the file, in hexadecimal digits, all or the first ones; None if unknown.
        md5: the same.
        note: what else to know; None for nothing.
    """

    url: str | None
    page: str
    kind: str
    shares: tuple[str, ...]
    size: str | None
    num_bytes: int | None
    sha256: str | None
    md5: str | None
    note: str | None

    @property
    def file_name(self) -> str | None:
        """Name of the file, where its address is known."""
        return urlsplit(self.url).path.rpartition('/')[2] if self.url else None

    @property
    def places(self) -> tuple[str, ...]:
        """Where to click."""
        return self.shares or ((self.url,) if self.url else (self.page,))


@dataclass(frozen=True)
class ModelEntry:
    """A model: one config.

    Attributes:
        name: the stem of the config's file.
        collection: what it shares with others.
        root: folder that ``config`` is relative to.
        config: from the repository's root.
        task: one of :data:`TASKS`.
        backbone: for people, e.g. ``ResNet-50``.
        queries: how many.
        parameters: all but those that no stage of training changes: batch norms and first
            layers of a ResNet that its config freezes. DVIS trains only its last part, PMT all but
            its encoder; the others count all the same.
        training_data: names of data sets; the first decides the classes.
        iterations: of training; None if ``epochs`` is given.
        epochs: of training; None if ``iterations`` is given.
        batch_size: clips or images of all GPUs together.
        frames_per_clip: in training; None for image models.
        test_short_side: of the frames as tested, pixels; None for image models.
        results: numbers on data sets.
        weights: published ones; None if none are known.
        license: of the weights.
    """

    name: str
    collection: Collection
    root: Path
    config: str
    task: str
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
    weights: Weights | None
    license: License

    @property
    def config_file(self) -> Path:
        """The config."""
        return self.root / self.config

    def numbers(self, source: str = 'weights') -> dict[str, float]:
        """Values in percent by metric, of the results of one source."""
        found = [result.metrics for result in self.results if result.source == source]
        return {name: value for metrics in found for name, value in metrics.items()}
