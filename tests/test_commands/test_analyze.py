"""``mmvseg analyze``: what each option does, what is written, and what is refused."""

import json
import zipfile
from unittest import mock
from xml.etree import ElementTree

import cv2
import helpers
import numpy as np
import pytest
from panoptic_sets import (
    pixels,
    write_cityscapes_predictions,
    write_cityscapes_vps,
    write_step_maps,
)
from track_scenes import content, entries

from mmvseg.commands import main

CASES = helpers.reference_dir() / 'eval'
TRACKS = CASES / 'hota'
PICTURES = ['calibration', 'confusion', 'curves', 'gains', 'groups']


@pytest.fixture
def run(capsys):
    def run(*arguments):
        argv = ['mmvseg', 'analyze', *map(str, arguments)]
        with mock.patch('sys.argv', argv), pytest.raises(SystemExit) as ended:
            main.main()
        output = capsys.readouterr()
        return ended.value.code or 0, output.out, output.err

    return run


def tracks(name):
    return TRACKS / name / 'gt.json', TRACKS / name / 'results.json'


def write_scene(folder, objects, **runs):
    """A ground truth with a video for each list of objects, and files of results."""
    truth, found = [], {name: [] for name in runs}
    for v, texts in enumerate(objects, 1):
        truth += entries(texts, video_id=v)
        for name, tracks_of in runs.items():
            found[name] += [
                e | dict(score=round(0.9 - 0.1 * i, 1))
                for i, e in enumerate(entries(tracks_of[v - 1], video_id=v))
            ]
    lengths = [len(texts[0]) for texts in objects]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'gt.json').write_text(json.dumps(content(truth, lengths)))
    for name, results in found.items():
        (folder / f'{name}.json').write_text(json.dumps(results))
    return [folder / f'{name}.json' for name in ('gt', *runs)]


def test_the_first_line_names_the_main_loss(run):
    status, out, err = run(*tracks('id_switch'))
    assert (status, err) == (0, '')
    first, second = out.splitlines()[:2]
    assert first.startswith('AP is 66.8. The most would be gained by perfect association: +')
    assert second.startswith('HOTA is 85.3 (')
    assert '| perfect association    | ' in out
    assert 'worst errors' in out
    assert '/report' not in out


def test_report_and_pictures(run, tmp_path):
    out = tmp_path / 'new' / 'report'
    status, text, err = run(*tracks('wrong_class'), '--out', out)
    assert status == 0
    assert 'note: ' in err
    assert 'crowds count as objects' in err
    assert text.endswith(f'{out}: report.json and pictures\n')
    assert sorted(path.name for path in out.iterdir()) == sorted(
        ['report.json', *(f'{name}.svg' for name in PICTURES)]
    )
    report = json.loads((out / 'report.json').read_text())
    assert report['summary']['sentence'] == text.splitlines()[0]
    assert report['summary']['main_loss'] == 'class'
    expected = json.loads((TRACKS / 'wrong_class/expected.json').read_text())['youtube_vis']
    for measure, fields in expected['COMBINED_SEQ']['cls_comb_det_av'].items():
        for field, value in fields.items():
            got = report['hota']['COMBINED_SEQ']['cls_comb_det_av'][measure][field]
            np.testing.assert_allclose(got, value, rtol=0, atol=1e-9)


def test_the_same_results_give_the_same_files(run, tmp_path):
    folders = [tmp_path / name for name in ('first', 'second')]
    for folder in folders:
        assert run(*tracks('ties'), '--out', folder)[0] == 0
    assert len([*folders[0].iterdir()]) > 1
    for path in folders[0].iterdir():
        assert path.read_bytes() == (folders[1] / path.name).read_bytes()


def test_min_score_and_class_agnostic(run):
    plain = run(*tracks('wrong_class'))[1]
    few = run(*tracks('missed_false'), '--min-score', 0.5)[1]
    merged = run(*tracks('wrong_class'), '--class-agnostic')[1]
    assert few != run(*tracks('missed_false'))[1]
    assert '+confusions' in plain
    assert '+confusions' not in merged
    status, out, err = run(*tracks('ties'), '--min-score', 2)
    assert (status, out) == (1, '')
    assert 'has a score of at least 2; the best has 0.5' in err


OBJECTS = [['aaaaaaaa', 'bbbbbbbb'], ['cccccccc']] * 4
SWITCHED = [['aaaabbbb', 'bbbbaaaa'], ['cccccccc']] * 4


def test_two_results_are_compared(run, tmp_path):
    files = write_scene(tmp_path, OBJECTS, a=SWITCHED, b=OBJECTS)
    out = tmp_path / 'report'
    status, text, _ = run(*files, '--out', out)
    assert status == 0
    assert text.startswith('B is better by ')
    assert f'\nA: {files[1]}\nB: {files[2]}\n' in text
    assert 'gained: right in B alone (5 of 8)' in text
    report = json.loads((out / 'report.json').read_text())
    assert list(report) == ['A', 'B', 'comparison']
    assert report['A']['summary']['main_loss'] == 'association'
    assert report['B']['summary']['AP'] == pytest.approx(1)
    assert len(report['comparison']['objects_gained']) == 8
    assert {path.name for path in out.glob('*.svg')} == {'differences.svg', 'gains.svg'}
    status, text, _ = run(*files[:2], files[1])
    assert text.startswith('There is no clear difference: B - A is +0.0 AP')


def test_seeds_are_put_together(run, tmp_path):
    files = write_scene(tmp_path, OBJECTS, a=SWITCHED, b=OBJECTS, c=OBJECTS)
    status, text, _ = run(*files, '--seeds', '--out', tmp_path / 'report')
    assert status == 0
    assert text.startswith('AP is ')
    assert ' on average over 3 runs, ' in text
    assert 'Of 12 objects all runs find 4, some 8, none 0.' in text
    report = json.loads((tmp_path / 'report/report.json').read_text())
    assert list(report) == ['runs', 'seeds']
    aps = [run['summary']['AP'] for run in report['runs']]
    assert report['seeds']['main']['AP']['mean'] == pytest.approx(np.mean(aps))
    assert 'mean of 3 runs' in (tmp_path / 'report/gains.svg').read_text()


def test_how_many_results(run, tmp_path):
    files = write_scene(tmp_path, OBJECTS, a=OBJECTS)
    status, _, err = run(*files, '--seeds')
    assert status == 2
    assert '--seeds needs two or more RESULTS' in err
    status, _, err = run(files[0], *3 * files[1:])
    assert status == 2
    assert 'two RESULTS are compared, there are 3; of seeds give --seeds' in err


@pytest.mark.parametrize('below', ['', 'results/'])
def test_packed_results(run, tmp_path, below):
    truth, results = tracks('ties')
    with zipfile.ZipFile(tmp_path / 'submission.zip', 'w') as archive:
        archive.write(results, f'{below}results.json')
    assert run(truth, tmp_path / 'submission.zip') == run(truth, results)


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
    return tmp_path / 'gt', tmp_path / 'pred'


def test_semantic_results(run, tmp_path, classes):
    out = tmp_path / 'report'
    status, text, err = run(*classes, '--out', out)
    assert status == 0
    assert 'note: VC8 is undefined' in err
    assert text.startswith('mIoU is 25.0; most is lost by taking ceiling for wall: ')
    report = json.loads((out / 'report.json').read_text())
    assert report['scores']['mIoU'] == 0.25
    assert report['results'] == str(classes[1])
    assert sorted(path.name for path in out.iterdir()) == ['confusion.svg', 'report.json']
    truth, predicted = classes
    assert run(truth, predicted, '--gt-coding', 'zero-based')[1] != text
    (truth / 'test.txt').write_text('b\n')
    assert 'test.txt: its videos have no masks' in run(truth, predicted, '--split', 'test')[2]


def test_panoptic_results(run, tmp_path):
    case = CASES / 'vpq/quirk_unlisted_gt_id'
    out = tmp_path / 'report'
    status, text, _ = run(case / 'gt', case / 'pred', '--out', out)
    assert status == 0
    assert text.startswith('VPQ is ')
    report = json.loads((out / 'report.json').read_text())
    expected = json.loads((case / 'expected.json').read_text())['vpq_percent']['All']
    got = [report['VPQ']['All'][k] for k in ('1', '2', '4', '6', '8')]
    assert got == pytest.approx([*expected.values()], abs=1e-9)
    assert (out / 'losses.svg').is_file()
    with zipfile.ZipFile(tmp_path / 'submission.zip', 'w') as archive:
        for path in (case / 'pred').rglob('*.*'):
            archive.write(path, path.relative_to(case / 'pred'))
    assert (
        run(case / 'gt', tmp_path / 'submission.zip')[1] == '\n'.join(text.split('\n')[:-2]) + '\n'
    )


def test_options_that_would_do_nothing_are_refused(run, classes):
    for arguments, words in (
        ((*classes, '--min-score', 0.5), '--min-score: has no meaning for '),
        ((*classes, '--class-agnostic'), '--class-agnostic: has no meaning for '),
        ((*tracks('ties'), '--gt-coding', 'raw'), '--gt-coding: has no meaning for '),
        ((*tracks('ties'), '--split', 'val'), '--split: has no meaning for '),
        ((*classes, classes[1]), 'only results of YouTube-VIS are compared'),
        ((*tracks('ties'), classes[1]), 'is of another kind than '),
        ((*classes[:1], classes[1] / 'none'), 'none: there is no such file or folder'),
    ):
        status, out, err = run(*arguments)
        assert (status, out) == (1, '')
        assert words in err
        assert err.count('\n') == 1


def test_where_a_report_may_go(run, tmp_path):
    truth, results = tracks('ties')
    (tmp_path / 'file').write_text('')
    (tmp_path / 'report.json').write_text(results.read_text())
    for arguments, words in (
        ((truth, results, '--out', tmp_path / 'file'), 'file: is no folder'),
        ((truth, tmp_path / 'report.json', '--out', tmp_path), 'is an input of this run'),
    ):
        status, out, err = run(*arguments)
        assert (status, out) == (1, '')
        assert words in err


def test_an_earlier_report_goes_and_other_files_stay(run, tmp_path, classes):
    out = tmp_path / 'report'
    out.mkdir()
    for name in ('report.json', 'curves.svg', 'differences.svg', 'notes.svg'):
        (out / name).write_text('earlier')
    assert run(*classes, '--out', out)[0] == 0
    assert sorted(path.name for path in out.iterdir()) == [
        *('confusion.svg', 'notes.svg', 'report.json'),
    ]
    assert (out / 'notes.svg').read_text() == 'earlier'
    assert 'sentence' in json.loads((out / 'report.json').read_text())


def test_names_from_files_stay_text(run, tmp_path):
    name = '\x1b[31m<b>$x_1$</b>'
    truth = content(entries(['aaaa', 'bbbb']), [4], num_categories=2)
    truth['categories'][0]['name'] = name
    truth['videos'][0]['file_names'] = [f'{name}/{t}.jpg' for t in range(4)]
    found = [e | dict(score=0.9) for e in entries(['aaaa'], category_id=2)]
    for file, value in (('gt', truth), ('results', found)):
        (tmp_path / f'{file}.json').write_text(json.dumps(value))
    out = tmp_path / 'report'
    status, text, err = run(tmp_path / 'gt.json', tmp_path / 'results.json', '--out', out)
    assert status == 0
    assert '\x1b' not in text + err
    texts = {
        element.text
        for path in out.glob('*.svg')
        for element in ElementTree.parse(path).iter('{http://www.w3.org/2000/svg}text')
    }
    assert r'\x1b[31m<b>$x_1$</b>' in texts


def test_pictures_without_matplotlib(run, tmp_path):
    with mock.patch.dict('sys.modules', {'matplotlib': None}):
        assert run(*tracks('ties'))[0] == 0
        status, _, err = run(*tracks('ties'), '--out', tmp_path / 'report')
    assert status == 1
    assert 'pictures need matplotlib' in err
    assert not (tmp_path / 'report/report.json').exists()


def test_other_panoptic_forms_than_that_of_vipseg_are_refused(run, tmp_path):
    for name in ('maps', 'results'):
        write_step_maps(tmp_path / name, {'0002': [pixels([(0, 0)])]})
    ids = {'0001': [np.ones((2, 2), int)] * 6}
    write_cityscapes_vps(tmp_path / 'vps', ids)
    write_cityscapes_predictions(tmp_path / 'pred', ids)
    for truth, results in (('maps', 'results'), ('vps', 'pred')):
        status, out, err = run(tmp_path / truth, tmp_path / results)
        assert (status, out) == (1, '')
        assert 'of panoptic data only the form of VIPSeg is analyzed' in err
