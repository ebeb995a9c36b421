"""The command ``mmvseg test`` under the name of this script."""

from mmvseg.commands.main import run_tool


def main() -> None:
    run_tool('test')


if __name__ == '__main__':
    main()
