"""The form of YouTube-VIS: one set of rules for training, evaluation, checker and drawing."""

import codecs
import copy
import json

import pytest

from mmvseg.apis.results_file import load_results
from mmvseg.datasets import YouTubeVISDataset
from mmvseg.errors import UserError
from mmvseg.evaluation.functional.ground_truth import to_ground_truth
from mmvseg.evaluation.functional.youtube_vis_ap import evaluate_youtube_vis
from mmvseg.formats.dataset_checker import check_dataset
from mmvseg.formats.problems import LISTS_ALL, Level
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import read_results


def train(ann_file):
    return YouTubeVISDataset(ann_file=str(ann_file), data_prefix=dict(img='frames'))


def test(ann_file):
    return YouTubeVISDataset(ann_file=str(ann_file), data_prefix=dict(img='frames'), test_mode=True)


test.__test__ = False


def results_of(content):
    """Results that repeat the annotations of the first video's first object."""
    first = content['annotations'][0]
    masks = [mask and dict(mask) for mask in first['segmentations']]
    return [dict(video_id=10, category_id=7, score=0.5, segmentations=masks)]


def evaluate(ann_file, results=None):
    truth = to_ground_truth(read_youtube_vis(ann_file))
    return evaluate_youtube_vis(truth, read_results(results), 'results') if results else truth


def draw(ann_file, results):
    return load_results(results, ann_file, ann_file.parent / 'frames')


def found_in(ann_file):
    return list(check_dataset(ann_file, None))


def set_(*path):
    """A change of the content: the last entry of ``path`` is the new value, ``...`` removes it."""
    *keys, last, value = path

    def change(content):
        place = content
        for key in keys:
            place = place[key]
        if value is ...:
            del place[last]
        else:
            place[last] = value

    return change


FIRST = ('annotations', 0)
PLACE = 'video 10, annotation 100,'
LONG = [[3, 3] + [9.0] * 4]

FAULTS = [
    (set_('categories', []), 'categories: is empty'),
    (set_('categories', 0, 'id', 3), 'categories[1]: duplicate id 3'),
    (set_('categories', 1, 'name', 'cup'), "categories[1]: duplicate name 'cup'"),
    (set_('categories', 0, {}), 'categories[0]: missing id, name'),
    (set_('categories', 0, 5), 'categories[0]: 5 is not an object'),
    (set_('categories', 0, 'name', [1]), 'name: [1] is not a text'),
    (set_('categories', 0, 'id', '7'), "id: '7' is not an integer of 64 bits"),
    (set_('categories', 0, 'id', 2**70), f'id: {2**70} is not an integer of 64 bits'),
    (set_('categories', 0, 'color', [1, 2]), 'color: [1, 2] is not [red, green, blue], each 0'),
    (set_('videos', 0, 'id', 11), 'video 11, id: duplicate video id'),
    (set_('videos', 0, 'id', 'x'), "video x, id: 'x' is not an integer of 64 bits"),
    (set_('videos', 0, 'id', True), 'id: True is not an integer of 64 bits'),
    (set_('videos', 0, 'width', ...), 'video 10, videos[0]: missing width'),
    (set_('videos', 0, 'height', 0), 'video 10, height: 0 is not a number of pixels from 1 to'),
    (set_('videos', 0, 'height', 70000), 'video 10, height: 70000 is not a number of pixels from'),
    (set_('videos', 0, 'height', '40'), "video 10, height: '40' is not a number of pixels"),
    (set_('videos', 0, 'height', 40.5), 'video 10, height: 40.5 is not a number of pixels'),
    (set_('videos', 0, 'file_names', []), 'video 10, file_names: is empty: a video without frames'),
    (set_('videos', 0, 'file_names', 'abcd'), "video 10, file_names: 'abcd' is not a list"),
    (set_('videos', 0, 'file_names', 1, 5), 'video 10, frame 1, file_names: 5 is not a text'),
    (set_('videos', 0, 'file_names', 1, 'a\0'), "'a\\x00' is a name that no file can have"),
    (set_(*FIRST, 'id', None), 'id: None is not an integer'),
    (set_(*FIRST, 'id', 'a1'), "video 10, annotation a1, id: 'a1' is not an integer"),
    (set_(*FIRST, 'video_id', [1]), 'annotation 100, video_id: [1] is not an integer'),
    (set_(*FIRST, 'category_id', True), f'{PLACE} category_id: True is not an integer'),
    (set_(*FIRST, 'iscrowd', 2), f'{PLACE} iscrowd: 2 is not'),
    (set_(*FIRST, 'iscrowd', '0'), f"{PLACE} iscrowd: '0' is not"),
    (set_(*FIRST, 'segmentations', ...), f'{PLACE} annotations[0]: missing segmentations'),
    (set_(*FIRST, 'segmentations', None), f'{PLACE} segmentations: None is not a list'),
    (set_('annotations', 0, 'text'), "annotations[0]: 'text' is not an object"),
    (set_(*FIRST, 'areas', [1]), f'{PLACE} areas: 1 entry, but the video lists 4 frames'),
    (set_(*FIRST, 'bboxes', {}), f'{PLACE} bboxes: {{}} is not a list or null'),
    (set_(*FIRST, 'segmentations', 1, None), 'frame 1, bboxes: [8, 11, 12, 10] is a box without'),
    (set_(*FIRST, 'segmentations', 1, 'm'), "frame 1, segmentations: 'm' is not an object with s"),
    (set_(*FIRST, 'segmentations', 2, 'size', [60, 40]), 'size [60, 40] is not the video size'),
    (set_(*FIRST, 'segmentations', 2, 'size', [4.5, 40]), 'frame 2, segmentations: {'),
    (set_(*FIRST, 'segmentations', 2, 'counts', '12'), 'frame 2, segmentations: the run-length c'),
    (set_(*FIRST, 'segmentations', 2, 'counts', ''), 'the run-length code is empty'),
    (set_(*FIRST, 'segmentations', 2, 'counts', 'é'), 'a character that is not ASCII'),
    (set_(*FIRST, 'segmentations', 2, 'counts', [1]), 'must be non-negative integers with sum'),
    (set_(*FIRST, 'segmentations', 2, 'counts', [-1, 2401]), 'must be non-negative integers'),
    (set_(*FIRST, 'segmentations', 2, 'counts', [2**63 - 1, 2**63 - 1, 2402]), 'with sum 40*60'),
    (set_(*FIRST, 'segmentations', 2, [[1, 2, 3, 4]]), 'of at least 3 points'),
    (set_(*FIRST, 'segmentations', 2, [[0] * 7]), 'of at least 3 points'),
    (set_(*FIRST, 'segmentations', 2, [['a'] * 6]), 'frame 2, segmentations: [['),
    (set_(*FIRST, 'segmentations', 2, [[1, 1, 5, 5, 1e9, 1]]), 'reaches far outside of the frame'),
    (set_(*FIRST, 'segmentations', 2, [[1, 1, 5, 5, 1e308, 1]]), 'reaches far outside'),
    (set_(*FIRST, 'bboxes', 3, [5, 1, 4]), 'frame 3, bboxes: [5, 1, 4] is not [x, y, width, heig'),
    (set_(*FIRST, 'areas', 3, 'big'), "frame 3, areas: 'big' is not a number or null"),
    (set_(*FIRST, 'areas', 3, True), 'frame 3, areas: True is not a number or null'),
]
FLAWS = [
    (set_('videos', 0, 'length', 9), 'video 10, length: 9, but there are 4 file_names'),
    (set_('videos', 0, 'file_names', list('aabc')), 'video 10, file_names: names a frame twice'),
    (set_(*FIRST, 'id', 101), 'video 10, annotation 101, id: duplicate annotation id'),
    (set_(*FIRST, 'id', 0), 'annotation 0, id: 0 is read as "unmatched"'),
    (set_(*FIRST, 'video_id', 77), 'video 77, annotation 100, video_id: there is no such video'),
    (set_(*FIRST, 'category_id', 9), f'{PLACE} category_id: unknown category 9'),
    (set_(*FIRST, 'bboxes', 1, None), f'{PLACE} frame 1, bboxes: null although segmentations is'),
    (set_(*FIRST, 'areas', 1, None), f'{PLACE} frame 1, areas: null although segmentations is'),
    (set_(*FIRST, 'areas', 3, 0), 'frame 3, areas: 0 is not above 0; training goes by the mask'),
    (set_(*FIRST, 'bboxes', 3, [50, 1, 20, 5]), 'frame 3, bboxes: box [50, 1, 20, 5] reaches'),
    (set_(*FIRST, 'bboxes', 3, [5, 1, 0, 5]), 'frame 3, bboxes: [5, 1, 0, 5] has no extent'),
    (set_(*FIRST, 'bboxes', 3, [40, 1, 12, 10]), 'does not fit the mask, which lies in [14, 11,'),
    (set_(*FIRST, 'segmentations', 2, 'counts', [2400]), ''),
]


@pytest.mark.parametrize(('change', 'words'), FAULTS, ids=[words for _, words in FAULTS])
def test_a_fault_is_one_for_everybody(content, write, change, words):
    ann_file = write(content)
    results = ann_file.with_name('results.json')
    results.write_text(json.dumps(results_of(content)))
    sound = copy.deepcopy(content)
    change(content)
    ann_file.write_text(json.dumps(content))
    faults = [problem for problem in found_in(ann_file) if problem.level is Level.FAULT]
    assert words in str(faults[0])
    message = f'{faults[0]} ({LISTS_ALL})'
    for read in (train, evaluate, lambda path: draw(path, results)):
        with pytest.raises(UserError) as error:
            read(ann_file)
        assert str(error.value) == message
    if content['annotations'] == sound['annotations']:
        with pytest.raises(UserError):
            test(ann_file)


@pytest.mark.parametrize(('change', 'words'), FLAWS, ids=[words for _, words in FLAWS])
def test_flaws_are_borne_and_told(content, write, change, words):
    ann_file = write(content)
    results = ann_file.with_name('results.json')
    results.write_text(json.dumps(results_of(content)))
    change(content)
    ann_file.write_text(json.dumps(content))
    found = found_in(ann_file)
    assert {problem.level for problem in found} <= {Level.FLAW, Level.NOTE}
    assert not words or any(words in str(problem) for problem in found)
    for read in (train, test, lambda path: evaluate(path, results), lambda p: draw(p, results)):
        read(ann_file)


@pytest.mark.parametrize('name', ['../a.jpg', '/a.jpg', 'C:\\a.jpg'])
def test_names_that_lead_out_are_refused_by_who_opens_frames(content, write, name):
    ann_file = write(content)
    results = ann_file.with_name('results.json')
    results.write_text(json.dumps(results_of(content)))
    content['videos'][0]['file_names'][0] = name
    ann_file.write_text(json.dumps(content))
    words = f'video 10, frame 0, file_names: {name!r} leaves the folder of the frames'
    assert any(words in str(problem) for problem in found_in(ann_file))
    for read in (train, test, lambda path: draw(path, results)):
        with pytest.raises(UserError, match='allow_outside_root=True') as error:
            read(ann_file)
        assert words in str(error.value)
    evaluate(ann_file, results)


def test_names_with_the_separators_of_windows(content, write):
    """LV-VIS's reader takes the last two parts of such names."""
    ann_file = write(content)
    results = ann_file.with_name('results.json')
    results.write_text(json.dumps(results_of(content)))
    names = content['videos'][0]['file_names']
    expected = [f'frames/{name}' for name in names]
    content['videos'][0]['file_names'] = ['D:\\LVVIS\\val\\' + n.replace('/', '\\') for n in names]
    ann_file.write_text(json.dumps(content))
    assert train(ann_file).video_record(0)['frames'] == expected
    assert draw(ann_file, results)
    assert read_youtube_vis(ann_file).videos[10].name == 'video_0'
    (note,) = check_dataset(ann_file, ann_file.parent / 'frames')
    assert note.is_note
    assert str(note).endswith(
        'file_names: the last two parts of names with \\ are taken, in 1 video'
    )


def test_a_partition_of_classes_and_lists_of_absent_ones_are_read(content, write):
    content['categories'][0]['partition'] = 2
    content['categories'][1]['partition'] = 'kitchen'
    content['videos'][0] |= dict(neg_category_ids=[3], not_exhaustive_category_ids=[7])
    file = read_youtube_vis(write(content))
    assert [category.partition for category in file.categories] == [2, None]
    assert file.videos[10].neg_category_ids == [3]
    assert file.videos[10].not_exhaustive_category_ids == [7]
    assert file.videos[11].neg_category_ids is None


@pytest.mark.parametrize('iscrowd', [0, 1, False, True, None])
def test_crowds(content, write, iscrowd):
    content['annotations'][0].pop('iscrowd')
    if iscrowd is not None:
        content['annotations'][0]['iscrowd'] = iscrowd
    ann_file = write(content)
    notes = [str(problem).partition('json: ')[2] for problem in found_in(ann_file)]
    assert notes == ['iscrowd: 1 of 4 are crowds, which are not trained on'][: bool(iscrowd)]
    assert train(ann_file).video_record(0)['instances'][0]['iscrowd'] is bool(iscrowd)
    assert evaluate(ann_file).annotations[10, 7][0].is_crowd is bool(iscrowd)


def test_boxes_and_areas_may_be_missing(content, write):
    results = results_of(content)
    expected = evaluate(write(content))
    for annotation in content['annotations']:
        del annotation['bboxes'], annotation['areas']
    ann_file = write(content)
    notes = found_in(ann_file)
    assert [str(note).partition('json: ')[2] for note in notes] == [
        f'{field}: 4 annotations without: measured on the masks' for field in ('bboxes', 'areas')
    ]
    assert all(note.is_note for note in notes)
    instance = train(ann_file).video_record(0)['instances'][0]
    assert instance['bboxes'][1].tolist() == [8, 11, 20, 21]
    assert instance['areas'] == [120] * 4
    path = ann_file.with_name('results.json')
    path.write_text(json.dumps(results))
    truth = evaluate(ann_file)
    for key, annotations in expected.annotations.items():
        areas = [annotation.average_area for annotation in annotations]
        assert [annotation.average_area for annotation in truth.annotations[key]] == areas
    assert evaluate(ann_file, path).stats()['AP'] > 0
    assert draw(ann_file, path)[1][0].truth.scores.tolist() == [1, 1]


@pytest.mark.parametrize('ids', [[2**70, 2**70 + 1, 2**80, -5], [9, 8, 7, 6], [5, 5, 6, 7]])
def test_only_equality_and_order_of_annotation_ids_matter(content, write, ids):
    plain = train(write(copy.deepcopy(content))).video_record(0)['instances']
    for annotation, i in zip(content['annotations'], ids, strict=True):
        annotation['id'] = i
    ann_file = write(content)
    instances = train(ann_file).video_record(0)['instances']
    assert [i['label'] for i in instances] == [i['label'] for i in plain]
    ranks = sorted(set(ids[:2]))
    assert [i['id'] for i in instances] == [ranks.index(i) for i in ids[:2]]
    evaluate(ann_file)


@pytest.mark.parametrize(
    'encode',
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode('utf-16'),
        lambda text: text.encode('utf-16-le'),
        lambda text: text.encode('utf-32'),
    ],
)
def test_all_encodings_of_unicode(content, write, encode):
    content['categories'][0]['name'] = 'Käfer'
    ann_file = write(content)
    results = ann_file.with_name('results.json')
    results.write_bytes(encode(json.dumps(results_of(content))))
    ann_file.write_bytes(encode(json.dumps(content, ensure_ascii=False)))
    assert found_in(ann_file) == []
    assert train(ann_file).metainfo['classes'][0] == 'Käfer'
    assert evaluate(ann_file, results).categories[7] == 'Käfer'
    assert draw(ann_file, results)[0]['classes'][0] == 'Käfer'


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('{"videos": [', r'not valid json \(.* is the file complete\?\)'),
        ('[' * 2000 + ']' * 2000, r'not valid json \(nested too deep\)'),
        ('{"videos": ' + '[' * 5000 + ']' * 5000 + '}', r'not valid json \(nested too deep\)'),
        ('{"videos": [],\n "categories": [NaN]}', 'no number NaN at line 2, column 17'),
        ('{"videos": [], "categories": [-Infinity]}', 'no number -Infinity at line 1'),
        ('{"videos": [], "x": 1' + '0' * 5000, 'not valid json'),
        ('[1' + '0' * 5000 + ']', r'not valid json \(Integer value out of range'),
        ('[]', 'a results file is not an annotation file'),
        ('5', 'not a YouTube-VIS file'),
        ('{}', "no list 'videos'"),
        ('{"videos": []}', "no list 'categories'"),
        ('{"videos": [], "categories": [], "annotations": 5}', 'neither a list nor null'),
    ],
)
def test_other_files(tmp_path, text, words):
    path = tmp_path / 'some.json'
    path.write_text(text)
    for read in (train, test, evaluate, lambda path: draw(path, path), found_in):
        with pytest.raises(UserError, match=words):
            read(path)


def test_a_broken_text_within_an_entry(content, write):
    ann_file = write(content)
    text = ann_file.read_text()
    ann_file.write_bytes(text.encode().replace(b'cup', b'c\xffp'))
    for read in (train, evaluate):
        with pytest.raises(UserError, match=r'categories\[0\]: not valid json'):
            read(ann_file)
    ann_file.write_text(text.replace('cup', 'c\\ud800p'))
    for read in (train, evaluate, found_in):
        with pytest.raises(UserError, match='not valid json'):
            read(ann_file)
