import json
import subprocess
import sys
import zipfile

import cv2
import helpers
import numpy as np
import pytest

TOOL = helpers.REPOSITORY / 'tools/evaluate.py'
CASES = helpers.reference_dir() / 'eval' / 'ytvis_ap'
TRACKS = helpers.reference_dir() / 'eval' / 'hota'


@pytest.fixture
def run(run_evaluate):
    return run_evaluate


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


def tracks(name):
    return TRACKS / name / 'gt.json', TRACKS / name / 'results.json'


@pytest.mark.parametrize(
    ('options', 'block'),
    [
        ((), 'youtube_vis'),
        (('--min-score', 0.5), 'youtube_vis_score_at_least_half'),
        (('--class-agnostic',), 'class_agnostic'),
    ],
)
def test_hota_of_every_video_and_class(run, tmp_path, options, block):
    out = tmp_path / 'metrics.json'
    status, table, err = run('hota', *tracks('wrong_class'), *options, '--out', out)
    assert status == 0
    assert ('--min-score leaves out weak ones' in err) == ('--min-score' not in options)
    got = json.loads(out.read_text())
    expected = json.loads((TRACKS / 'wrong_class/expected.json').read_text())[block]
    assert {v: [*classes] for v, classes in got.items()} == {
        v: [*expected[v]] for v in ('crossing', 'reentry', 'empty_frame', 'COMBINED_SEQ')
    }
    for name, numbers in expected['COMBINED_SEQ'].items():
        for measure, fields in numbers.items():
            for field, value in fields.items():
                found = got['COMBINED_SEQ'][name][measure][field]
                np.testing.assert_allclose(found, value, rtol=0, atol=1e-9)
        if name != 'nothing':
            hota = f'{100 * numbers["mean_over_alpha"]["HOTA"]:.1f}'
            assert any(f'| {name} ' in row and f'| {hota} ' in row for row in table.splitlines())


def test_hota_by_the_rules_of_mots(run):
    _, plain, err = run('hota', *tracks('wrong_class'), '--min-score', 0)
    assert 'crowds count as objects' in err
    status, table, err = run('hota', *tracks('wrong_class'), '--mots', '--min-score', 0)
    assert (status, err) == (0, '')
    assert table != plain


@pytest.mark.parametrize('option', [('--min-score', '0'), ('--class-agnostic',), ('--mots',)])
def test_options_of_hota_are_for_hota(run, option):
    status, _, err = run('ytvis', *files('normal'), *option)
    assert status == 2
    assert '--min-score, --class-agnostic and --mots are for hota' in err
    assert run('hota', *tracks('ties'), *option)[0] == 0


@pytest.mark.parametrize('score', ['nan', 'inf', 'x'])
def test_the_least_score_is_a_number(run, score):
    status, _, err = run('hota', *tracks('ties'), '--min-score', score)
    assert status == 2
    assert f"'{score}' is not a finite number" in err


def test_errors_are_one_message_without_numbers(run, tmp_path):
    for arguments, words in (
        (('ytvis', *files('empty_predictions')), 'holds no predictions'),
        (('ytvis', tmp_path / 'no.json', files('normal')[1]), 'no.json: cannot be read'),
        (('ytvis', *reversed(files('normal'))), 'results.json: not a YouTube-VIS file'),
        (('ytvis', files('normal')[0], files('normal')[0]), 'must be a list of results'),
        (('ytvis', files('normal')[0], files('edge')[1]), 'entry 0: video_id 31 is not in'),
        (('ovis', *files('normal')), "'occlusion' must hold one of"),
        (
            ('hota', *files('no_gt'), '--mots', '--min-score', 0),
            'no_gt/gt.json: has no annotations',
        ),
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


MAP_CASES = helpers.reference_dir() / 'eval'


def folders(metric, name):
    case = MAP_CASES / metric / name
    return case / 'gt', case / 'pred'


def recorded(metric, name):
    return json.loads((MAP_CASES / metric / name / 'expected.json').read_text())


def test_vpq_in_percent(run, tmp_path):
    out = tmp_path / 'metrics.json'
    status, table, err = run('vpq', *folders('vpq', 'quirk_unlisted_gt_id'), '--out', out)
    assert (status, err) == (0, '')
    expected = recorded('vpq', 'quirk_unlisted_gt_id')
    got = json.loads(out.read_text())
    assert list(got) == ['All', 'Things', 'Stuff']
    for group, values in got.items():
        official = expected['vpq_percent'][group].values()
        means = expected['average_percent'][group].values()
        assert list(values) == ['1', '2', '4', '6', '8', 'mean_1_2_4_6', 'mean_1_2_4_6_8']
        assert [*values.values()] == pytest.approx([*official, *means], abs=1e-9)
    assert '| Stuff  | 93.4' in table


def test_stq_as_fractions(run, tmp_path):
    out = tmp_path / 'metrics.json'
    gt, pred = folders('stq', 'quirk_unlisted_gt_id')
    status, table, _ = run('stq', gt / 'panoptic_gt_VIPSeg_val.json', pred, '--out', out)
    assert status == 0
    expected = recorded('stq', 'quirk_unlisted_gt_id')
    got = json.loads(out.read_text())
    assert list(got) == ['STQ', 'AQ', 'SQ']
    assert got == pytest.approx({key: expected[key] for key in got}, abs=1e-9)
    assert f'| {100 * got["STQ"]:.1f} |' in table


@pytest.fixture
def classes(tmp_path):
    """Ground truth and predictions of one video of one frame in VSPW's layout."""
    values = np.array([[1, 2, 255]], np.uint8)
    for path, frame in (
        (tmp_path / 'gt/data/a/mask/0.png', values),
        (tmp_path / 'pred/a/0.png', np.array([[0, 0, 0]], np.uint8)),
    ):
        path.parent.mkdir(parents=True)
        cv2.imwrite(str(path), frame)
    (tmp_path / 'gt/val.txt').write_text('a\n')
    return tmp_path


def test_vss_with_undefined_numbers(run, classes):
    out = classes / 'metrics.json'
    status, table, err = run('vss', classes / 'gt', classes / 'pred', '--out', out)
    assert status == 0
    assert json.loads(out.read_text()) == dict(
        Acc=0.5,
        Acc_class=0.5,
        mIoU=0.25,
        fwIoU=0.25,
        video_mIoU=0.25,
        video_fwIoU=0.25,
        VC8=None,
        VC16=None,
    )
    assert '| wall (0)    | 50.0 |' in table
    assert '| VC8         | -    |' in table
    assert 'note: VC8 is undefined' in err


def test_coding_and_split_of_vss(run, classes):
    arguments = ('vss', classes / 'gt', classes / 'pred')
    (classes / 'gt/test.txt').write_text('b\n')
    assert run(*arguments, '--split', 'val')[0] == 0
    status, _, err = run(*arguments, '--split', 'test')
    assert status == 1
    assert 'has no masks' in err
    _, table, _ = run(*arguments, '--gt-coding', 'zero-based')
    assert '| ceiling (1) | 0.0 |' in table
    assert '| door (2)    | 0.0 |' in table
    status, _, err = run('vpq', *arguments[1:], '--split', 'val')
    assert status == 2
    assert '--split and --gt-coding are for vss' in err


def test_names_cannot_steer_the_terminal(run, classes):
    name = '\x1b[31mred'
    categories = [dict(id=i, name=f'{name} {i}') for i in range(2)]
    (classes / 'gt/categories.json').write_text(json.dumps(categories))
    status, out, err = run('vss', classes / 'gt', classes / 'pred')
    assert status == 0
    assert r'| \x1b[31mred ' in out
    (classes / 'gt/val.txt').write_text(f'a\n{name}\n')
    status, _, errors = run('vss', classes / 'gt', classes / 'pred')
    assert status == 1
    assert name not in out + err + errors
    assert r'\x1b[31mred' in errors


def test_errors_of_maps_are_one_message(run, tmp_path):
    quirk = folders('vss', 'quirk_void_in_prediction')
    panoptic, _ = folders('vpq', 'quirk_json_area')
    (tmp_path / 'panoptic_gt_x.json').write_text(
        '{"videos": [], "annotations": [], "categories": [{"id": 1, "name": "cup", "isthing": 1}]}'
    )
    for arguments, words in (
        (('vss', *quirk), 'has the value 255, but classes are 0 to 123'),
        (('vss', panoptic, tmp_path), 'has no val.txt'),
        (('vpq', panoptic, tmp_path / 'no'), 'no/pred.json: cannot be read'),
        (('stq', tmp_path, tmp_path), "panoptic_gt_x.json: 'annotations' is empty"),
    ):
        status, out, err = run(*arguments)
        assert (status, out) == (1, '')
        assert err.startswith('error: ')
        assert words in err
        assert err.count('\n') == 1


def test_maps_are_scored_without_torch():
    code = (
        'import atexit, runpy, sys\n'
        'atexit.register(lambda: print({"torch", "pycocotools"} & sys.modules.keys()))\n'
        'sys.argv = sys.argv[1:]\n'
        'runpy.run_path(sys.argv[0], run_name="__main__")\n'
    )
    command = [sys.executable, '-c', code, TOOL, 'stq', *folders('stq', 'quirk_unlisted_gt_id')]
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == 'set()'


# Packed results


def pack(archive, folder, below=''):
    """All files of a folder, or one file, with ``below`` before their names."""
    files = [folder] if folder.is_file() else sorted(folder.rglob('*.*'))
    with zipfile.ZipFile(archive, 'w', zipfile.ZIP_DEFLATED) as packed:
        packed.writestr('__MACOSX/x/0.png', 'left by a file manager')
        for file in files:
            name = file.name if folder.is_file() else file.relative_to(folder)
            packed.write(file, f'{below}{name}')
    return archive


@pytest.mark.parametrize('below', ['', 'results/'])
@pytest.mark.parametrize('kind', ['ytvis', 'ovis', 'hota', 'vpq', 'stq', 'vss'])
def test_a_submission_counts_as_what_it_holds(run, classes, kind, below):
    truth, results = dict(
        ytvis=files('normal'),
        ovis=files('ovis_occlusion'),
        hota=tracks('ties'),
        vss=(classes / 'gt', classes / 'pred'),
    ).get(kind) or folders(kind, 'quirk_unlisted_gt_id')
    plain = run(kind, truth, results)
    assert plain[0] == 0
    assert run(kind, truth, pack(classes / 'submission.zip', results, below)) == plain


def test_other_archives_are_one_message(run, tmp_path):
    truth, results = files('normal')
    panoptic, predicted = folders('vpq', 'quirk_unlisted_gt_id')
    broken, bomb, damaged = (tmp_path / f'{name}.zip' for name in ('broken', 'bomb', 'damaged'))
    broken.write_bytes(pack(tmp_path / 'x.zip', results).read_bytes()[:-30])
    with zipfile.ZipFile(bomb, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('results.json', bytes(2**27))
    (tmp_path / 'results.json').write_text('[{"video_id": true}]')
    pack(damaged, tmp_path / 'results.json')
    for arguments, words in (
        (('ytvis', truth, broken), 'broken.zip: cannot be unpacked (File is not a zip file)'),
        (('ytvis', truth, bomb), 'bomb.zip: would become 134,217,728 bytes'),
        (('ytvis', truth, pack(tmp_path / 'y.zip', predicted)), 'y.zip: holds no results.json'),
        (('vpq', panoptic, pack(tmp_path / 'z.zip', results)), 'z.zip: holds no pred.json'),
        (('ytvis', truth, damaged), 'damaged.zip/results.json: entry 0'),
        (('ytvis', truth, tmp_path / 'none.zip'), 'none.zip: cannot be unpacked'),
    ):
        status, out, err = run(*arguments)
        assert (status, out) == (1, '')
        assert words in err
        assert err.count('\n') == 1


@pytest.mark.parametrize('field', ['video_id', 'category_id', 'score'])
@pytest.mark.parametrize('value', ['true', 'false', '"1"', 'NaN', 'Infinity', '-Infinity', '1e999'])
def test_what_is_no_number(run, tmp_path, field, value):
    truth, results = files('normal')
    entry = dict(json.loads(results.read_text())[0], **{field: 'X'})
    changed = tmp_path / 'results.json'
    changed.write_text(json.dumps([entry]).replace('"X"', value))
    status, out, err = run('ytvis', truth, changed)
    assert (status, out) == (1, '')
    assert err.count('\n') == 1
    assert 'results.json: ' in err
