"""Starts the processes of dist_train.sh and dist_test.sh: torchrun, with its errors in a line."""

import signal
import sys

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.run import main

from mmvseg.errors import say


def run() -> int:
    """Exit status: that of the process that failed first, or 128 and the signal that ended it."""
    try:
        main()
    except SignalException as error:
        return 128 + error.sigval
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        code = failure.exitcode
        how = f'status {code}' if code >= 0 else signal.Signals(-code).name
        say(f'error: process {rank} of the run ended with {how}', sys.stderr)
        return code if code >= 0 else 128 - code
    return 0


if __name__ == '__main__':
    sys.exit(run())
