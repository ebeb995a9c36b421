"""The only place that adapts the OpenMMLab stack to a current torch.

Versions are checked before the first part of the stack is imported, the operators adapted after
``mmcv.ops`` is, so that what needs no models starts at once, whatever is installed. mmcv without
compiled ops (``mmcv-lite``) gets the operators of :mod:`mmvseg.ops` and, for all others, a stand-in
that says how to install them. With compiled mmcv its operators are used.
"""

import functools
import gc
import importlib
import os
import re
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

from .errors import UserError, say, short

# Supported versions: from the first, below the second.
VERSIONS = {
    'torch': ('2.4', '3'),
    'mmengine': ('0.10.0', '0.11'),
    'mmcv': ('2.0.0', '2.2.0'),
    'mmdet': ('3.3.0', '3.4'),
}
#: Distributions that install each module: OpenMMLab's, then maintained forks of the same names.
DISTRIBUTIONS = {
    'torch': ('torch',),
    'mmengine': ('mmengine', 'onedl-mmengine'),
    'mmcv': ('mmcv', 'mmcv-lite', 'onedl-mmcv'),
    'mmdet': ('mmdet', 'onedl-mmdetection'),
}
INSTALL = {
    'torch': 'pip install torch==2.13.0',
    'mmengine': 'pip install mmengine==0.10.7',
    'mmcv': 'pip install mmcv-lite==2.1.0',
    'mmdet': 'pip install mmdet==3.3.0',
}
#: Turns of the loop in which a thread of GNU OpenMP waits before it sleeps (300,000 by default). So
#: many are as fast as the default on an idle machine, fewer are slower; see docs/benchmarks.md.
SPIN_COUNT = '10000'
#: Of configs, see :func:`_lay_out_once`.
_LAYOUTS_KEPT = 8
INSTALL_COMPILED_MMCV = (
    "pip install 'setuptools<80' wheel ninja && pip uninstall -y mmcv-lite && "
    'MMCV_WITH_OPS=1 pip install --no-build-isolation mmcv==2.1.0'
)


def apply() -> None:
    """See to it that a stack of other versions is refused, and that ``mmcv.ops`` lacks nothing.

    Threads of torch sleep soon while they wait, unless the environment says otherwise or torch is
    imported already: where other programs need the cores, too, those that spin for long take the
    time from those that they wait for.

    Raises:
        UserError: a part of the stack is imported already, and a package is missing or of an
            unsupported version. Else the first import of a part raises it, and also if torch or
            mmcv's compiled operators do not load.
    """
    if sys.modules.keys() & VERSIONS.keys():
        check_versions()
    if 'OMP_WAIT_POLICY' not in os.environ:  # read when torch is imported
        os.environ.setdefault('GOMP_SPINCOUNT', SPIN_COUNT)
    _silence_warnings()
    if 'mmcv.ops' in sys.modules:
        _use_own_ops()
    if 'mmengine.config.config' in sys.modules:
        _lay_out_once(sys.modules['mmengine.config.config'])
    if not any(isinstance(finder, _StackFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _StackFinder())


def check_versions() -> None:
    """Make sure that the whole stack is there, in versions that are supported.

    Raises:
        UserError: a package is missing or of an unsupported version.
    """
    for package in VERSIONS:
        problem = version_problem(package, installed_version(package))
        if problem:
            _show_user_errors_briefly()
            raise UserError(problem)


@contextmanager
def stack_as_it_is() -> Iterator[None]:
    """Let the stack be imported without checks and changes, to look at what is installed."""
    before = sys.meta_path[:]
    sys.meta_path[:] = [finder for finder in before if not isinstance(finder, _StackFinder)]
    try:
        yield
    finally:
        sys.meta_path[:] = before


class _StackFinder(MetaPathFinder):
    """Checks the stack before its first import, and what becomes of the modules we adapt."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name in VERSIONS:
            check_versions()
        adapted = _ADAPTED.get(name)
        if adapted is None:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(name, path, target)
            if spec is not None:
                spec.loader.exec_module = functools.partial(adapted, spec.loader.exec_module)
                return spec
        return None


def _load_torch(load: Callable[[types.ModuleType], None], module: types.ModuleType) -> None:
    try:
        _load_large(load, module)
    except (ImportError, OSError) as error:
        _show_user_errors_briefly()
        reason = ' '.join(str(error).split())
        raise UserError(
            f'torch does not load ({short(reason, 200)}); was it built for another system? (run: '
            f'pip install --force-reinstall {INSTALL["torch"].split()[-1]})'
        ) from error


def _load_large(load: Callable[[types.ModuleType], None], module: types.ModuleType) -> None:
    """Import a large package without searches for garbage, a fifth of its time, as all stays."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        load(module)
    finally:
        if was_enabled:
            gc.enable()


def _load_error_drawings(
    load: Callable[[types.ModuleType], None], module: types.ModuleType
) -> None:
    """Import mmdet's drawings of tracking errors, and matplotlib with them, when one is made."""

    def stand_in(*args, **kwargs) -> Any:
        if module.imshow_mot_errors is stand_in:
            load(module)
        return module.imshow_mot_errors(*args, **kwargs)

    module.imshow_mot_errors = stand_in


def _load_ops(load: Callable[[types.ModuleType], None], module: types.ModuleType) -> None:
    """Import ``mmcv.ops`` as ever, but with a stand-in before and our parts after."""
    if not has_compiled_ops():
        sys.modules['mmcv._ext'] = _StandIn()
    _load_large(load, module)
    _use_own_ops()


def _load_config(load: Callable[[types.ModuleType], None], module: types.ModuleType) -> None:
    load(module)
    _lay_out_once(module)


_ADAPTED = {
    'torch': _load_torch,
    'mmcv.ops': _load_ops,
    'mmdet.datasets': _load_large,
    'mmdet.models': _load_large,
    'mmdet.utils.mot_error_visualize': _load_error_drawings,
    'mmengine.config.config': _load_config,
    'mmengine.runner': _load_large,
}


def _lay_out_once(config: types.ModuleType) -> None:
    """Keep how the text of a config is laid out, which takes a second.

    A training asks for it six times at its start, and again at each checkpoint.
    """
    lay_out = config.FormatCode
    if hasattr(lay_out, '__wrapped__'):
        return
    known: dict[tuple[str, str], tuple[str, bool]] = {}

    @functools.wraps(lay_out)
    def laid_out(text: str, **style: Any) -> tuple[str, bool]:
        key = text, repr(style)
        if key not in known:
            if len(known) == _LAYOUTS_KEPT:
                known.clear()
            known[key] = lay_out(text, **style)
        return known[key]

    config.FormatCode = laid_out


def _use_own_ops() -> None:
    if not has_compiled_ops():
        _use_own_roi_align()
        _use_own_focal_loss()
        _use_own_deformable_attention_function()
    _use_own_deformable_attention_on_cpu()


def installed_version(package: str) -> str | None:
    """Version of an installed package, also from mmcv-lite or a fork; None if it is not there."""
    for name in DISTRIBUTIONS[package]:
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None


def version_problem(package: str, version: str | None) -> str | None:
    """Say what is wrong with a package's version, and the command that mends it.

    Args:
        package: a key of :data:`VERSIONS`.
        version: what is installed, or None.

    Returns:
        The message, or None if the version is supported.
    """
    first, end = VERSIONS[package]
    if version is None:
        found = f'{package} is not installed'
    elif release(first) <= release(version) < release(end):
        return None
    else:
        found = f'{package} {version} is not supported'
    return f'{found}: mmvseg needs {package} >= {first}, < {end} (run: {INSTALL[package]})'


def release(version: str) -> tuple[int, ...]:
    """Numbers of a version, ``'2.13.0+cpu'`` as (2, 13, 0)."""
    return tuple(int(number) for number in re.findall(r'\d+', version.split('+')[0])[:3])


def _show_user_errors_briefly() -> None:
    """For errors on import, before a tool's ``main`` could catch them: no traceback."""
    show = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
        if issubclass(kind, UserError):
            say(f'error: {error}', sys.stderr)
        else:
            show(kind, error, traceback)

    sys.excepthook = hook


def has_compiled_ops() -> bool:
    """Whether mmcv came with its compiled operators.

    Raises:
        UserError: it did, but they do not load, as after a change of torch.
    """
    try:
        extension = importlib.import_module('mmcv._ext')
    except ModuleNotFoundError:
        return False
    except ImportError as error:
        _show_user_errors_briefly()
        raise UserError(
            f"mmcv's compiled operators do not load ({error}); they were built for another "
            f'torch (run: pip uninstall -y mmcv && {INSTALL["mmcv"]}, or build them again: '
            f'{INSTALL_COMPILED_MMCV})'
        ) from error
    return not isinstance(extension, _StandIn)


class _StandIn(types.ModuleType):
    """Takes the place of ``mmcv._ext``: every operator exists, and explains itself if called."""

    def __init__(self) -> None:
        super().__init__('mmcv._ext', 'Stand-in for the compiled operators of mmcv.')
        self.__spec__ = ModuleSpec('mmcv._ext', None)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith('__'):
            raise AttributeError(name)

        def missing(*args: Any, **kwargs: Any) -> None:
            raise UserError(
                f"mmcv's operator '{name}' needs mmcv with compiled ops, which is not "
                f'installed (run: {INSTALL_COMPILED_MMCV}; it takes some minutes and a C++ '
                'compiler)'
            )

        return missing


def _replace(module_name: str, **members: Any) -> None:
    """Set names in a module of mmcv.ops and in mmcv.ops itself, where mmdet looks them up."""
    ops = importlib.import_module('mmcv.ops')
    # Not getattr(ops, ...): mmcv.ops.roi_align is the function, which hides the module.
    module = sys.modules[f'mmcv.ops.{module_name}']
    for name, member in members.items():
        setattr(module, name, member)
        if hasattr(ops, name):
            setattr(ops, name, member)


def _use_own_roi_align() -> None:
    from .ops import RoIAlign, roi_align

    _replace('roi_align', RoIAlign=RoIAlign, roi_align=roi_align)


def _use_own_focal_loss() -> None:
    from .ops import sigmoid_focal_loss

    _replace('focal_loss', sigmoid_focal_loss=sigmoid_focal_loss)


def _use_own_deformable_attention_function() -> None:
    """What mmcv's module calls on a GPU."""
    from .ops import multi_scale_deformable_attention

    class MultiScaleDeformableAttnFunction:
        @staticmethod
        def apply(value, shapes, level_start, locations, weights, im2col_step):  # noqa: ANN001, ANN205
            return multi_scale_deformable_attention(value, shapes, locations, weights)

    _replace(
        'multi_scale_deform_attn',
        MultiScaleDeformableAttnFunction=MultiScaleDeformableAttnFunction,
    )


def _use_own_deformable_attention_on_cpu() -> None:
    """Mmcv has no compiled operator here, only ``grid_sample``, which takes 3 times as long."""
    from .ops import multi_scale_deformable_attention

    _replace(
        'multi_scale_deform_attn',
        multi_scale_deformable_attn_pytorch=multi_scale_deformable_attention,
    )


def _silence_warnings() -> None:
    """Notes of torch to the authors of mmengine, mmcv and mmdet, not to their users."""
    warnings.filterwarnings('ignore', message='.*torch.jit.* is deprecated')
    warnings.filterwarnings('ignore', message='torch.meshgrid: in an upcoming release')
