"""The examples in docstrings run and say what they show."""

import doctest
import importlib
import pkgutil

import numpy as np
import pytest
from squares import write_checkpoint, write_config, write_frames

import mmvseg
from mmvseg.apis import VideoSegInferencer

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(mmvseg.__path__, 'mmvseg.')
    if not module.name.endswith('__main__')
)
#: Packages that an example needs, by what it calls.
NEEDED = dict(to_dataframe='pandas', to_supervision='supervision')


@pytest.fixture(scope='module')
def scene(tmp_path_factory):
    """Two videos of squares and a model that finds them."""
    folder = tmp_path_factory.mktemp('scene')
    write_config(folder / 'squares.py')
    write_checkpoint(folder / 'squares.pth')
    for name in ('street', 'yard'):
        write_frames(folder / name)
    return folder


@pytest.fixture
def names(scene, monkeypatch):
    """What the examples may use besides the names of their module."""
    monkeypatch.chdir(scene)
    inferencer = VideoSegInferencer('squares.py', 'squares.pth', device='cpu')
    return dict(np=np, inferencer=inferencer, result=inferencer('street'))


def examples(name):
    """Those of a module, the skipped ones left out."""
    module = importlib.import_module(name)
    for test in doctest.DocTestFinder().find(module, name):
        test.examples = [e for e in test.examples if not e.options.get(doctest.SKIP)]
        if test.examples:
            yield test


def run(test, names):
    test.globs.update({key: value for key, value in names.items() if key not in test.globs})
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    return runner.run(test, out=report.append).failed, ''.join(report)


@pytest.mark.parametrize('name', MODULES)
def test_examples_of_a_module(name, names):
    for test in examples(name):
        for word, package in NEEDED.items():
            if any(f'.{word}(' in example.source for example in test.examples):
                pytest.importorskip(package)
        failed, report = run(test, names)
        assert not failed, report


def test_the_interface_has_examples():
    """Each function of what a user of Python is told of."""
    documented = {
        test.name
        for name in MODULES
        if '.apis.' in name or '.results.' in name
        for test in examples(name)
    }
    for name in ('__call__', 'videos'):
        assert f'mmvseg.apis.inferencer.VideoSegInferencer.{name}' in documented
    public = ('above', 'count', 'draw', 'of', 'rows', 'to_coco', 'to_dataframe', 'to_supervision')
    for name in public:
        assert f'mmvseg.results.segmented_video.SegmentedVideo.{name}' in documented


def test_a_wrong_example_fails():
    test = doctest.DocTestParser().get_doctest('>>> 1 + 1\n3\n', {}, 'wrong', None, 0)
    failed, report = run(test, {})
    assert failed
    assert 'Expected:' in report
