"""The command ``mmvseg evaluate`` under the name of this script."""

from mmvseg.commands.main import run_tool


def main() -> None:
    run_tool('evaluate')


if __name__ == '__main__':
    main()
