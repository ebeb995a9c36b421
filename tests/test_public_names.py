"""Packages have what they name, also where it is imported when it is asked for."""

import importlib
import pkgutil

import pytest

import mmvseg

PACKAGES = [p.name for p in pkgutil.walk_packages(mmvseg.__path__, 'mmvseg.') if p.ispkg]


@pytest.mark.parametrize('package', PACKAGES)
def test_what_a_package_names_is_there(package):
    if package == 'mmvseg.deploy':
        pytest.importorskip('onnxruntime')
    module = importlib.import_module(package)
    names = getattr(module, '__all__', [])
    assert [name for name in names if not hasattr(module, name)] == []
