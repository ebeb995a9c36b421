import subprocess

import pytest
from helpers import REPOSITORY


@pytest.mark.parametrize('missing', ['tests/test_nothing', 'tests/test_nothing.py::test_a'])
def test_a_path_that_is_missing_is_named(missing):
    command = ['bash', 'tools/run_tests.sh', '-x', 'tests/test_tools', missing]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (4, f'error: no {missing}\n')
