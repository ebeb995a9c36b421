"""The wheel: its files and metadata, and that it needs no clone."""

import runpy
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from importlib import metadata

import pytest
from helpers import REPOSITORY
from installed import install

SOURCES = ('mmvseg', 'configs', 'tools', 'requirements')
FILES = ('setup.py', 'pyproject.toml', 'MANIFEST.in', 'README.md', 'LICENSE', 'model-index.yml')


@pytest.fixture(scope='module')
def wheel(tmp_path_factory):
    """Built as pip does it, without looking for anything elsewhere."""
    if int(metadata.version('setuptools').split('.')[0]) < 77:
        pytest.skip('building without a network needs setuptools >= 77 in the environment')
    folder = tmp_path_factory.mktemp('wheel')
    source = folder / 'source'
    for name in SOURCES:
        left_out = shutil.ignore_patterns('__pycache__')
        shutil.copytree(REPOSITORY / name, source / name, ignore=left_out)
    for name in FILES:
        shutil.copy(REPOSITORY / name, source)
    (source / 'build/lib/mmvseg').mkdir(parents=True)  # of a module that is gone
    (source / 'build/lib/mmvseg/gone.py').touch()
    options = ['--no-deps', '--no-build-isolation', '--no-index', '--quiet']
    command = [sys.executable, '-m', 'pip', 'wheel', *options, '--wheel-dir', folder, source]
    built = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob('*.whl')
    return path


@pytest.fixture(scope='module')
def site(wheel, tmp_path_factory):
    """The wheel as it lies in an environment."""
    folder = tmp_path_factory.mktemp('site')
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(site, *command, cwd):
    env = dict(PYTHONPATH=str(site), PATH='')
    command = [sys.executable, *map(str, command)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=env)


def test_files(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if '.dist-info/' not in name}
    modules = {str(path.relative_to(REPOSITORY)) for path in REPOSITORY.glob('mmvseg/**/*.py')}
    data = {'mmvseg/py.typed', 'mmvseg/formats/categories/ytvis_2019.json'}
    configs = {
        f'mmvseg/.mim/{path.relative_to(REPOSITORY)}'
        for pattern in ('configs/**/*.py', 'configs/*/metafile.yml', 'model-index.yml')
        for path in REPOSITORY.glob(pattern)
    }
    templates = {
        str(path.relative_to(REPOSITORY))
        for path in REPOSITORY.glob('mmvseg/pages/templates/**/*.*')
    }
    assert names >= modules | data | configs | templates
    rest = names - modules - configs
    assert {name.split('/')[0] for name in rest} == {'mmvseg'}
    assert {name.rsplit('.', 1)[-1] for name in rest} <= {
        *('css', 'html', 'js', 'json', 'mp4', 'py', 'safetensors', 'sh', 'txt', 'typed')
    }
    tools = {name for name in rest if name.startswith('mmvseg/.mim/tools/')}
    assert {name for name in rest if name.endswith(('.py', '.sh'))} == tools
    assert 'mmvseg/.mim/tools/train.py' in tools


def test_configs_are_those_of_the_clone(site):
    """So that what is tested of these holds for those of the wheel."""
    for path in (REPOSITORY / 'configs').rglob('*.*'):
        if '__pycache__' not in path.parts:
            copy = site / 'mmvseg/.mim' / path.relative_to(REPOSITORY)
            assert copy.read_bytes() == path.read_bytes()


def test_metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        texts = {name.split('/', 1)[-1]: name for name in archive.namelist()}
        info = message_from_bytes(archive.read(texts['METADATA']))
        assert 'licenses/LICENSE' in texts
        assert b'mmvseg = mmvseg.commands.main:main' in archive.read(texts['entry_points.txt'])
    for key in ('Summary', 'Keywords', 'Classifier', 'Project-URL', 'Author'):
        assert info[key]
    assert info['License-Expression'] == 'Apache-2.0'
    assert info['Requires-Python'] == '>=3.10'
    assert info.get_payload().startswith('# mmvseg\n')
    needed = {text.split(';')[0].split('<')[0] for text in info.get_all('Requires-Dist')}
    assert {'torch', 'mmengine', 'mmdet', 'mmcv-lite'} <= needed


def test_configs_load_by_name_from_anywhere(site, tmp_path):
    code = """
import sys
import mmvseg
from mmvseg.engine.config import load_config
from mmvseg.shipped import shipped_configs, shipped_folder

assert mmvseg.__file__.startswith(sys.argv[1]), mmvseg.__file__
assert (shipped_folder() / 'model-index.yml').is_file()
for name, path in {path.parent: (name, path) for name, path in shipped_configs().items()}.values():
    config = load_config(name)
    assert config.model.type
    assert config.filename == str(path)
print(len(shipped_configs()))
"""
    ran = run(site, '-c', code, site, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    files = [p for p in REPOSITORY.glob('configs/*/*.py') if p.parent.name != '_base_']
    assert int(ran.stdout.splitlines()[-1]) == len(files)


def test_the_index_is_there(site, tmp_path):
    ran = run(site, '-m', 'mmvseg', 'models', cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert '\ntevit_msgshift ' in ran.stdout


def test_doctor_knows_the_requirements_without_a_clone(site, tmp_path):
    ran = run(site, '-m', 'mmvseg', 'doctor', cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert str(site) in ran.stdout
    assert '\nmsgspec ' in ran.stdout


def test_tools_of_the_wheel_run(site, tmp_path):
    tools = sorted((site / 'mmvseg/.mim/tools').rglob('*.py'))
    for path in tools:
        if path.name == 'dist_run.py':  # torchrun's own help
            continue
        ran = run(site, path, '--help', cwd=tmp_path)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.startswith(f'usage: {path}')


@pytest.mark.parametrize(
    ('there', 'left_out'),
    [
        ((), set()),
        (('mmcv',), {'mmcv-lite'}),
        (('mmcv-lite',), set()),
        (('onedl-mmcv', 'onedl-mmengine', 'onedl-mmdetection'), {'mmcv-lite', 'mmengine', 'mmdet'}),
    ],
)
def test_nothing_is_asked_for_that_would_overwrite_another_build(
    there, left_out, tmp_path, monkeypatch
):
    for name in there:
        install(tmp_path, name, {})
    monkeypatch.setattr('sysconfig.get_path', lambda name: str(tmp_path))
    asked = {}
    monkeypatch.setattr('setuptools.setup', lambda **options: asked.update(options))
    runpy.run_path(str(REPOSITORY / 'setup.py'))
    names = {line.split('>')[0] for line in asked['install_requires']}
    assert {'mmcv-lite', 'mmengine', 'mmdet'} - names == left_out
    assert 'torch' in names
