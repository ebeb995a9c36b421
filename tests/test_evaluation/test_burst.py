"""HOTA of BURST: what counts where not everything is annotated."""

import json

import numpy as np
import pytest
import youtube_vis_content
from track_scenes import content, entries
from track_scenes import evaluate as evaluate_hota

from mmvseg.errors import UserError
from mmvseg.evaluation.functional.burst import (
    MAX_RESULTS,
    annotated_frames,
    best_in_frames,
    counted_masks,
    evaluate_classes,
    evaluate_open_world,
    score_burst,
)
from mmvseg.formats.burst import read_class_ids


def truth_of(objects, lengths=(3,), num_categories=3, videos=None):
    whole = content(objects, [*lengths], num_categories)
    for video, more in (videos or {}).items():
        whole['videos'][video - 1] |= more
    return youtube_vis_content.records(whole)


def results_of(*found):
    return youtube_vis_content.results([dict(score=1.0) | e for part in found for e in part])


def sums(truth, results, class_id=1, **options):
    """True, missed and false masks of a class at the lowest threshold."""
    found = evaluate_classes(truth, results, 'results', **options)[class_id].sums
    return [int(values[0]) for values in (found.true, found.missed, found.false)]


def test_with_exhaustive_lists_a_class_is_that_of_hota():
    """A class that occurs in all frames, with the numbers of the usual evaluation."""
    objects, found = entries(['aaB', 'bbb']), entries(['aab', 'bAa', 'ccc'])
    expected = evaluate_hota(content(objects, [3]), found).overall()['class_1']['mean_over_alpha']
    got = evaluate_classes(truth_of(objects), results_of(found), 'results')[1].numbers()
    assert got == pytest.approx({name: expected[name] for name in got}, abs=1e-12)
    assert 0 < got['HOTA'] < 1


def test_frames_without_objects_of_the_class_are_free_unless_it_is_absent():
    objects = entries(['a..']) + entries(['ccc'], category_id=2)
    found = results_of(entries(['abb']))
    assert sums(truth_of(objects), found) == [1, 0, 0]
    known = truth_of(objects, videos={1: dict(neg_category_ids=[1])})
    assert sums(known, found) == [1, 0, 2]
    others = truth_of(objects, videos={1: dict(neg_category_ids=[2, 3])})
    assert sums(others, found) == [1, 0, 0]


def test_false_masks_count_in_frames_with_an_object_unless_some_are_not_annotated():
    objects = entries(['aaa'])
    found = results_of(entries(['aaa', 'bbb']))
    assert sums(truth_of(objects), found) == [3, 0, 3]
    incomplete = truth_of(objects, videos={1: dict(not_exhaustive_category_ids=[1])})
    assert sums(incomplete, found) == [3, 0, 0]
    both = dict(not_exhaustive_category_ids=[1], neg_category_ids=[1])
    assert sums(truth_of(objects, videos={1: both}), found) == [3, 0, 0]


@pytest.mark.parametrize(('letters', 'kept'), [('A', True), ('b', False), ('3', False)])
def test_what_counts_as_on_an_object_has_half_of_it(letters, kept):
    """An IoU of 0.75, of 0, and of 4/20."""
    objects = [entries(['a'])[0]['segmentations']]
    tracks = [entries([letters])[0]['segmentations']]
    codes = [
        [[dict(r, counts=r['counts'].encode()) for r in masks]] for masks in (*objects, *tracks)
    ]
    (masks,) = counted_masks(codes[0], codes[1], [0], is_absent=False, is_incomplete=True)
    assert [rle is not None for rle in masks] == [kept]


def test_one_result_alone_lies_on_an_object():
    incomplete = truth_of(entries(['aaa']), videos={1: dict(not_exhaustive_category_ids=[1])})
    assert sums(incomplete, results_of(entries(['aaa', 'AAA']))) == [3, 0, 0]
    assert sums(truth_of(entries(['aaa'])), results_of(entries(['aaa', 'AAA']))) == [3, 0, 3]


def test_frames_without_any_object_do_not_count():
    absent = truth_of(entries(['a..']), videos={1: dict(neg_category_ids=[1, 2])})
    assert sums(absent, results_of(entries(['abb']))) == [1, 0, 0]
    # but those with objects of other classes do
    other = entries(['.c.'], category_id=2)
    with_other = truth_of(entries(['a..']) + other, videos={1: dict(neg_category_ids=[1])})
    assert sums(with_other, results_of(entries(['abb']))) == [1, 0, 1]
    # those of distractors do not
    assert sums(with_other, results_of(entries(['abb'])), distractors=[2]) == [1, 0, 0]


def test_videos_without_the_class():
    objects = entries(['aaa']) + entries(['ccc'], video_id=2, category_id=2)
    found = results_of(entries(['aaa']), entries(['aaa'], video_id=2))
    assert sums(truth_of(objects, (3, 3)), found) == [3, 0, 0]
    known = truth_of(objects, (3, 3), videos={2: dict(neg_category_ids=[1])})
    assert sums(known, found) == [3, 0, 3]


def test_classes_with_ground_truth_alone_are_evaluated():
    objects = entries(['aaa']) + entries(['bbb'], category_id=3)
    truth = truth_of(objects, videos={1: dict(neg_category_ids=[2])})
    found = results_of(entries(['aaa']), entries(['bbb'], category_id=2))
    assert [*evaluate_classes(truth, found, 'results')] == [1, 3]
    assert [*evaluate_classes(truth, found, 'results', distractors=[3])] == [1]
    scores = score_burst(truth, found, 'results', distractors=[])
    assert scores.groups == {'All': dict(HOTA=0.5, DetA=0.5, AssA=0.5)}


def with_ids(objects, results, names):
    """A scene whose categories have the ids of LVIS."""
    whole = content(objects, [3])
    whole['categories'] = [dict(id=i, name=name) for i, name in names.items()]
    return youtube_vis_content.records(whole), results_of(results)


def test_classes_that_take_in_others():
    names = {554: 'hat', 207: 'bonnet'}
    objects = entries(['aaa'], category_id=207) + entries(['bbb'], category_id=554)
    truth, found = with_ids(
        objects, entries(['aaa'], category_id=554) + entries(['bbb'], category_id=207), names
    )
    classes = evaluate_classes(truth, found, 'results')
    assert {i: entry.name for i, entry in classes.items()} == {554: 'hat'}
    assert sums(truth, found, 554) == [6, 0, 0]


def test_a_part_that_is_a_distractor_has_no_ground_truth_but_its_results_count():
    names = {347: 'cup', 504: 'a part'}
    objects = entries(['aaa'], category_id=504) + entries(['bbb'], category_id=347)
    truth, found = with_ids(objects, entries(['aaa', 'bbb'], category_id=504), names)
    assert sums(truth, found, 347) == [6, 0, 0]
    assert sums(truth, found, 347, distractors=[504]) == [3, 0, 3]


def test_a_class_that_is_a_distractor_takes_its_parts_with_it():
    names = {529: 'grocery_bag', 967: 'a part', 1: 'dog'}
    objects = entries(['aaa'], category_id=967) + entries(['bbb'], category_id=1)
    truth, found = with_ids(objects, entries(['aaa'], category_id=967), names)
    assert [*evaluate_classes(truth, found, 'results', distractors=[529])] == [1]
    assert [*evaluate_classes(truth, found, 'results')] == [1, 529]


def test_the_best_results_of_each_frame_count(monkeypatch):
    assert MAX_RESULTS == 300
    monkeypatch.setattr('mmvseg.evaluation.functional.burst.MAX_RESULTS', 2)
    found = [
        dict(entry, score=score)
        for entry, score in zip(
            entries(['a.a', 'bb.', 'ccc', 'ddd']), (0.1, 0.5, 0.9, 0.5), strict=True
        )
    ]
    kept = best_in_frames(results_of(found), 3)
    shown = [''.join('.' if rle is None else 'x' for rle in result.rles) for result in kept]
    # of the two of equal score the first
    assert shown == ['...', 'xx.', 'xxx', '..x']


def test_all_classes_count_for_the_limit(monkeypatch):
    truth = truth_of(entries(['aaa']) + entries(['bbb'], category_id=2))
    found = results_of(entries(['ccc'], category_id=2), entries(['aaa'], score=0.5))
    assert sums(truth, found) == [3, 0, 0]
    monkeypatch.setattr('mmvseg.evaluation.functional.burst.MAX_RESULTS', 1)
    assert sums(truth, found) == [0, 3, 0]


def test_groups_are_means_over_classes():
    objects = [
        e for c, text in enumerate(['aaa', 'bbb', 'ccc'], 1) for e in entries([text], category_id=c)
    ]
    found = results_of(entries(['aaa']), entries(['BBB'], category_id=2))
    truth = truth_of(objects)
    scores = score_burst(truth, found, 'results', distractors=[], common=[1, 3])
    of_classes = [scores.classes[f'class_{c}'] for c in (1, 2, 3)]
    assert [*scores.groups] == ['All', 'Common', 'Uncommon']
    assert of_classes[0]['HOTA'] == 1
    assert of_classes[2]['HOTA'] == 0
    assert 0 < of_classes[1]['HOTA'] < 1
    assert scores.groups['Common']['HOTA'] == 0.5
    assert scores.groups['Uncommon'] == of_classes[1]
    assert scores.groups['All']['DetA'] == pytest.approx(np.mean([c['DetA'] for c in of_classes]))
    assert scores.notes == []
    none = score_burst(truth, found, 'results', distractors=[], common=[])
    assert np.isnan(none.groups['Common']['HOTA'])


def test_unknown_lists_are_in_names_and_notes():
    scores = score_burst(truth_of(entries(['aaa'])), results_of(entries(['aaa'])), 'results')
    assert [*scores.groups] == ['All with distractors']
    assert scores.notes == [
        'it is not said which classes are distractors, so they count; numbers of BURST are without '
        'them',
        'it is not said which classes are common, so there are no numbers of these',
    ]


def test_open_world():
    objects = entries(['aaa']) + entries(['bbb'], category_id=2) + entries(['d..'], category_id=3)
    found = results_of(entries(['aaa', 'ccc'], category_id=3))
    result = evaluate_open_world(truth_of(objects), found, 'results').sums
    # 7 masks, of which 3 are found; the false ones stay, since every frame has an object
    assert [int(v[0]) for v in (result.true, result.missed, result.false)] == [3, 4, 3]
    scores = score_burst(truth_of(objects), found, 'results', [3], common=[1], open_world=True)
    assert scores.classes == {}
    # at each threshold OWTA is the root of DetRe * AssA
    assert scores.groups['Common'] == pytest.approx(dict(OWTA=1, DetRe=1, AssA=1))
    assert scores.groups['All'] == pytest.approx(dict(OWTA=0.5**0.5, DetRe=0.5, AssA=1))
    assert scores.groups['Uncommon'] == pytest.approx(dict(OWTA=0, DetRe=0, AssA=0))


def test_open_world_asks_the_lists_for_class_1():
    objects, found = entries(['aaa'], category_id=2), results_of(entries(['aaa', 'bbb']))

    def false(videos):
        return evaluate_open_world(truth_of(objects, videos=videos), found, 'results').sums.false[0]

    assert false({}) == 3
    assert false({1: dict(not_exhaustive_category_ids=[2])}) == 3
    assert false({1: dict(not_exhaustive_category_ids=[1])}) == 0


def test_annotated_frames():
    truth = truth_of(entries(['a..', '..a']))
    assert annotated_frames(truth.annotations) == [0, 2]


def test_what_does_not_fit_is_refused():
    truth, found = truth_of(entries(['aaa'])), results_of(entries(['aaa']))
    for arguments, words in (
        ((truth_of([]), found), 'gt: has no annotations'),
        ((truth, results_of(entries(['aaa'], video_id=9))), 'entry 0: video_id 9 is not in gt'),
        ((truth, results_of(entries(['aa']))), 'entry 0: 2 segmentations, but video 1 has 3'),
        (
            (truth, found, 'results', [77]),
            r'has no categories with the ids \[77\], which were named',
        ),
        (with_ids([], [], {347: 'dog'}), 'has no annotations'),
        (
            with_ids(entries(['aaa'], category_id=347), [], {347: 'dog'}),
            "category 347 is 'dog', in BURST it is 'cup'",
        ),
    ):
        options = arguments if len(arguments) > 2 else (*arguments, 'results')
        with pytest.raises(UserError, match=words):
            evaluate_classes(*options)
        with pytest.raises(UserError, match=words):
            evaluate_open_world(*options)


def test_lists_of_classes(tmp_path):
    file = tmp_path / 'ids.json'
    for text, ids in (
        ('[3, 1, 3]', {1, 3}),
        (
            json.dumps(
                dict(
                    sequences=[
                        dict(track_category_ids={'1': 5, '2': 7}),
                        dict(track_category_ids={}),
                    ]
                )
            ),
            {5, 7},
        ),
    ):
        file.write_text(text)
        assert read_class_ids(file) == ids
    for text in (
        '[]',
        '["1"]',
        '[true]',
        '{}',
        '{"sequences": [{}]}',
        '3',
        '{"sequences": [{"track_category_ids": [1]}]}',
    ):
        file.write_text(text)
        with pytest.raises(UserError, match=r'ids\.json: must be a list of category ids, or an'):
            read_class_ids(file)
