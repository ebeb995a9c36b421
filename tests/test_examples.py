"""The examples in docstrings run and say what they show."""

import doctest
import importlib
import shutil

import numpy as np
import pytest
from helpers import REPOSITORY
from squares import square_frame, write_checkpoint, write_config, write_frames

from mmvseg.apis import VideoSegInferencer
from mmvseg.media import VideoWriter

PACKAGE = REPOSITORY / 'mmvseg'
#: Modules with examples.
MODULES = sorted(
    '.'.join(path.relative_to(REPOSITORY).with_suffix('').parts).removesuffix('.__init__')
    for path in PACKAGE.rglob('*.py')
    if '>>> ' in path.read_text()
)
#: What an example calls, and the package that it needs.
NEEDED = {'.to_dataframe(': 'pandas', 'to_supervision': 'supervision'}
#: What a user of the Python interface is told of.
INTERFACE = {
    'apis.inferencer.VideoSegInferencer': ['', '.__call__', '.videos', '.live'],
    'results.track.Track': [''],
    'results.segmented_video.SegmentedVideo': [
        *('', '.above', '.count', '.distinct', '.draw', '.of', '.rows'),
        *('.to_coco', '.to_dataframe', '.to_supervision'),
    ],
}


@pytest.fixture(scope='module')
def scene(tmp_path_factory):
    """Two videos of squares and a model that finds them, in each frame by itself."""
    folder = tmp_path_factory.mktemp('scene')
    write_config(folder / 'squares.py', live=True)
    write_checkpoint(folder / 'squares.pth')
    for name in ('street', 'yard'):
        write_frames(folder / name)
    with VideoWriter(folder / 'street.mp4', 25, crf=1) as writer:
        for index in range(7):
            writer.write(square_frame(index))
    return folder


@pytest.fixture(scope='module')
def inferencer(scene):
    return VideoSegInferencer(scene / 'squares.py', scene / 'squares.pth', device='cpu')


@pytest.fixture
def names(scene, inferencer, tmp_path, monkeypatch):
    """What the examples may use besides the names of their module."""
    shutil.copytree(scene, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return dict(np=np, inferencer=inferencer, result=inferencer('street'))


def examples(name):
    """Those of a module, the skipped ones left out."""
    for test in doctest.DocTestFinder().find(importlib.import_module(name), name):
        test.examples = [e for e in test.examples if not e.options.get(doctest.SKIP)]
        if test.examples:
            yield test


def lacking(source):
    """A package that the source needs and that is not installed; else None."""
    for word, package in NEEDED.items():
        if word in source and importlib.util.find_spec(package) is None:
            return package
    return None


def run(test, names):
    test.globs.update({key: value for key, value in names.items() if key not in test.globs})
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
    return runner.run(test, out=report.append).failed, ''.join(report)


@pytest.mark.parametrize('name', MODULES)
def test_examples_of_a_module(name, names):
    left_out = set()
    for test in examples(name):
        if package := lacking(test.docstring.partition('>>>')[2]):
            left_out.add(package)
            continue
        failed, report = run(test, names)
        assert not failed, report
    if left_out:
        pytest.skip(f'all but those that need {", ".join(sorted(left_out))}')


@pytest.mark.parametrize('owner', INTERFACE)
def test_each_public_function_has_an_example_that_runs(owner):
    module = 'mmvseg.' + owner.rpartition('.')[0]
    documented = {test.name for test in examples(module)}
    assert {f'mmvseg.{owner}{name}' for name in INTERFACE[owner]} <= documented


def test_a_wrong_example_fails():
    test = doctest.DocTestParser().get_doctest('>>> 1 + 1\n3\n', {}, 'wrong', None, 0)
    failed, report = run(test, {})
    assert failed
    assert 'Expected:' in report
