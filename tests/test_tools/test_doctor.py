"""The doctor finds what is broken, names the command, and says it by its exit status."""

import importlib
import subprocess
import sys
from types import SimpleNamespace

import helpers
import pytest
from installed import install
from tool import run_tool

from mmvseg import compat
from mmvseg import doctor as doctor_module
from mmvseg.errors import UserError

DOCTOR = helpers.REPOSITORY / 'tools' / 'doctor.py'


@pytest.fixture
def doctor():
    return doctor_module


def broken(findings):
    return [f for f in findings if f.state == 'BROKEN']


def with_versions(doctor, monkeypatch, **versions):
    """Pretend that packages have other versions; None: not installed."""
    real = doctor.installed
    versions = {name.replace('_', '-'): version for name, version in versions.items()}
    monkeypatch.setattr(
        doctor, 'installed', lambda name: versions[name] if name in versions else real(name)
    )


def importing(doctor, monkeypatch, name, result):
    """Pretend that importing ``name`` gives ``result`` or raises it."""

    def import_module(wanted):
        if wanted != name:
            return importlib.import_module(wanted)
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(doctor, 'importlib', SimpleNamespace(import_module=import_module))


def test_this_environment_is_well():
    run = subprocess.run(
        [sys.executable, DOCTOR], capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert len(run.stdout.splitlines()) <= 40
    for name in ('Python', 'torch', 'mmcv', 'mmdet', 'GPU', 'OpenCV', 'pycocotools', 'video'):
        assert any(line.startswith(name) for line in run.stdout.splitlines())
    assert 'All is well.' in run.stdout
    assert run.stderr == ''


def test_main_exits_with_1_and_shows_the_command(doctor, monkeypatch, capsys):
    finding = doctor.Finding('av', '1.0', 'BROKEN', 'too old', 'pip install av==18.1.0')
    monkeypatch.setattr(doctor, 'CHECKS', (lambda: [finding],))
    assert run_tool('doctor') == 1
    out = capsys.readouterr().out
    assert 'To mend:\n  av: too old\n    pip install av==18.1.0' in out
    assert 'All is well' not in out


@pytest.mark.parametrize(
    ('versions', 'command'),
    [
        (dict(mmdet=None), 'pip install mmdet==3.3.0'),
        (dict(mmengine='0.7.0'), 'pip install mmengine==0.10.7'),
        (dict(mmdet='3.4.0'), 'pip install mmdet==3.3.0'),
    ],
)
def test_wrong_package(doctor, monkeypatch, versions, command):
    with_versions(doctor, monkeypatch, **versions)
    assert [f.mend for f in broken(doctor.check_packages())] == [command]


def test_untested_version_is_a_note(doctor, monkeypatch):
    with_versions(doctor, monkeypatch, torch='2.4.1+cu121')
    findings = {f.name: f for f in doctor.check_packages()}
    assert findings['torch'].state == 'note'
    assert '2.13.0' in findings['torch'].problem


@pytest.mark.parametrize(
    ('versions', 'problem'),
    [
        (dict(mmcv=None, mmcv_lite=None), 'mmcv >= 2.0.0 < 2.2.0'),
        (dict(mmcv='2.2.0', mmcv_lite=None), 'mmcv >= 2.0.0 < 2.2.0'),
    ],
)
def test_wrong_mmcv(doctor, monkeypatch, versions, problem):
    with_versions(doctor, monkeypatch, **versions)
    (finding,) = broken(doctor.check_mmcv())
    assert problem in finding.problem
    assert finding.mend.endswith('pip install mmcv-lite==2.1.0')


@pytest.mark.parametrize(
    ('result', 'state', 'text'),
    [
        (ModuleNotFoundError('mmcv._ext'), 'ok', 'no compiled ops'),
        (SimpleNamespace(), 'ok', 'with compiled ops'),
        (ImportError('undefined symbol'), 'BROKEN', 'another torch'),
    ],
)
def test_compiled_ops(doctor, monkeypatch, result, state, text):
    with_versions(doctor, monkeypatch, mmcv='2.1.0', mmcv_lite=None)
    importing(doctor, monkeypatch, 'mmcv._ext', result)
    (finding,) = doctor.check_mmcv()
    assert finding.state == state
    assert text in finding.found + finding.problem


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """An empty folder in the place of all installed packages."""
    monkeypatch.setattr(sys, 'path', [str(tmp_path)])
    return tmp_path


def test_two_builds_that_overwrite_each_other(doctor, environment):
    install(environment, 'mmcv', {'mmcv/__init__.py': 'old', 'mmcv/_ext.so': ''}, '2.0.1')
    assert list(doctor.check_shared_modules()) == []
    install(environment, 'mmcv-lite', {'mmcv/__init__.py': 'new'})
    (finding,) = doctor.check_shared_modules()
    assert (finding.state, finding.found) == ('BROKEN', 'mmcv 2.0.1 and mmcv-lite 2.1.0')
    assert 'mmcv and mmcv-lite overwrite each other' in finding.problem
    assert finding.mend == 'pip uninstall -y mmcv mmcv-lite && pip install mmcv-lite==2.1.0'


def test_two_builds_of_the_same_files_are_only_noted(doctor, environment):
    install(environment, 'mmcv', {'mmcv/__init__.py': 'same', 'mmcv/_ext.so': ''})
    install(environment, 'mmcv-lite', {'mmcv/__init__.py': 'same'})
    (finding,) = doctor.check_shared_modules()
    assert finding.state == 'note'
    assert 'uninstalling one takes them from the other' in finding.problem
    (environment / 'mmcv/__init__.py').unlink()
    assert [f.state for f in doctor.check_shared_modules()] == ['BROKEN']


def test_forks_install_the_same_modules(doctor, environment):
    install(environment, 'onedl-mmengine', {'mmengine/__init__.py': 'fork'}, '0.10.12')
    install(environment, 'onedl-mmcv', {'mmcv/__init__.py': 'fork'}, '2.1.0')
    install(environment, 'onedl-mmdetection', {'mmdet/__init__.py': 'fork'}, '3.3.0')
    install(environment, 'torch', {'torch/__init__.py': ''}, '2.13.0')
    compat.check_versions()
    assert list(doctor.check_shared_modules()) == []
    findings = {finding.name: finding for finding in doctor.check_packages()}
    assert (findings['mmengine'].state, findings['mmengine'].found) == (
        'ok',
        '0.10.12, from onedl-mmengine',
    )
    install(environment, 'mmengine', {'mmengine/__init__.py': 'original'}, '0.10.7')
    (finding,) = doctor.check_shared_modules()
    assert finding.mend == (
        'pip uninstall -y mmengine onedl-mmengine && pip install mmengine==0.10.7'
    )


def test_a_fork_of_another_version_is_refused(doctor, environment, monkeypatch):
    monkeypatch.setattr(sys, 'excepthook', sys.excepthook)  # restored after the test
    install(environment, 'torch', {'torch/__init__.py': ''}, '2.13.0')
    install(environment, 'mmengine', {'mmengine/__init__.py': ''}, '0.10.7')
    install(environment, 'onedl-mmcv', {'mmcv/__init__.py': 'fork'}, '1.7.2')
    with pytest.raises(UserError, match=r'mmcv 1\.7\.2 is not supported'):
        compat.check_versions()
    (finding,) = broken(doctor.check_mmcv())
    assert finding.mend == 'pip uninstall -y onedl-mmcv && pip install mmcv-lite==2.1.0'


def test_two_opencv_builds(doctor, monkeypatch):
    with_versions(doctor, monkeypatch, opencv_python='4.9', opencv_python_headless='4.8')
    (finding,) = broken(doctor.check_opencv())
    assert finding.mend == (
        'pip uninstall -y opencv-python opencv-python-headless && pip install opencv-python'
    )


def test_opencv_without_system_library(doctor, monkeypatch):
    error = ImportError('libGL.so.1: cannot open shared object file')
    importing(doctor, monkeypatch, 'cv2', error)
    (finding,) = broken(doctor.check_opencv())
    assert finding.mend == 'apt-get install -y libgl1 libglib2.0-0'


def fake_torch(available, cuda, fails=False):
    def ones(*args, **kwargs):
        if fails:
            raise RuntimeError('no kernel image is available\nmore')
        import torch

        return torch.ones(1)

    properties = SimpleNamespace(name='GPU X', total_memory=8 * 2**30)
    return SimpleNamespace(
        ones=ones,
        version=SimpleNamespace(cuda=cuda),
        cuda=SimpleNamespace(
            is_available=lambda: available,
            device_count=lambda: 1,
            get_device_properties=lambda index: properties,
        ),
    )


@pytest.mark.parametrize(
    ('torch', 'driver', 'state', 'text'),
    [
        (fake_torch(True, '13.0'), True, 'ok', 'GPU X, 8 GiB, CUDA 13.0'),
        (fake_torch(True, '13.0', fails=True), True, 'BROKEN', 'no kernel image'),
        (fake_torch(False, None), True, 'note', 'built without CUDA'),
        (fake_torch(False, '13.0'), True, 'note', 'cannot use the driver'),
        (fake_torch(False, None), False, 'ok', 'CPU'),
        (ImportError('libc10.so'), True, 'BROKEN', 'does not import'),
        (SimpleNamespace(), True, 'BROKEN', 'does not import (files are missing)'),
        (OSError('libc10.so: wrong\nELF class'), True, 'BROKEN', r'(libc10.so: wrong\nELF class)'),
    ],
)
def test_gpu(doctor, monkeypatch, torch, driver, state, text):
    importing(doctor, monkeypatch, 'torch', torch)
    monkeypatch.setattr(doctor.shutil, 'which', lambda name: '/bin/nvidia-smi' * driver or None)
    (finding,) = doctor.check_gpu()
    assert finding.state == state
    assert text in finding.found + finding.problem


def test_video_without_codec(doctor, monkeypatch):
    def no_codec(*args, **kwargs):
        raise ValueError('libx264')

    importing(doctor, monkeypatch, 'av', SimpleNamespace(open=no_codec))
    (finding,) = broken(doctor.check_video())
    assert 'libx264' in finding.problem


def test_mmvseg_that_does_not_import(doctor, monkeypatch):
    monkeypatch.setattr(doctor, 'ROOT', helpers.REPOSITORY / 'nowhere')
    failed = SimpleNamespace(returncode=1, stderr='Traceback\nUserError: mmdet is too old\n')
    monkeypatch.setattr(doctor.subprocess, 'run', lambda *args, **kwargs: failed)
    (finding,) = broken(doctor.check_mmvseg())
    assert finding.problem == 'UserError: mmdet is too old'


def test_a_clone_whose_changes_have_no_effect(doctor, tmp_path, monkeypatch):
    for name in ('tools/setup_env.sh', 'mmvseg/doctor.py'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    (finding,) = doctor.check_mmvseg()
    assert (finding.state, finding.mend) == (doctor.NOTE, 'pip install -e .')
    assert str(doctor.ROOT) in finding.problem
    monkeypatch.chdir(doctor.ROOT)
    (finding,) = doctor.check_mmvseg()
    assert finding.state == doctor.OK


def test_ranges_agree_with_compat(doctor):
    ranges = doctor.required_ranges()
    tested = doctor.tested_versions()
    assert set(ranges) <= set(tested)
    for package, (first, end) in compat.VERSIONS.items():
        name = 'mmcv-lite' if package == 'mmcv' else package
        assert ranges[name] == [('>=', first), ('<', end)]
        assert compat.INSTALL[package] == f'pip install {name}=={tested[name]}'
