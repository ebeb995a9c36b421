"""The command ``mmvseg convert`` under the name of this script."""

from mmvseg.commands.main import run_tool


def main() -> None:
    run_tool('convert')


if __name__ == '__main__':
    main()
