"""The examples in docstrings run and say what they show, with what docs/api/index.md makes."""

import doctest
import importlib
import re
import shutil

import pytest
from helpers import REPOSITORY

PACKAGE = REPOSITORY / 'mmvseg'
PAGE = REPOSITORY / 'docs' / 'api' / 'index.md'
#: Modules with examples, whichever they are.
MODULES = sorted(
    '.'.join(path.relative_to(REPOSITORY).with_suffix('').parts).removesuffix('.__init__')
    for path in PACKAGE.rglob('*.py')
    if '>>> ' in path.read_text()
)
#: What an example says, and the package that it needs.
NEEDED = {
    '.to_dataframe(': 'pandas',
    '.to_supervision(': 'supervision',
    'DeployedModel(': 'onnxruntime',
    'export_model(': 'onnxscript',
}
#: What many will look up first. It has an example.
SHOWN = {
    'analysis.comparison': ['compare'],
    'analysis.data_statistics': ['dataset_statistics'],
    'analysis.panoptic': ['analyze_panoptic'],
    'analysis.semantic': ['analyze_semantic'],
    'analysis.track_analysis': ['analyze_tracks'],
    'apis.export_labels': ['export_labels'],
    'apis.import_labels': ['import_labels'],
    'apis.inferencer': [
        f'VideoSegInferencer{name}' for name in ('', '.__call__', '.videos', '.live')
    ],
    'datasets.transforms.bit_masks': ['BitMasks'],
    'engine.config': ['load_config'],
    'evaluation.functional.hota': ['hota_sums'],
    'evaluation.functional.semantic': ['SemanticQuality', 'class_iou', 'iou_stats'],
    'evaluation.functional.stq': ['evaluate_stq'],
    'evaluation.functional.tracking': ['evaluate_tracking'],
    'evaluation.functional.vpq': ['evaluate_vpq'],
    'evaluation.functional.youtube_vis_ap': ['evaluate_youtube_vis'],
    'evaluation.semantic_scores': ['evaluate_vss'],
    'formats.rle': ['to_rle', 'rle_areas'],
    'formats.youtube_vis': ['read_youtube_vis'],
    'hub.find': ['find_model', 'find_checkpoint'],
    'media.sources': ['open_source'],
    'model_index.finding': ['find_entry', 'known_models'],
    'results.segmented_video': [
        *('SegmentedVideo', 'SegmentedVideo.above', 'SegmentedVideo.count'),
        'SegmentedVideo.count_per_frame',
        *('SegmentedVideo.distinct', 'SegmentedVideo.draw', 'SegmentedVideo.of'),
        *('SegmentedVideo.rows', 'SegmentedVideo.to_coco', 'SegmentedVideo.to_dataframe'),
        'SegmentedVideo.to_supervision',
    ],
    'results.track': ['Track'],
    'visualization.overlay': ['draw_objects', 'frame_objects'],
}


@pytest.fixture(scope='module')
def names(tmp_path_factory):
    """What the first block of the page makes; its files are in ``folder``."""
    folder = tmp_path_factory.mktemp('examples')
    (block,) = re.findall(r'^```python\n(.*?)^```', PAGE.read_text(), re.MULTILINE | re.DOTALL)
    namespace = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(block, str(PAGE), 'exec'), namespace)
    return dict(namespace, folder=folder)


@pytest.fixture
def scene(names, tmp_path, monkeypatch):
    """The names, in a folder of its own that has the files."""
    shutil.copytree(names['folder'], tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return names


def examples(name):
    """Those of a module, the skipped ones left out."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in NEEDED.values():
            raise
        pytest.skip(f'needs {error.name}')
    for test in doctest.DocTestFinder().find(module, name):
        test.examples = [e for e in test.examples if not e.options.get(doctest.SKIP)]
        if test.examples:
            yield test


def lacking(test):
    """A package that an example needs and that is not installed; else None."""
    source = ''.join(example.source for example in test.examples)
    for word, package in NEEDED.items():
        if word in source and importlib.util.find_spec(package) is None:
            return package
    return None


def run(test, names):
    test.globs = {**names, **test.globs}
    report = []
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    return runner.run(test, out=report.append).failed, ''.join(report)


@pytest.mark.parametrize('name', MODULES)
def test_examples_of_a_module(name, scene):
    left_out = set()
    for test in examples(name):
        if package := lacking(test):
            left_out.add(package)
            continue
        failed, report = run(test, scene)
        assert not failed, report
    if left_out:
        pytest.skip(f'all but those that need {", ".join(sorted(left_out))}')


@pytest.mark.parametrize('module', SHOWN)
def test_what_is_looked_up_has_an_example_that_runs(module):
    documented = {test.name for test in examples(f'mmvseg.{module}')}
    assert {f'mmvseg.{module}.{name}' for name in SHOWN[module]} <= documented


def test_a_wrong_example_fails():
    test = doctest.DocTestParser().get_doctest('>>> 1 + 1\n3\n', {}, 'wrong', None, 0)
    failed, report = run(test, {})
    assert failed
    assert 'Expected:' in report
