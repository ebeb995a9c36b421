"""Reading JSON files that people hand in: every mistake is named with its place."""

import json
from pathlib import Path
from typing import Any

from mmvseg.errors import UserError


def load_json(path: str | Path) -> Any:
    """The content of a JSON file.

    Raises:
        UserError: if it cannot be read or is not JSON.
    """
    try:
        with open(path, encoding='utf-8') as file:
            return json.load(file)
    except OSError as error:
        raise UserError(f'{path}: cannot be read ({error.strerror}); check the path') from error
    except UnicodeDecodeError as error:
        raise UserError(f'{path}: is not a JSON text file ({error})') from error
    except json.JSONDecodeError as error:
        raise UserError(
            f'{path}: is not JSON: {error.msg} at line {error.lineno}, column {error.colno}; '
            'is the file complete?'
        ) from error


def get_value(record: Any, key: str, where: str) -> Any:
    """One value of an object.

    Args:
        record: what should be the object.
        key: its field.
        where: place of the object, for messages.

    Raises:
        UserError: if there is no such field or it holds several values.
    """
    if not isinstance(record, dict) or key not in record:
        raise UserError(f"{where}: has no '{key}'")
    value = record[key]
    if isinstance(value, list | dict):
        raise UserError(f"{where}: '{key}' must be one value, not a {type(value).__name__}")
    return value


def get_list(record: dict, key: str, where: str) -> list:
    """A list of an object with one entry a frame, like :func:`get_value`."""
    if not isinstance(record.get(key), list):
        raise UserError(f"{where}: '{key}' must be a list with one entry a frame")
    return record[key]
