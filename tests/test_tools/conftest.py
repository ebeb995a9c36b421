"""What several modules of tests of tools need."""

import importlib.util
import sys

import helpers
import pytest

path = helpers.REPOSITORY / 'tools/evaluate.py'
spec = importlib.util.spec_from_file_location('evaluate', path)
evaluate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(evaluate)


@pytest.fixture
def run_evaluate(monkeypatch, capsys):
    """tools/evaluate.py with arguments: exit status, output and error output."""

    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['evaluate.py', *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            evaluate.main()
        output = capsys.readouterr()
        return exit_.value.code, output.out, output.err

    return run
