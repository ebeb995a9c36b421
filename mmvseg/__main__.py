"""``python -m mmvseg``: the command line where no console script is installed."""

from mmvseg.commands.main import main

main()
