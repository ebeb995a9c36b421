"""Which files of a folder, or of a pattern, are the frames of a video."""

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path

from mmvseg.errors import UserError, counted

from .images import IMAGE_SUFFIXES
from .names import is_video_name, natural_key

#: What labelling tools put behind or before a frame's name for that of its mask.
_MASK = '(?:masks?|seg|segmentation|labels?|labelids|annotations?|gt|matte|alpha)'
_MASK_NAME = re.compile(rf'(.+)[_.-]{_MASK}|{_MASK}[_.-](.+)', re.IGNORECASE)
_NUMBER = re.compile(r'%(?:0?(\d+))?d')
_NAMED = 5


def frames_of_folder(folder: Path) -> tuple[list[Path], list[str]]:
    """The pictures of a folder in natural order, and a line on what else is there, if anything.

    Raises:
        UserError: if there is no picture, or two of one frame.
    """
    paths = (folder / name for name in os.listdir(folder))
    # links that lead nowhere stay: a frame is missing
    files = [path for path in paths if not os.path.isdir(path)]
    frames, left_out = choose_frames(files, str(folder))
    if not frames:
        names = sorted(os.listdir(folder))
        inside = ', '.join(names[:_NAMED]) or 'nothing'
        videos = any(map(is_video_name, names))
        hint = '; it holds videos, give one of them' if videos else ''
        raise UserError(
            f'{folder}: no frames (looked for {" ".join(sorted(IMAGE_SUFFIXES))}; found {inside})'
            f'{hint}'
        )
    return frames, what_is_left_out(frames, left_out, str(folder))


def frames_of_pattern(pattern: str) -> list[Path]:
    """The files that a pattern names: ``frames/*.jpg``, or ``frames/%05d.jpg`` as of FFmpeg."""
    number = _NUMBER.search(os.path.basename(pattern))
    if number is None:
        return [Path(path) for path in glob.glob(pattern)]
    folder, name = os.path.split(pattern)
    before, after = name[: number.start()], name[number.end() :]
    digits = f'[0-9]{{{number[1] or 1},}}'
    wanted = re.compile(re.escape(before) + digits + re.escape(after))
    try:
        names = os.listdir(folder or '.')
    except OSError:
        return []
    return [Path(folder, name) for name in names if wanted.fullmatch(name)]


def choose_frames(files: Iterable[Path], where: str) -> tuple[list[Path], list[Path]]:
    """The pictures among files in natural order, without hidden ones and the masks of others.

    Args:
        files: in any order.
        where: what names them.

    Returns:
        The frames, and all other files.

    Raises:
        UserError: if two pictures differ in their suffixes alone.
    """
    files = sorted(files, key=natural_key)
    pictures = [path for path in files if is_visible_picture(path)]
    stems = {path.stem for path in pictures}
    frames: dict[str, Path] = {}
    for path in pictures:
        mask = _MASK_NAME.fullmatch(path.stem)
        if mask and (mask[1] or mask[2]) in stems:
            continue
        if path.stem in frames:
            raise UserError(
                f'{where}: {frames[path.stem].name} and {path.name} are two pictures of one frame; '
                f'choose by a quoted pattern such as "*{frames[path.stem].suffix}"'
            )
        frames[path.stem] = path
    chosen = {*frames.values()}
    return [*frames.values()], [path for path in files if path not in chosen]


def is_visible_picture(path: Path) -> bool:
    """Whether a file is a picture by its name, and no hidden one such as ``._1.jpg``."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith('.')


def what_is_left_out(frames: list[Path], left_out: list[Path], where: str) -> list[str]:
    """A line that names the files besides the frames, if there are any."""
    names = [path.name for path in left_out if path.name != '.DS_Store']
    if not names:
        return []
    more = f' and {len(names) - _NAMED} more' if len(names) > _NAMED else ''
    return [
        f'{where}: {counted(len(frames), "frames")}; left out: {", ".join(names[:_NAMED])}{more}'
    ]
