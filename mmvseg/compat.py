"""The only place that adapts the OpenMMLab stack to a current torch (being written)."""

import sys
import types


def apply() -> None:
    """Provide ``mmcv._ext`` where mmcv was installed without compiled ops."""
    try:
        import mmcv._ext  # noqa: F401
    except ImportError:

        class _Ext(types.ModuleType):
            def __getattr__(self, name):
                if name.startswith('__'):
                    raise AttributeError(name)

                def fail(*args, **kwargs):
                    raise RuntimeError(name)

                return fail

        sys.modules['mmcv._ext'] = _Ext('mmcv._ext')
