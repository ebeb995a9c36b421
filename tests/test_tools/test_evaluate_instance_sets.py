"""tools/evaluate.py on data sets of tracks with rules of their own."""

import json

import helpers
import pytest
from track_scenes import content, entries

CASES = helpers.reference_dir() / 'eval' / 'ytvis_ap'


@pytest.fixture
def run(run_evaluate):
    return run_evaluate


def files(name):
    return CASES / name / 'gt.json', CASES / name / 'results.json'


@pytest.fixture
def halves(tmp_path):
    """A folder with the ground truth of the videos of odd and of even ids."""
    content = json.loads(files('normal')[0].read_text())
    for split, rest in (('short', 1), ('long', 0)):
        videos = [video for video in content['videos'] if video['id'] % 2 == rest]
        known = {video['id'] for video in videos}
        annotations = [a for a in content['annotations'] if a['video_id'] in known]
        part = dict(content, videos=videos, annotations=annotations)
        (tmp_path / f'gt_{split}.json').write_text(json.dumps(part))
    return tmp_path


def test_short_and_long_videos(run, halves):
    out = halves / 'metrics.json'
    status, table, err = run('ytvis22', halves, files('normal')[1], '--out', out)
    assert (status, err) == (0, '')
    numbers = json.loads(out.read_text())
    assert numbers['AP'] == (numbers['short_AP'] + numbers['long_AP']) / 2
    row = '| AP        | {short_AP:.1f}  | {long_AP:.1f} | {AP:.1f} |'
    assert row.format(**{n: 100 * v for n, v in numbers.items()}).replace(' ', '') in table.replace(
        ' ', ''
    )


def test_names_of_the_ground_truth_of_short_and_long_videos(run, halves):
    truth, out = halves / 'gt_long.json', halves / 'metrics.json'
    status, _, err = run('ytvis22', halves, files('normal')[1], '--long', 'absent.json')
    assert status == 1
    assert 'absent.json: cannot be read' in err
    moved = truth.rename(halves / 'other.json')
    status, _, err = run('ytvis22', halves, files('normal')[1], '--out', out)
    assert status == 0
    assert 'note: there is a ground truth of the short videos alone, so there is no mean' in err
    assert {name.partition('_')[0] for name in json.loads(out.read_text())} == {'short'}
    for name in ('other.json', moved):
        run('ytvis22', halves, files('normal')[1], '--long', name, '--out', out)
        assert 'AP' in json.loads(out.read_text())
    run('ytvis22', halves, files('normal')[1], '--short', 'other.json', '--out', out)
    assert 'long_AP' not in json.loads(out.read_text())
    (halves / 'gt_short.json').unlink()
    status, _, err = run('ytvis22', halves, files('normal')[1])
    assert status == 1
    assert 'has neither gt_short.json nor gt_long.json' in err
    status, _, err = run('ytvis', *files('normal'), '--short', 'a')
    assert status == 2
    assert '--short and --long are for ytvis22' in err


def test_base_and_novel_classes(run, tmp_path):
    content = json.loads(files('normal')[0].read_text())
    status, _, err = run('lvvis', *files('normal'))
    assert status == 1
    assert "no category has a 'partition' nor the name of a class of LV-VIS" in err
    for position, category in enumerate(content['categories']):
        category['partition'] = position % 4
    (tmp_path / 'gt.json').write_text(json.dumps(content))
    status, table, _ = run(
        'lvvis', tmp_path / 'gt.json', files('normal')[1], '--out', tmp_path / 'x'
    )
    assert status == 0
    numbers = json.loads((tmp_path / 'x').read_text())
    assert 0 < numbers['base_AP'] != numbers['novel_AP'] > 0
    assert '| all  | base | novel |' in table


def test_objects_without_classes(run, tmp_path):
    out = tmp_path / 'metrics.json'
    status, table, _ = run('davis', *files('normal'), '--out', out)
    assert status == 0
    numbers = json.loads(out.read_text())
    assert list(numbers) == ['J&F', 'J', 'J_recall', 'F', 'F_recall']
    assert f'| {100 * numbers["J&F"]:.1f} |' in table
    status, _, err = run('davis', *files('normal'), '--void', tmp_path)
    assert status == 1
    assert f'error: {tmp_path}/' in err
    status, _, err = run('ytvis', *files('normal'), '--void', tmp_path)
    assert status == 2
    assert '--void is for davis' in err
    content = json.loads(files('normal')[0].read_text())
    for annotation in content['annotations']:
        for key in ('segmentations', 'bboxes', 'areas'):
            annotation[key][1:] = [None] * (len(annotation[key]) - 1)
    (tmp_path / 'gt.json').write_text(json.dumps(content))
    status, out, err = run('davis', tmp_path / 'gt.json', files('normal')[1])
    assert (status, out) == (1, '')
    assert 'gt.json: objects are annotated in the first frames of videos alone' in err


@pytest.fixture
def incomplete(tmp_path):
    """Ground truth of two classes, of which the first is not annotated exhaustively."""
    objects = entries(['aaa']) + entries(['bbb'], category_id=2)
    truth = content(objects, [3], num_categories=2)
    truth['videos'][0] |= dict(not_exhaustive_category_ids=[1])
    (tmp_path / 'gt.json').write_text(json.dumps(truth))
    found = entries(['aaa', 'ccc'], score=0.5)
    (tmp_path / 'results.json').write_text(json.dumps(found))
    (tmp_path / 'ids.json').write_text('[2]')
    return tmp_path


def test_classes_that_are_not_annotated_exhaustively(run, incomplete):
    out, files = incomplete / 'x', [incomplete / 'gt.json', incomplete / 'results.json']
    status, table, err = run('burst', *files, '--out', out)
    assert status == 0
    assert 'note: it is not said which classes are distractors' in err
    assert json.loads(out.read_text()) == {
        'All with distractors': dict(HOTA=0.5, DetA=0.5, AssA=0.5),
        'classes': {
            'class_1': dict(HOTA=1, DetA=1, AssA=1),
            'class_2': dict(HOTA=0, DetA=0, AssA=0),
        },
    }
    assert '| class_1 | 100.0 | 100.0 | 100.0 |' in table


@pytest.mark.parametrize(
    ('option', 'groups'),
    [
        ('--distractors', {'All': 1}),
        ('--common', dict.fromkeys(['All', 'Uncommon'], 1) | {'Common': 0}),
    ],
)
def test_lists_of_classes(run, incomplete, option, groups):
    out, files = incomplete / 'x', [incomplete / 'gt.json', incomplete / 'results.json']
    suffix = '' if option == '--distractors' else ' with distractors'
    assert run('burst', *files, option, incomplete / 'ids.json', '--out', out)[0] == 0
    numbers = json.loads(out.read_text())
    del numbers['classes']
    expected = groups if not suffix else groups | {'All': 0.5}
    assert {name: row['HOTA'] for name, row in numbers.items()} == {
        f'{name}{suffix}': value for name, value in expected.items()
    }


def test_open_world(run, incomplete):
    out, files = incomplete / 'x', [incomplete / 'gt.json', incomplete / 'results.json']
    ids = incomplete / 'ids.json'
    status, table, err = run(
        'burst', *files, '--open-world', '--distractors', ids, '--common', ids, '--out', out
    )
    assert (status, err) == (0, '')
    assert json.loads(out.read_text()) == {
        'All': dict(OWTA=1, DetRe=1, AssA=1),
        'Common': dict(OWTA=0, DetRe=0, AssA=0),
        'Uncommon': dict(OWTA=1, DetRe=1, AssA=1),
    }
    assert '| OWTA ' in table
    status, _, err = run('hota', *files, '--open-world')
    assert status == 2
    assert '--distractors, --common and --open-world are for burst' in err
