"""The command ``mmvseg data export`` under the name of this script."""

from mmvseg.commands.main import run_tool


def main() -> None:
    run_tool('data export')


if __name__ == '__main__':
    main()
