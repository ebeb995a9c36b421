import importlib.util
import json
import sys

import helpers
import numpy as np
import pytest

path = helpers.REPOSITORY / 'tools/evaluate.py'
spec = importlib.util.spec_from_file_location('evaluate', path)
evaluate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(evaluate)

CASES = helpers.reference_dir() / 'eval' / 'ytvis_ap'


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, 'argv', ['evaluate.py', *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            evaluate.main()
        output = capsys.readouterr()
        return exit_.value.code, output.out, output.err

    return run


def files(name):
    return CASES / name / 'gt.json', CASES / name / 'results.json'


@pytest.mark.parametrize(
    ('metric', 'name'), [('ytvis', 'edge'), ('ytvis', 'no_gt'), ('ovis', 'ovis_occlusion')]
)
def test_writes_the_summary_in_full_precision(run, tmp_path, metric, name):
    out = tmp_path / 'new' / 'metrics.json'
    status, _, _ = run(metric, *files(name), '--out', out)
    assert status == 0
    expected = json.loads((CASES / name / 'expected.json').read_text())
    expected = (expected['ovis'] if metric == 'ovis' else expected)['stats']
    got = json.loads(out.read_text())
    assert list(got) == list(expected)
    np.testing.assert_allclose([*got.values()], [*expected.values()], rtol=0, atol=1e-9)


def test_prints_classes_and_mean(run):
    status, out, err = run('ytvis', *files('normal'))
    assert status == 0
    assert '| class_2 | 28.4 | 50.6 | 17.7 | 39.0 | 46.0 |' in out
    assert '| AP        | 25.3 |' in out
    assert err == ''


def test_says_what_is_surprising(run):
    _, _, err = run('ytvis', *files('no_gt'))
    assert 'note: ' in err
    assert 'no_gt/gt.json has no annotations: every number is -1' in err
    _, _, err = run('ytvis', *files('quirk_gt_id_zero'))
    assert 'an annotation has id 0' in err


def test_errors_are_one_message_without_numbers(run, tmp_path):
    for arguments, words in (
        (('ytvis', *files('empty_predictions')), 'holds no predictions'),
        (('ytvis', tmp_path / 'no.json', files('normal')[1]), 'no.json: cannot be read'),
        (('ytvis', *reversed(files('normal'))), 'results.json: not a YouTube-VIS annotation file'),
        (('ytvis', files('normal')[0], files('normal')[0]), 'must be a list of results'),
        (('ytvis', files('normal')[0], files('edge')[1]), 'entry 0: video_id 31 is not in'),
        (('ovis', *files('normal')), "'occlusion' must hold one of"),
    ):
        status, out, err = run(*arguments)
        assert (status, out) == (1, '')
        assert err.startswith('error: ')
        assert words in err
        assert err.count('\n') == 1


def test_an_unwritable_output_is_named(run, tmp_path):
    (tmp_path / 'file').write_text('')
    status, _, err = run('ytvis', *files('no_gt'), '--out', tmp_path / 'file' / 'metrics.json')
    assert status == 1
    assert 'metrics.json: cannot be written' in err
