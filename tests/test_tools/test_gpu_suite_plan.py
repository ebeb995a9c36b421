"""tools/analysis/gpu_suite_plan.py: eight minutes for more jobs than fit."""

import sys
from collections import Counter

import pytest
from helpers import REPOSITORY

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
from gpu_suite_plan import SHARES, Job, Plan

MODELS = [f'model {number}' for number in range(12)]
ONE = ('tests', 'decode')
ALL = [Job(s, m) for s in SHARES for m in ([''] if s in ONE else MODELS)]


def run(seconds, jobs, duration):
    """Let jobs take what they want, or are given: when all is done, who was started, who not."""
    now = [100.0]
    plan = Plan(seconds, jobs, clock=lambda: now[0])
    given, reasons = {}, {}
    for job in jobs:
        limit, reason = plan.start(job)
        if reason:
            reasons[job] = reason
            continue
        given[job] = limit
        wanted = duration(job)
        now[0] += min(limit, wanted)
        if wanted <= limit:
            plan.note(job, wanted)
    return now[0] - 100, given, reasons


@pytest.mark.parametrize('wanted', [1, 10, 25, 60, 1000])
def test_never_takes_longer_than_it_may(wanted):
    taken, given, reasons = run(480, ALL, lambda job: wanted)
    assert taken <= 480
    assert given.keys() | reasons.keys() == set(ALL)


def test_all_sections_have_rows_where_not_all_jobs_fit():
    _, given, reasons = run(480, ALL, lambda job: 20 if job.section == 'speed' else 30)
    rows = Counter(job.section for job in given)
    assert rows.keys() == SHARES.keys()
    assert reasons
    assert given[Job('speed', MODELS[0])] < 0.5 * SHARES['speed'] * 480


def test_what_is_left_over_goes_to_those_behind():
    *_, reasons = run(480, ALL, lambda job: 2 if job.section == 'speed' else 8)
    assert not reasons
    alone = [Job('compile', name) for name in MODELS[:2]]
    taken, given, _ = run(480, alone, lambda job: 1000)
    assert taken == pytest.approx(480)  # the section has all the time
    assert list(given.values()) == [480]


def test_says_what_would_not_fit():
    jobs = [Job('speed', 'large'), Job('compile', 'large')]
    _, given, reasons = run(100, jobs, lambda job: 60)
    assert list(given) == jobs[:1]
    assert reasons[jobs[1]] == (
        'not started: would take at least 60 s, and 40 s are left for it; give it more --minutes, '
        'or choose --only and --models'
    )


def test_a_job_that_was_cut_off_is_no_measure():
    jobs = [Job('compile', name) for name in 'abc']
    _, given, _ = run(90, jobs, lambda job: 1000 if job.model == 'a' else 5)
    assert list(given) == jobs


def test_without_time_nothing_is_started():
    _, given, reasons = run(0, ALL, lambda job: 1)
    assert not given
    assert set(reasons.values()) == {'not started: the minutes were spent'}
