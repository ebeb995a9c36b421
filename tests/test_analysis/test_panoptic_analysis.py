"""Maps with one known error each lose exactly by that, and what is mended is what is gained."""

import json

import helpers
import numpy as np
import pytest
from hypothesis import given, settings
from panoptic_files import listed, videos, write_predictions, write_truth

from mmvseg.analysis.panoptic import analyze_panoptic
from mmvseg.analysis.panoptic_losses import KINDS
from mmvseg.analysis.panoptic_mending import MENDABLE
from mmvseg.errors import UserError
from mmvseg.evaluation.functional.stq import evaluate_stq
from mmvseg.evaluation.functional.vpq import GROUPS, SCRIPT_WINDOWS, WINDOWS, evaluate_vpq
from mmvseg.formats.vipseg import read_vipseg
from mmvseg.formats.vipseg_results import find_ground_truth, load_results

CAT, DOG, SKY, ROAD = 7, 2, 0, 5
#: Class of each letter, which is an id; '.' is void, '?' an id that is not listed.
CLASSES = dict(a=CAT, b=DOG, s=SKY, c=CAT, d=DOG, x=CAT, r=ROAD)
CASES = sorted((helpers.reference_dir() / 'eval' / 'vpq').iterdir())


def read(folder):
    path = find_ground_truth(folder / 'gt')
    truth = read_vipseg(path, path.parent / 'panomasksRGB')
    return truth, load_results(folder / 'pred', truth)


def frames_of(rows, classes):
    by_id = {ord(letter): category for letter, category in classes.items()}
    found = []
    for row in rows:
        ids = np.array([[0 if letter == '.' else ord(letter) for letter in row]])
        found.append((ids, listed(ids, by_id)))
    return found


def files(folder, truth, pred, classes=None):
    """Videos in files; rows of letters are frames, a single row is one that lasts six frames.

    ``classes`` are those of the predictions that are not in CLASSES.
    """
    truth, pred = ([rows] * 6 if isinstance(rows, str) else rows for rows in (truth, pred))
    write_truth(folder / 'gt', dict(video=frames_of(truth, CLASSES)))
    write_predictions(folder / 'pred', dict(video=frames_of(pred, CLASSES | (classes or {}))))
    return read(folder)


def analyze(folder, truth, pred, classes=None):
    return analyze_panoptic(*files(folder, truth, pred, classes))


TRUTH = 'aaaaabbbbbsssss????'
#: truth, prediction, classes of it, kind, what cats, dogs and sky lose in percent
SCENES = dict(
    poor=(TRUTH, 'aaaa.bbbbbsssss', {}, 'poor', (20, 0, 0)),
    too_poor=(TRUTH, 'aa...bbbbbsssss', {}, 'too_poor', (100, 0, 0)),
    class_=(TRUTH, 'aaaaabbbbbsssss', dict(b=CAT), 'class', (100 / 3, 100, 0)),
    class_of_stuff=(TRUTH, 'aaaaabbbbbsssss', dict(s=ROAD), 'class', (0, 0, 100)),
    false=(TRUTH, 'aaaaabbbbbsssssxxxx', {}, 'false', (100 / 3, 0, 0)),
    missed=(TRUTH, 'aaaaa.....sssss', {}, 'missed', (0, 100, 0)),
    cut=(TRUTH, ['aaaaabbbbbsssss'] * 3 + ['xxxxxbbbbbsssss'] * 3, {}, 'association', None),
    switch=('aaaaacccccsssss', ['aaaaacccccsssss', 'cccccaaaaasssss'] * 3, {}, 'association', None),
    merged=(
        ['aaaaa....'] * 3 + ['....ccccc'] * 3,
        ['aaaaa....'] * 3 + ['....aaaaa'] * 3,
        {},
        'association',
        None,
    ),
)


@pytest.mark.parametrize('name', SCENES)
def test_one_error(tmp_path, name):
    truth, pred, classes, kind, by_class = SCENES[name]
    width = len(truth if isinstance(truth, str) else truth[0])
    rows = [pred] * 6 if isinstance(pred, str) else pred
    pred = [row.ljust(width, '.') for row in rows]
    found = analyze(tmp_path, truth, pred, classes)
    numbers = found.numbers()
    vpq = numbers['VPQ']['All']['mean_1_2_4_6']
    assert 100 - vpq > 5
    losses = {k: loss for k, loss in numbers['losses']['All'].items() if abs(loss) > 1e-9}
    assert losses == {kind: pytest.approx(100 - vpq)}
    gains = {k: gain for k, gain in numbers['gains']['All'].items() if abs(gain) > 1e-9}
    assert gains == {kind: pytest.approx(100 - vpq)}
    assert numbers['videos'][0]['main_loss'] == kind
    if by_class:
        lost = {entry['id']: entry['losses'][kind] for entry in numbers['classes']}
        wanted = dict(zip((CAT, DOG, SKY), by_class, strict=True))
        if name == 'class_of_stuff':
            wanted[ROAD] = 100
        assert lost == pytest.approx(wanted)


def test_perfect_results_lose_nothing(tmp_path):
    found = analyze(tmp_path, TRUTH, TRUTH.replace('?', '.'))
    numbers = found.numbers()
    assert numbers['VPQ']['All']['mean_1_2_4_6'] == 100
    for group in GROUPS:
        assert numbers['losses'][group] == dict.fromkeys(KINDS, 0)
        assert numbers['gains'][group] == dict.fromkeys(MENDABLE, 0)
        assert numbers['parts'][group] == {
            part: dict.fromkeys(map(str, SCRIPT_WINDOWS[:-1]), 100)
            | {'8': pytest.approx(np.nan, nan_ok=True)}
            for part in ('SQ', 'RQ')
        }
    assert numbers['confused'] == []
    assert numbers['videos'][0]['main_loss'] is None
    assert numbers['sentence'] == 'VPQ is 100.0; nothing is lost'


def test_a_mask_that_comes_and_goes_costs_its_windows_but_breaks_no_id(tmp_path):
    rows = ['aaaaasssss'] * 6
    found = analyze(tmp_path, rows, [*rows[:3], '.....sssss', *rows[4:]])
    losses = found.numbers()['losses']['Things']
    # five matches and one missed of six frames
    assert losses['missed'] == pytest.approx(100 * (1 - 5 / 5.5))
    assert losses['association'] == 0
    # of the windows of two frames two have half of the cat, which is no match
    assert found.losses.quality.quality(2, 'Things') == pytest.approx(3 / 5)
    assert losses['flicker'] > 5
    # the added mask gets the id that the cat has before and after
    gains = found.numbers()['gains']['Things']
    assert gains == pytest.approx(dict.fromkeys(MENDABLE, 0) | dict(missed=sum(losses.values())))
    assert sum(losses.values()) == pytest.approx(
        100 - 100 * found.losses.quality.mean(group='Things')
    )


#: Everything that can be wrong in single frames.
MIXED = 'aaaaabbbbbsssssccccc?????ddddd'
FOUND = 'aaaa.bb...sssssccccc.xxxx.....'


@pytest.mark.parametrize(
    ('kind', 'mended', 'classes'),
    [
        ('poor', 'aaaaabb...sssssccccc.xxxx.....', dict(c=DOG)),
        ('too_poor', 'aaaa.bbbbbsssssccccc.xxxx.....', dict(c=DOG)),
        ('class', FOUND, {}),
        ('false', 'aaaa.bb...sssssccccc..........', dict(c=DOG)),
        ('missed', 'aaaa.bb...sssssccccc.xxxxddddd', dict(c=DOG)),
    ],
)
def test_a_gain_is_what_mended_maps_gain(tmp_path, kind, mended, classes):
    found = analyze(tmp_path, MIXED, FOUND, dict(c=DOG))
    after = evaluate_vpq(*files(tmp_path, MIXED, mended, classes))
    for group in GROUPS:
        gained = after.mean(group=group) - found.losses.quality.mean(group=group)
        assert found.losses.gain(kind, group) == pytest.approx(gained), group
    assert all(
        found.losses.by_kind()[k] > 0 for k in ('poor', 'too_poor', 'class', 'false', 'missed')
    )


def test_confusions_are_counted_in_frames(tmp_path):
    pred = ['aaaaabbbbbsssss????'.replace('?', '.')] * 2 + ['aaaaabbbbb.........'] * 4
    found = analyze(tmp_path, TRUTH, pred, dict(b=CAT))
    numbers = found.numbers()
    assert numbers['confused'] == [dict(truth='dog', predicted='cat', segments=6, percent=100.0)]
    assert numbers['confusion'] == dict(
        classes=['sky', 'dog', 'cat'], segments=[[2, 0, 0], [0, 0, 6], [0, 0, 6]]
    )
    assert numbers['videos'][0]['frame'] == 2


def test_numbers_are_those_of_the_metrics():
    for case in CASES:
        truth, predictions = read(case)
        calls = []
        found = analyze_panoptic(truth, predictions, lambda calls=calls: calls.append(1))
        assert len(calls) == len(truth.annotated)
        numbers = found.numbers()
        quality, tubes = (
            evaluate_vpq(truth, predictions, SCRIPT_WINDOWS),
            evaluate_stq(truth, predictions),
        )
        for group, values in quality.numbers().items():
            assert numbers['VPQ'][group] == pytest.approx(values, nan_ok=True)
        assert numbers['STQ'] == tubes.stats()
        assert found.notes() == [*quality.notes(), *tubes.notes()]
        for group, losses in numbers['losses'].items():
            lost = 100 - numbers['VPQ'][group]['mean_1_2_4_6']
            assert sum(losses.values()) == pytest.approx(lost)
        expected = json.loads((case / 'expected.json').read_text())['per_k']
        for label, category in enumerate(found.categories):
            for k in WINDOWS:
                wanted = expected[str(k)]['per_class'][str(category.id)]
                parts = {name: values[label] for name, values in found.losses.parts(k).items()}
                if wanted['tp'] + wanted['fp'] + wanted['fn']:
                    assert parts['SQ'] == pytest.approx(wanted['iou'] / max(wanted['tp'], 1))
                else:
                    assert np.isnan([*parts.values()]).all()


@given(videos())
@settings(max_examples=30, deadline=None)
def test_losses_of_random_videos_add_up(tmp_path_factory, frames):
    folder = tmp_path_factory.mktemp('panoptic')
    write_truth(folder / 'gt', dict(video=frames[0]))
    write_predictions(folder / 'pred', dict(video=frames[1]))
    truth, predictions = read(folder)
    found = analyze_panoptic(truth, predictions)
    quality = evaluate_vpq(truth, predictions, SCRIPT_WINDOWS)
    for k in SCRIPT_WINDOWS:
        assert np.array_equal(found.losses.quality.sums[k], quality.sums[k])
    (video,) = found.videos
    losses = video.losses(found.categories)
    if not np.isnan(quality.quality(1)):
        by_kind = losses.by_kind()
        assert sum(by_kind.values()) == pytest.approx(1 - quality.mean(losses.windows))
        assert all(by_kind[kind] >= 0 for kind in KINDS[:5])


def test_the_sentence_names_the_largest_losses(tmp_path):
    sentence = analyze(tmp_path, TRUTH, 'aaaa......sssss....').sentence()
    assert sentence == (
        'VPQ is 60.0; most is lost by missed segments: 33.3 points; then by poor masks: 6.7'
    )
    short = analyze(tmp_path, [TRUTH] * 2, ['aaaaa.....sssss....'] * 2).sentence()
    assert short == (
        'VPQ is undefined in windows of 4, 6 frames; in single frames it is 66.7; most is lost by '
        'missed segments: 33.3 points'
    )
    void = analyze(tmp_path, '....', 'aaaa')
    assert void.sentence() == 'VPQ is undefined: there is no segment'
    assert np.isnan(void.worst_videos()[0]['VPQ'])


def test_small_losses_are_not_called_nothing(tmp_path):
    sentence = analyze(tmp_path, 'a' * 5000, 'a' * 4999 + '.').sentence()
    assert sentence == 'VPQ is 100.0; no kind of error costs 0.1 points'


def test_worst_videos_come_first(tmp_path):
    rows = dict(good='aaaaasssss', poor='aaaa.sssss', bad='.....sssss')
    length = dict(good=6, poor=3, bad=6)
    truth = {name: frames_of(['aaaaasssss'] * length[name], CLASSES) for name in rows}
    pred = {name: frames_of([row] * length[name], CLASSES) for name, row in rows.items()}
    write_truth(tmp_path / 'gt', truth)
    write_predictions(tmp_path / 'pred', pred)
    found = analyze_panoptic(*read(tmp_path))
    worst = found.numbers()['videos']
    assert [(entry['video'], entry['main_loss']) for entry in worst] == [
        ('bad', 'missed'),
        ('poor', 'poor'),
        ('good', None),
    ]
    # of a video of three frames the windows of one and two frames count
    assert [entry['VPQ'] for entry in worst] == pytest.approx([50, 90, 100])
    assert worst[0]['STQ']['SQ'] == pytest.approx(1 / 3)  # predicted void is a class


def test_tables_show_the_numbers(tmp_path):
    tables = analyze(tmp_path, TRUTH, 'aaaa.bbbbbsssss....', dict(b=CAT)).tables()
    assert '| poor masks              | 4.4 ' in tables
    assert '| dog | cat       | 6        | 100.0' in tables
    assert '| video | ' in tables
    assert '| wrong classes   |' in tables


def test_no_annotations_are_refused(tmp_path):
    truth, predictions = files(tmp_path, 'aa', 'aa')
    for video in truth.videos.values():
        video.annotated = False
    with pytest.raises(UserError, match='has no annotations'):
        analyze_panoptic(truth, predictions)
