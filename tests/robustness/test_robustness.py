"""A small part of tools/analysis/robustness.py, and whether it sees what it is there to see."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import fuzz_bytes
import fuzz_run
import fuzz_server
import kill_run
import pytest
from fuzz_case import Case, Expect
from fuzz_scene import Scene
from fuzz_verdict import ESCAPE, content, judge
from helpers import REPOSITORY
from unpickled import Payload

INPUTS, KILLS = 70, 5


def test_all_kinds_of_input_and_some_kills(tmp_path):
    tool = REPOSITORY / 'tools/analysis/robustness.py'
    counts = ('--inputs', str(INPUTS), '--kills', str(KILLS), '--seed', '0', '--jobs', '1')
    run = subprocess.run(
        [sys.executable, str(tool), *counts, '--folder', str(tmp_path)],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert f'{INPUTS + KILLS} runs' in run.stdout
    assert {kind for kind, _ in fuzz_run.plan(INPUTS, fuzz_run.KIND_NAMES)} == {
        *fuzz_run.KIND_NAMES
    }


@pytest.fixture
def found(tmp_path):
    """What is said of a run that does something."""
    folder = tmp_path / 'a/b/c'
    folder.mkdir(parents=True)
    (tmp_path / 'tmp').mkdir()

    def judged(action, expect=Expect.ANYTHING, limits=fuzz_server.Limits(), **options):  # noqa: B008
        case = Case(
            Random(0), Scene(tmp_path / 'scene'), folder, tool='x', expect=expect, **options
        )
        outcome = fuzz_server.run_forked(lambda: action(case), folder, tmp_path, limits)
        return judge(case, outcome)

    return judged


def refuse(case):
    print('error: no', file=sys.stderr)
    sys.exit(1)


def test_a_clean_end_is_no_violation(found):
    assert not found(refuse)
    assert not found(refuse, Expect.REFUSED)
    assert not found(lambda case: None)


@pytest.mark.parametrize(
    ('action', 'fault'),
    [
        (lambda case: 1 / 0, 'Traceback'),
        (lambda case: os.kill(os.getpid(), signal.SIGSEGV), 'died of signal 11'),
        (lambda case: Payload(case.witness).__reduce__()[0](str(case.witness)), 'was run'),
        (lambda case: print(f'{ESCAPE}.jpg'), 'reaches the terminal'),
        (lambda case: sys.exit(1), '0 messages instead of one'),
        (lambda case: sys.exit(7), 'ends with status 7'),
        (lambda case: Path('../x').write_bytes(b''), 'wrote outside of its folder'),
    ],
)
def test_violations_are_seen(found, action, fault):
    assert any(fault in line for line in found(action))


def test_wrong_success_and_wrong_refusal_are_seen(found):
    assert found(lambda case: None, Expect.REFUSED) == ['taken, though it must be refused']
    assert found(refuse, Expect.SAME) == ['refused, though nothing is wrong with it']


def test_results_that_are_not_whole_are_seen(found, tmp_path):
    def write(case):
        (case.folder / 'numbers.json').write_text('{"AP": NaN}')

    assert 'numbers.json is not whole' in found(write, outputs=('numbers.json',))[0]
    assert 'x.png is not there' in found(lambda case: None, outputs=('x.png',))[0]
    (tmp_path / 'x.csv').write_text('name\n"=HYPERLINK(1)"\n')
    with pytest.raises(ValueError, match='formula'):
        content(tmp_path / 'x.csv')


def test_memory_and_idle_time_are_bounded(found):
    resident = fuzz_server._usage(os.getpid())[0] + 2 * 10**8
    limits = fuzz_server.Limits(resident=resident)
    # far more than the limit: what a fork shares of this process's files may not count as its own
    hungry = found(lambda case: (b'x' * 10**9, time.sleep(9)), limits=limits)
    assert hungry == ['ended from outside: too much memory']
    idle = found(lambda case: time.sleep(9), limits=fuzz_server.Limits(idle_s=0.3))
    assert idle == ['ended from outside: too much time']


def test_the_same_seed_breaks_the_same():
    data = bytes(range(256)) * 40
    changed = [fuzz_bytes.damage(Random(seed), data) for seed in (3, 3, *range(4, 20))]
    assert changed[0] == changed[1]
    assert len({changed_data for changed_data, _ in changed}) > 10
    beginning = list(fuzz_run.plan(100, fuzz_run.KIND_NAMES))
    assert len(beginning) == len(set(beginning)) == 100


def test_a_kill_comes_at_its_event(tmp_path):
    folder = tmp_path / 'run'
    folder.mkdir()

    def write():
        for name in 'abc':
            Path(name).write_bytes(b'x')

    kill = kill_run.Kill(signal.SIGKILL, event=2)
    outcome = fuzz_server.run_forked(
        write, folder, before=lambda: kill_run.count_events(folder, kill)
    )
    assert outcome.status == -signal.SIGKILL
    assert [path.name for path in folder.iterdir()] == ['a']
