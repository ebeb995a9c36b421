"""Templates filled in, and the scripts and styles that pages bring along."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mmvseg.files import write_bytes

TEMPLATES = Path(__file__).parent / 'templates'


def render(template: str, **values: Any) -> bytes:
    """A template with its values, all of which stay text."""
    text = _environment().get_template(template).render(**values)
    # halves of characters, as names of files may hold them, have no form in UTF-8
    return text.encode('utf-8', 'backslashreplace')


def write_assets(folder: Path, names: Iterable[str]) -> None:
    """Copy scripts and styles into ``assets`` of a site.

    Args:
        folder: of the site.
        names: of the files, relative to the templates.

    Raises:
        UserError: a file cannot be written.
    """
    for name in names:
        path = TEMPLATES / name
        write_bytes(folder / 'assets' / path.name, path.read_bytes())


def files_in(part: str) -> list[str]:
    """Names of all files of a folder of the templates, for :func:`write_assets`."""
    return [f'{part}/{path.name}' for path in sorted((TEMPLATES / part).iterdir())]


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
