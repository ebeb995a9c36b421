"""The command ``mmvseg data import`` under the name of this script."""

from mmvseg.commands.main import run_tool


def main() -> None:
    run_tool('data import')


if __name__ == '__main__':
    main()
