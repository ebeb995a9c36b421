"""AP of LV-VIS where it is not that of YouTube-VIS."""

import copy

import pytest
import youtube_vis_content
from track_scenes import content, entries

from mmvseg.errors import UserError
from mmvseg.evaluation.functional.lv_vis_ap import LVVISAP
from mmvseg.evaluation.instance_rules import LVVISRules, YouTubeVISRules
from mmvseg.formats.categories import load_table


def results_of(*texts, **common):
    return youtube_vis_content.results(entries([*texts], score=1.0, **common))


def scores(truth, results, rules=LVVISRules, **options):
    return rules(youtube_vis_content.records(truth)).score(results, 'results', **options)


@pytest.fixture
def truth():
    """Four classes, one a partition, and an object of each of the first three."""
    objects = [entry for c in (1, 2, 3) for entry in entries(['aa'], category_id=c)]
    whole = content(objects, [2], num_categories=4)
    for category, partition in zip(whole['categories'], (3, 0, 1, 2), strict=True):
        category['partition'] = partition
    return whole


def test_base_and_novel_classes_by_partition(truth):
    found = results_of('aa', category_id=2) + results_of('aa', category_id=1)
    numbers = scores(truth, found).numbers
    assert list(numbers) == LVVISAP.number_names()
    assert numbers['AP'] == pytest.approx(2 / 3)
    assert (numbers['base_AP'], numbers['novel_AP']) == pytest.approx((0.5, 1.0))
    assert (numbers['base_AR10'], numbers['novel_AP50']) == pytest.approx((0.5, 1.0))


def test_groups_do_not_depend_on_ids_and_order(truth):
    found = results_of('aa', category_id=2)
    expected = scores(truth, found).numbers
    changed = copy.deepcopy(truth)
    for part in (changed['categories'], changed['annotations']):
        for entry in part:
            key = 'id' if part is changed['categories'] else 'category_id'
            entry[key] = 100 - 7 * entry[key]
    changed['categories'].reverse()
    moved = results_of('aa', category_id=86)
    assert scores(changed, moved).numbers == pytest.approx(expected)


def test_a_crowd_is_an_object_as_officially(truth):
    """One crowd that is found and one object that is missed: 0.5, where YouTube-VIS says 0."""
    truth['annotations'] = truth['annotations'][:2]
    truth['annotations'][0]['iscrowd'] = 1
    found = results_of('aa')
    result = scores(truth, found)
    assert result.numbers['AP'] == pytest.approx(0.5)
    assert result.notes == [
        'gt: crowds count as objects, as in the evaluator of LV-VIS: 1 annotation; that of '
        'YouTube-VIS ignores them'
    ]
    assert scores(truth, found, YouTubeVISRules).numbers['AP'] == pytest.approx(0.0)


def test_a_crowd_can_be_found_many_times(truth):
    truth['annotations'] = truth['annotations'][:1] + entries(['bb'])
    truth['annotations'][0]['iscrowd'] = 1
    truth['annotations'][1] |= dict(id=2, iscrowd=0)
    # Of two objects, two are found, although both results are on the crowd.
    assert scores(truth, results_of('aa', 'aa')).numbers['AP'] == pytest.approx(1.0)
    truth['annotations'][0]['iscrowd'] = 0
    assert scores(truth, results_of('aa', 'aa')).numbers['AP'] < 0.6


@pytest.mark.parametrize(('area', 'group'), [(128**2 + 0.5, 'small'), (128**2 + 1, 'medium')])
def test_areas_are_cut_to_integers(truth, area, group):
    truth['annotations'] = truth['annotations'][:1]
    truth['annotations'][0]['areas'] = [area, area]
    numbers = scores(truth, results_of('aa')).numbers
    assert {n: numbers[f'AR_{n}'] for n in ('small', 'medium')} == {
        'small': 1.0 if group == 'small' else -1,
        # the bound itself is in both ranges
        'medium': 1.0,
    }
    of_ytvis = scores(truth, results_of('aa'), YouTubeVISRules).numbers
    assert of_ytvis['AR_small'] == -1


def test_published_classes_need_no_partition_in_the_file(truth):
    rare = next(c.name for c in load_table('lv_vis') if c.partition == 2)
    common = next(c.name for c in load_table('lv_vis') if c.partition == 1)
    for category, name in zip(truth['categories'], (rare, common, 'unicorn', 'x'), strict=True):
        del category['partition']
        category['name'] = name
    numbers = scores(truth, results_of('aa', category_id=2)).numbers
    assert (numbers['base_AP'], numbers['novel_AP']) == pytest.approx((1.0, 0.0))
    for category in truth['categories']:
        category['name'] += '!'
    with pytest.raises(UserError, match="gt: no category has a 'partition' nor the name of a"):
        scores(truth, results_of('aa'))


def test_chosen_categories_and_no_results(truth):
    numbers = scores(truth, results_of('aa', category_id=2), category_ids=[2]).numbers
    assert (numbers['AP'], numbers['base_AP'], numbers['novel_AP']) == pytest.approx((1.0, 1.0, -1))
    with pytest.raises(UserError, match='holds no predictions'):
        scores(truth, [])


def test_tables_show_classes_with_ground_truth_and_groups(truth):
    tables = scores(truth, results_of('aa', category_id=2)).tables
    rows = [[cell.strip() for cell in line.split('|')[1:-1]] for line in tables.splitlines()]
    assert ['AP', '33.3', '50.0', '0.0'] in rows
    names = {row[0] for row in rows if row}
    assert {'class_1', 'class_2', 'class_3'} < names
    assert 'class_4' not in names


def test_the_published_table():
    table = load_table('lv_vis')
    assert [category.id for category in table] == [*range(1, 1197)]
    counts = [sum(c.partition == p for c in table) for p in range(4)]
    assert counts == [77, 564, 240, 315]
