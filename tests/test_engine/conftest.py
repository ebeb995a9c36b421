import mmengine.runner.runner
import pytest
import toy


@pytest.fixture(scope='session')
def toy_config(tmp_path_factory):
    folder = tmp_path_factory.mktemp('toy')
    toy.write_videos(folder / 'data')
    return toy.write_config(folder)


@pytest.fixture(autouse=True)
def _no_compiler_versions(monkeypatch):
    """Spare every runner the second that it takes to ask gcc and nvcc for their versions."""
    monkeypatch.setattr(mmengine.runner.runner, 'collect_env', dict)
