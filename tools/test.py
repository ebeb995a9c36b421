"""The command ``mmvseg measure`` under the name of this script."""

from mmvseg.commands.main import run_tool


def main() -> None:
    run_tool('measure')


if __name__ == '__main__':
    main()
