"""Say what is installed, what is wrong, and how to mend it.

The exit status is 1 if something is broken.
"""

import argparse

from mmvseg.errors import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command: none."""


def run(args: argparse.Namespace) -> int:
    """Run the command; returns 1 if something is broken."""
    from mmvseg import doctor

    findings = doctor.examine()
    say(doctor.report(findings))
    return int(any(finding.state == doctor.BROKEN for finding in findings))
