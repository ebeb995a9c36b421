"""The stack as mmvseg adapts it, with and without compiled mmcv."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from helpers import REPOSITORY
from mmcv import ops as mmcv_ops
from mmdet.registry import MODELS

from mmvseg import compat, ops
from mmvseg.errors import UserError

compiled = pytest.mark.skipif(not compat.has_compiled_ops(), reason='mmcv has no compiled ops')
lite = pytest.mark.skipif(compat.has_compiled_ops(), reason='mmcv has compiled ops')


@pytest.fixture
def extractor():
    import mmdet.models  # noqa: F401 - fills the registry

    return MODELS.build(
        dict(
            type='SingleRoIExtractor',
            roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=2),
            out_channels=2,
            featmap_strides=[4, 8],
        )
    )


@lite
def test_extractor_uses_own_roi_align(extractor):
    assert all(type(layer) is ops.RoIAlign for layer in extractor.roi_layers)
    assert mmcv_ops.roi_align is ops.roi_align


@compiled
def test_extractor_uses_compiled_roi_align(extractor):
    assert mmcv_ops.RoIAlign is not ops.RoIAlign
    assert all(type(layer) is mmcv_ops.RoIAlign for layer in extractor.roi_layers)


def test_extractor_pools_in_boxes(extractor):
    maps = [torch.ones(1, 2, 8, 8), torch.full((1, 2, 4, 4), 2.0)]
    rois = torch.tensor([[0.0, 4.0, 4.0, 20.0, 20.0], [0.0, -56.0, -56.0, 88.0, 88.0]])
    out = extractor(maps, rois)
    torch.testing.assert_close(out[0], torch.ones(2, 7, 7))
    torch.testing.assert_close(out[1, :, 3, 3], torch.full((2,), 2.0))


def test_mask_targets_of_mmdet_are_cropped():
    from mmdet.structures.mask import BitmapMasks

    masks = torch.zeros(1, 16, 16, dtype=torch.uint8)
    masks[:, :, 8:] = 1
    bitmap = BitmapMasks(masks.numpy(), 16, 16)
    crop = bitmap.crop_and_resize(
        torch.tensor([[0.0, 0.0, 16.0, 16.0]]).numpy(), (4, 4), torch.tensor([0]).numpy()
    )
    assert crop.masks[0].tolist() == [[0, 0, 1, 1]] * 4


@lite
@pytest.mark.parametrize(
    'call',
    [
        lambda: mmcv_ops.nms(torch.zeros(2, 4), torch.zeros(2), 0.5),
        lambda: mmcv_ops.RoIPool(2)(torch.zeros(1, 1, 4, 4), torch.zeros(1, 5)),
    ],
)
def test_missing_operator_says_how_to_install_it(call):
    with pytest.raises(UserError, match=r"operator '(nms|roi_pool_forward)' .*MMCV_WITH_OPS=1"):
        call()


@lite
def test_focal_loss_of_mmcv_is_ours():
    import mmdet.models.losses.focal_loss as module

    assert module._sigmoid_focal_loss is ops.sigmoid_focal_loss


@pytest.mark.parametrize(
    ('package', 'version', 'message'),
    [
        ('mmcv', '2.2.0', 'mmcv 2.2.0 is not supported.*mmcv-lite==2.1.0'),
        ('mmdet', '2.28.2', 'mmdet 2.28.2 is not supported.*pip install mmdet==3.3.0'),
        ('mmengine', None, 'mmengine is not installed.*pip install mmengine'),
        ('torch', '1.13.1+cu117', 'torch 1.13.1.*is not supported'),
    ],
)
def test_unsupported_version(package, version, message, monkeypatch):
    monkeypatch.setattr(sys, 'excepthook', sys.excepthook)  # restored after the test
    monkeypatch.setattr(
        compat,
        'installed_version',
        lambda name: version if name == package else compat.VERSIONS[name][0],
    )
    with pytest.raises(UserError, match=message):
        compat.apply()


@pytest.mark.parametrize('module', ['mmvseg.ops', 'mmvseg.apis.inferencer'])
@pytest.mark.parametrize('version', ["'2.2.0'", 'missing()'])
def test_bad_stack_stops_a_tool_without_traceback(version, module):
    code = f"""
from importlib import metadata
real = metadata.version
def missing():
    raise metadata.PackageNotFoundError
metadata.version = lambda name: {version} if 'mmcv' in name else real(name)
import mmvseg  # which alone does no harm
import {module}
"""
    run = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=False, timeout=120
    )
    assert run.returncode == 1
    assert run.stderr.startswith('error: mmcv ')
    assert 'Traceback' not in run.stderr


@pytest.mark.parametrize('version', ['2.13.0+cpu', '2.4', '2.5.0a0+gitabc'])
def test_supported_version(version):
    assert compat.version_problem('torch', version) is None


def test_broken_extension_is_reported(monkeypatch):
    monkeypatch.setattr(sys, 'excepthook', sys.excepthook)  # restored after the test

    def fail(name):
        raise ImportError('undefined symbol: _ZN3c10')

    monkeypatch.setattr(compat.importlib, 'import_module', fail)
    with pytest.raises(UserError, match=r'undefined symbol.*built for another torch'):
        compat.has_compiled_ops()


@pytest.mark.parametrize('failure', ["ImportError('bad ELF class')", "OSError('bad ELF class')"])
def test_a_torch_that_does_not_load_is_one_line(failure, tmp_path):
    """As one built for another system."""
    (tmp_path / 'torch').mkdir()
    (tmp_path / 'torch/__init__.py').write_text(f'raise {failure}')
    code = f'import sys; sys.path.insert(0, {str(tmp_path)!r}); import mmvseg.apis.inferencer'
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith('error: torch does not load (bad ELF class); was it built for')
    assert run.stderr.count('\n') == 1


def test_import_is_silent_and_draws_nothing():
    code = (
        'import gc, sys, mmvseg, mmvseg.registry, mmdet.models; '
        'assert "matplotlib" not in sys.modules; assert gc.isenabled()'
    )
    run = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True, timeout=120
    )
    assert run.stdout + run.stderr == ''


def test_drawings_of_errors_are_imported_for_the_first():
    module, loaded = SimpleNamespace(), []

    def load(module):
        loaded.append(module)
        module.imshow_mot_errors = lambda *args, **kwargs: (args, kwargs)

    compat._load_error_drawings(load, module)
    draw = module.imshow_mot_errors  # as it is imported by others
    assert not loaded
    assert draw(1, key=2) == draw(1, key=2) == ((1,), dict(key=2))
    assert loaded == [module]


def test_apply_twice_changes_nothing():
    before = mmcv_ops.RoIAlign
    compat.apply()
    assert mmcv_ops.RoIAlign is before


def test_what_needs_no_models_starts_without_torch():
    code = 'import sys, mmvseg.files, mmvseg.evaluation; print("torch" in sys.modules)'
    run = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True, timeout=120
    )
    assert run.stdout == 'False\n'


def test_the_text_of_a_config_is_laid_out_once(monkeypatch):
    seen, module = [], SimpleNamespace()
    module.FormatCode = lambda text, **style: (seen.append(text), (f'{text} {style}', True))[1]
    compat._lay_out_once(module)
    compat._lay_out_once(module)
    for text in 'aab':
        assert module.FormatCode(text, width=3) == (text + " {'width': 3}", True)
    assert module.FormatCode('a', width=4) == ("a {'width': 4}", True)
    assert seen == ['a', 'b', 'a']
    for number in range(20):  # and not kept for ever
        module.FormatCode(f'{number}')
    module.FormatCode('a', width=3)
    assert seen.count('a') == 3


@pytest.mark.parametrize('first', ['mmvseg', 'mmengine.config'])
def test_configs_are_laid_out_once_whatever_is_imported_first(first):
    code = f"""if True:
        import {first}, mmvseg
        from mmengine.config import Config, config
        print(hasattr(config.FormatCode, "__wrapped__"), Config(dict(a=1)).pretty_text)"""
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert run.stdout == 'True a = 1\n\n'


def test_asking_for_the_operators_does_not_use_up_the_adaptation():
    code = (
        'import importlib.util, mmvseg; importlib.util.find_spec("mmcv.ops"); '
        'from mmcv.ops import RoIAlign; print(RoIAlign.__module__)'
    )
    expected = 'mmcv.ops.roi_align' if compat.has_compiled_ops() else 'mmvseg.ops.roi_align'
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == expected


STOP_AT_TORCH = """
import os, runpy, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == 'torch':
            sys.exit('GOMP_SPINCOUNT=' + os.environ.get('GOMP_SPINCOUNT', 'not set'))

sys.meta_path.insert(0, Finder())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


COMMANDS = [
    ('train.py', 'config'),
    ('test.py', 'config', 'checkpoint'),
    ('test_vis.py', 'config', 'checkpoint'),
    ('demo_video.py', 'video', 'config', 'checkpoint'),
    ('visualize_results.py', 'results', '--ann', 'file', '--out', 'folder'),
]


@pytest.mark.parametrize(
    ('command', 'given', 'spin_count'),
    [
        *[(command, {}, '10000') for command in COMMANDS],
        (COMMANDS[0], dict(GOMP_SPINCOUNT='7'), '7'),
        (COMMANDS[0], dict(OMP_WAIT_POLICY='ACTIVE'), 'not set'),
    ],
)
def test_threads_of_tools_soon_sleep_unless_told_otherwise(command, given, spin_count, monkeypatch):
    for name in ('OMP_WAIT_POLICY', 'GOMP_SPINCOUNT'):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    tool, *args = command
    command = [sys.executable, '-c', STOP_AT_TORCH, f'tools/{tool}', *args]
    ended = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert ended.stderr.strip() == f'GOMP_SPINCOUNT={spin_count}'
