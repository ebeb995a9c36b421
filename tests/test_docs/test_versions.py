"""docs/versions.md says the versions that requirements/ says."""

import re

import pytest
from helpers import REPOSITORY
from packaging.requirements import Requirement


def rows():
    text = (REPOSITORY / 'docs/versions.md').read_text(encoding='utf-8')
    cells = [line.strip('| ').split(' | ') for line in text.splitlines() if line.startswith('| ')]
    return {name: (accepted, tested) for name, accepted, tested in cells[1:]}


def requirements(*files):
    lines = [
        line
        for file in files
        for line in (REPOSITORY / 'requirements' / file).read_text().splitlines()
        if line and not line.startswith('#')
    ]
    return {Requirement(line).name: Requirement(line).specifier for line in lines}


@pytest.mark.parametrize('name', ['torch', 'mmengine', 'mmdet', 'mmcv or mmcv-lite'])
def test_versions_of_libraries(name):
    accepted, tested = rows()[name]
    name = name.split()[-1]
    (pin,) = requirements('tested.txt')[name]
    assert pin.version == tested
    bounds = requirements('runtime.txt', 'lite.txt')[name]
    low, high = (next(b.version for b in bounds if b.operator == o) for o in ('>=', '<'))
    if accepted.endswith('.x'):
        major, minor = accepted.removesuffix('.x').split('.')
        assert low.startswith(f'{major}.{minor}')
        assert high == f'{major}.{int(minor) + 1}'
    else:
        assert accepted in (f'{low} to below {high}', f'{low} or newer')
    assert tested in bounds


def test_version_of_python():
    text = (REPOSITORY / 'pyproject.toml').read_text()
    low = re.search(r'^requires-python = ">=(.+)"$', text, re.MULTILINE)[1]
    assert rows()['Python'][0] == f'{low} or newer'
    assert re.fullmatch(r'3\.\d+', rows()['Python'][1])
