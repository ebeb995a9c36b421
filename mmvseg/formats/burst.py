"""Lists of classes for the evaluation of BURST."""

from pathlib import Path
from typing import Any

from mmvseg.errors import UserError

from .json_files import load_json


def read_class_ids(path: str | Path) -> set[int]:
    """Ids of classes.

    Args:
        path: json with a list of ids; or an annotation file of BURST, such as
            ``common_classes.json``, of which the classes of its tracks are taken.

    Raises:
        UserError: it cannot be read or is neither of these.
    """
    content = load_json(path)
    ids = content if isinstance(content, list) else _of_tracks(content)
    if not ids or not all(type(i) is int for i in ids):
        raise UserError(
            f'{path}: must be a list of category ids, or an annotation file of BURST with tracks '
            '(sequences with track_category_ids)'
        )
    return {*ids}


def _of_tracks(content: Any) -> list:
    try:
        tracks = [sequence['track_category_ids'] for sequence in content['sequences']]
        return [class_id for of_one in tracks for class_id in of_one.values()]
    except (KeyError, TypeError, AttributeError):
        return []
