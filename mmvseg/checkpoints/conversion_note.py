"""What a converted checkpoint notes of its conversion, under ``meta.conversion``."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from mmvseg.errors import UserError


@dataclass(frozen=True)
class ConversionNote:
    """Provenance of converted weights, and what the way back needs.

    Attributes:
        layout: name of the layout of the source.
        source: the file's name.
        sha256: of the source, in hexadecimal digits.
        base: name of the file with the encoder's weights before training, if one was needed.
        base_sha256: of that file.
        converter: the program and its version.
        license: terms of the weights, and where they stand.
        configs: those whose model the weights were compared with.
        values: unused tensors of the source that the way back restores, as lists by name.
        added: our names of counters that the source lacks.
        left_to_training: prefixes of our names that the file does not hold, since training makes
            them.
    """

    layout: str = ''
    source: str = ''
    sha256: str = ''
    base: str = ''
    base_sha256: str = ''
    converter: str = ''
    license: str = ''
    configs: list[str] = field(default_factory=list)
    values: dict[str, list] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    left_to_training: list[str] = field(default_factory=list)

    def plain(self) -> dict[str, Any]:
        """For a checkpoint's ``meta``."""
        return asdict(self)


def note_of(checkpoint: Mapping, source: str) -> ConversionNote | None:
    """The note of a loaded checkpoint; None if it was not converted.

    Args:
        checkpoint: with ``meta``, or without.
        source: its name, for messages.

    Raises:
        UserError: the note is malformed.
    """
    meta = checkpoint.get('meta')
    plain = meta.get('conversion') if isinstance(meta, Mapping) else None
    if plain is None:
        return None
    kinds = ConversionNote().plain()
    for key, default in kinds.items():
        value = plain.get(key, default) if isinstance(plain, Mapping) else None
        if not isinstance(value, type(default)):
            raise UserError(f'checkpoint {source}: meta.conversion.{key} is malformed')
        if isinstance(value, list) and not all(isinstance(x, str) and x for x in value):
            raise UserError(f'checkpoint {source}: meta.conversion.{key} is no list of names')
    return ConversionNote(**{key: plain[key] for key in kinds if key in plain})
