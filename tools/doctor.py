"""The command ``mmvseg doctor`` under the name of this script; also where nothing is installed."""

import sys
from pathlib import Path

if sys.version_info < (3, 10):  # noqa: UP036 - where it is older, this has to be said
    sys.exit(f'error: mmvseg needs Python >= 3.10, this is {sys.version.split()[0]}')
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from mmvseg.commands.main import run_tool


def main() -> None:
    run_tool('doctor')


if __name__ == '__main__':
    main()
