"""A static page with the curves of trainings."""

import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mmvseg.errors import say
from mmvseg.files import user_path
from mmvseg.formats.training_log import read_training_log
from mmvseg.locks import folder_lock
from mmvseg.pages.training import TrainingRun, write_training_page

from .output_paths import check_output_folder, check_page_folder


def show_training(work_dirs: Sequence[Path], out: Path) -> None:
    """Write the page of one or more trainings, which may still go on.

    Args:
        work_dirs: of the trainings.
        out: folder of the page; a page of trainings that it holds is replaced.

    Raises:
        UserError: a training has no log, or the page cannot be written.
    """
    folders = list(dict.fromkeys(Path(os.path.abspath(user_path(path))) for path in work_dirs))
    check_output_folder('--out', out, inputs=())
    check_page_folder(out, 'training.js', 'mmvseg show --training')
    runs = [
        TrainingRun(name, str(folder), read_training_log(folder, _warn))
        for name, folder in zip(run_names(folders), folders, strict=True)
    ]
    with folder_lock(out, 'give another --out'):
        write_training_page(out, runs)
    say(f'open {out / "index.html"} in a browser')


def run_names(folders: Sequence[Path]) -> list[str]:
    """A name for each folder: its own, with as many of those above it as tell all of them apart.

    Args:
        folders: absolute, all different.

    Example:
        >>> run_names([Path('/a/x'), Path('/b/x'), Path('/b/y')])
        ['a/x', 'b/x', 'y']
    """
    names = [folder.name for folder in folders]
    for depth in range(2, max(len(folder.parts) for folder in folders) + 1):
        count = Counter(names)
        names = [
            '/'.join(folder.parts[-depth:]) if count[name] > 1 else name
            for folder, name in zip(folders, names, strict=True)
        ]
    return names


def _warn(message: str) -> None:
    say(message, sys.stderr)
