"""The numbers of charts, computed by node where there is one."""

import json
import shutil
import subprocess

import numpy as np
import pytest

from mmvseg.pages.rendering import TEMPLATES

SCRIPTS = TEMPLATES / 'training'
NODE = shutil.which('node')
pytestmark = pytest.mark.skipif(NODE is None, reason='node is not installed')


def run(code, given):
    """What an expression makes of ``given`` with the functions of the script."""
    script = (SCRIPTS / 'scales.js').read_text()
    tail = f'const given = {json.dumps(given)};\nconsole.log(JSON.stringify({code}));'
    ended = subprocess.run([NODE, '-'], input=f'{script}\n{tail}', capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_syntax():
    for path in SCRIPTS.glob('*.js'):
        ended = subprocess.run([NODE, '--check', path], capture_output=True, text=True)
        assert ended.returncode == 0, ended.stderr


RANGES = [[0, 1], [-3.7, 12], [0.4999, 0.5001], [0, 40000], [1e-9, 3e-9], [-0.002, -0.001]]


@pytest.mark.parametrize('given', RANGES)
def test_ticks_are_round_and_even(given):
    ticks = run('linearTicks(given[0], given[1], 5)', given)
    low, high = given
    assert 2 <= len(ticks) <= 8
    assert low - 1e-9 * (high - low) <= min(ticks)
    assert max(ticks) <= high + 1e-9 * (high - low)
    steps = np.diff(ticks)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
    assert f'{steps[0]:.0e}'[0] in '125'
    np.testing.assert_allclose(ticks / steps[0], np.round(ticks / steps[0]), atol=1e-6)


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        ([0.9, 12], [1, 2, 5, 10]),
        ([0.0009, 1100], [0.001, 0.1, 10, 1000]),
        ([2.1, 2.9], [2.2, 2.4, 2.6, 2.8]),
    ],
)
def test_ticks_of_log_scales(given, expected):
    assert run('logTicks(given[0], given[1], 4)', given) == expected


@pytest.mark.parametrize('is_log', [False, True])
@pytest.mark.parametrize('values', [[5], [3, 3], [1e-7, 4, 2e9]])
def test_all_values_lie_within_the_range(values, is_log):
    low, high = run('paddedRange(given[0], given[1])', [values, is_log])
    assert low < min(values) <= max(values) < high
    assert low > 0 or not is_log


def test_scales():
    low, high, middle, back = run(
        '(() => { const s = linearScale(10, 30, 200, 0);'
        ' return [s(10), s(30), s(15), s.invert(150)]; })()',
        None,
    )
    assert (low, high, middle, back) == (200, 0, 150, 15)
    assert run('[1, 10, 100].map(logScale(1, 100, 0, 8))', None) == [0, 4, 8]


def test_nearest_step():
    rng = np.random.default_rng(0)
    steps = np.unique(rng.integers(0, 1000, 80))
    numbers = rng.uniform(-50, 1050, 300)
    found = run(
        'given[1].map(number => nearest(given[0], number))', [steps.tolist(), numbers.tolist()]
    )
    distance = np.abs(steps[:, None] - numbers)
    np.testing.assert_array_equal(distance[found, range(300)], distance.min(0))


@pytest.mark.parametrize('factor', [0, 0.3, 0.98])
def test_smoothing_weighs_what_came_before(factor):
    values = [3.0, 1.0, None, 4.0, 1.0, 5.0]
    found = run('smoothed(given[0], given[1])', [values, factor])
    for end, value in enumerate(found):
        if values[end] is None:
            assert value is None
            continue
        before = [v for v in values[: end + 1] if v is not None]
        weights = [factor ** (len(before) - 1 - i) for i in range(len(before))]
        assert value == pytest.approx(np.average(before, weights=weights))


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        (0, '0'),
        (0.1 + 0.2, '0.3'),
        (12345.678, '12346'),
        (0.0005, '0.0005'),
        (2e-5, '2e-5'),
        (-3.2e-9, '-3.2e-9'),
        (12345678, '1.2346e+7'),
    ],
)
def test_how_numbers_are_written(value, text):
    assert run('formatValue(given)', value) == text
