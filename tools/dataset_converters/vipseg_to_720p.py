"""The command ``mmvseg vipseg720`` under the name of this script."""

from mmvseg.commands.main import run_tool


def main() -> None:
    run_tool('vipseg720')


if __name__ == '__main__':
    main()
