"""Execute tutorials, each in an empty folder, and save their outputs in them.

Needs nbclient and ipykernel. After a change in docs/tutorials:
    python tools/misc/run_notebook.py docs/tutorials/*.ipynb
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

REPOSITORY = Path(__file__).resolve().parents[2]
#: Nothing of the machine that executed it.
METADATA = dict(
    kernelspec=dict(display_name='Python 3', language='python', name='python3'),
    language_info=dict(name='python', pygments_lexer='ipython3'),
)
#: Of a cell, in seconds.
TIMEOUT = 600


def execute(notebook: NotebookNode, folder: Path) -> None:
    """Fill in the outputs of a notebook, whose cells write into an empty folder.

    Raises:
        CellExecutionError: a cell failed.
    """
    (folder / 'run').mkdir()
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name=METADATA['kernelspec']['name'],
        resources=dict(metadata=dict(path=str(folder / 'run'))),
        record_timing=False,
        coalesce_streams=True,
    )
    client.execute(env=_environment(folder))
    notebook.metadata = nbformat.from_dict(METADATA)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('notebooks', nargs='+', type=Path)
    for path in parser.parse_args().notebooks:
        notebook = nbformat.read(path, as_version=4)
        with tempfile.TemporaryDirectory() as folder:
            execute(notebook, Path(folder))
        nbformat.write(notebook, path)


def _environment(folder: Path) -> dict[str, str]:
    """That of this process, with the command ``mmvseg`` of this clone and one thread."""
    command = folder / 'bin' / 'mmvseg'
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m mmvseg "$@"\n')
    command.chmod(0o755)
    return os.environ | dict(
        PATH=f'{command.parent}{os.pathsep}{os.environ["PATH"]}',
        PYTHONPATH=str(REPOSITORY),
        IPYTHONDIR=str(folder / 'ipython'),
        OMP_NUM_THREADS='1',
    )


if __name__ == '__main__':
    main()
