import os
import signal

import pytest

from mmvseg.apis.stopping import Stopped, StopWish


def test_signals_that_are_ignored_stay_so():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with StopWish() as stop:
            os.kill(os.getpid(), signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert (stop.number, stop.status) == (None, 0)


def test_a_wish_is_taken_once(capsys):
    with StopWish() as stop:
        stop.is_heeded = True
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.taken()
            assert not stop.taken()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGINT)
    assert (stop.number, stop.status) == (signal.SIGINT, 130)
    assert capsys.readouterr().err.count('SIGTERM: finishing what is done') == 3
