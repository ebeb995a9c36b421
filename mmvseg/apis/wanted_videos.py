"""The videos that ``--video`` names."""

from collections.abc import Sequence
from pathlib import Path

from mmvseg.errors import UserError


def wanted_videos(
    videos: Sequence[tuple[int | str, str]], wanted: Sequence[str] | None, source: str | Path
) -> list[int]:
    """Positions of the videos that are wanted.

    Args:
        videos: id and name of each.
        wanted: ids or names; None for all.
        source: where they are listed, for messages.

    Raises:
        UserError: there is none of such a name.

    Example:
        >>> wanted_videos([(3, 'street'), (8, 'yard')], ['yard', '8'], 'val.json')
        [1]
    """
    if not wanted:
        return list(range(len(videos)))
    keys = [{str(number), name} for number, name in videos]
    unknown = [name for name in wanted if not any(name in names for names in keys)]
    if unknown:
        examples = ', '.join(f'{number} ({name})' for number, name in videos[:3])
        raise UserError(
            f'{source}: no video {", ".join(unknown)} among its {len(videos)}, e.g. {examples}'
        )
    return [position for position, names in enumerate(keys) if names & {*wanted}]
