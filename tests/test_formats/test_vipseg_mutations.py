"""Whatever is wrong with a file: who reads it agrees with who checks it, in the same words."""

import copy
import json

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from panoptic_files import CATEGORIES, listed, write_predictions, write_truth

from mmvseg.datasets import VIPSegDataset
from mmvseg.errors import UserError
from mmvseg.evaluation.functional.stq import evaluate_stq
from mmvseg.evaluation.functional.vpq import evaluate_vpq
from mmvseg.formats.dataset_checker import check_dataset
from mmvseg.formats.problems import Level
from mmvseg.formats.vipseg import read_vipseg
from mmvseg.formats.vipseg_results import load_results

IDS = np.array([[1, 1, 2], [0, 2, 2]])
FRAMES = [(IDS, listed(IDS, {1: 0, 2: 7}, crowds=(2,)))] * 2
VALUES = [
    *(None, True, False, 0, 1, -1, 7, 2**24, 2**53 + 1, 2**63, 10**400, 0.5, 1.0, 1e308, 5e-324),
    *('', 'a', '7', '0001.png', '../x', '/x', 'x\0', 'C:\\x', 'é\x1b[31m', 'x' * 5000, '.'),
    *([], [[]], [None], [1, 2, 3, 4], {}, dict(id=1), [dict(id=1)]),
]
OPERATIONS = ('drop', 'change', 'double', 'reverse', 'append')


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Ground truth and equal predictions of two videos of two frames."""
    root = tmp_path_factory.mktemp('mutations')
    videos = dict(a=FRAMES, b=FRAMES)
    write_truth(root / 'gt', videos, [dict(entry, color=[1, 2, 3]) for entry in CATEGORIES])
    write_predictions(root / 'pred', videos)
    content = json.loads((root / 'gt/panoptic_gt_val.json').read_text())
    segment = content['annotations'][0]['annotations'][0]['segments_info'][0]
    segment.update(bbox=[0, 0, 2, 1], isthing=0)
    (root / 'gt/sound.json').write_text(json.dumps(content))
    (root / 'pred/sound.json').write_bytes((root / 'pred/pred.json').read_bytes())
    return root


def places(content, path=()):
    """Paths of all values within a content."""
    entries = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in entries:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def mutate(content, choice, operation, value):
    """Break one place of a content."""
    content = copy.deepcopy(content)
    every = list(places(content))
    if not every:
        return content
    *path, key = every[choice % len(every)]
    holder = content
    for step in path:
        holder = holder[step]
    if operation == 'drop':
        del holder[key]
    elif operation == 'double' and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif operation == 'reverse' and isinstance(holder[key], list):
        holder[key].reverse()
    elif operation == 'append' and isinstance(holder[key], list):
        holder[key].append(value)
    else:
        holder[key] = value
    return content


def outcome(read):
    """The message of the error that a reader ends with; None if it takes the file."""
    try:
        read()
    except UserError as error:
        return str(error)
    return None


def first_fault(path):
    for problem in check_dataset(path, None):
        if problem.level is Level.FAULT:
            raise UserError(str(problem))


def train(path):
    prefix = dict(img=str(path.parent), mask=str(path.parent))
    VIPSegDataset(ann_file=str(path), data_prefix=prefix, lazy_init=True).load_data_list()


mutations = given(
    st.lists(
        st.tuples(st.integers(0, 2**16), st.sampled_from(OPERATIONS), st.sampled_from(VALUES)),
        min_size=1,
        max_size=2,
    )
)


@mutations
@example([(0, 'change', 5)])
@example([(1, 'change', None), (5712, 'drop', None)])
@settings(max_examples=200, deadline=None)
def test_all_readers_agree_with_the_checker(folder, edits):
    content = json.loads((folder / 'gt/sound.json').read_text())
    for edit in edits:
        content = mutate(content, *edit)
    path = folder / 'gt/panoptic_gt_val.json'
    path.write_text(json.dumps(content))
    if not any('images' in v for v in listing(content) if isinstance(v, dict)):
        return  # taken for another form by the checker
    fault = outcome(lambda: first_fault(path))
    evaluating = outcome(lambda: read_vipseg(path, folder / 'gt/panomasksRGB'))
    training = outcome(lambda: train(path))
    if fault is None:
        assert evaluating is None
        assert training is None or 'has no annotations to train on' in training
    else:
        assert evaluating.startswith(fault)
        assert training.startswith(fault)


def listing(content):
    videos = content.get('videos')
    return videos if isinstance(videos, list) else []


@mutations
@settings(max_examples=80, deadline=None)
def test_evaluation_ends_in_numbers_or_a_message(folder, edits):
    root = folder / 'gt/panomasksRGB'
    for name, target in (('gt', 'panoptic_gt_val.json'), ('pred', 'pred.json')):
        sound = json.loads((folder / name / 'sound.json').read_text())
        broken = sound
        for edit in edits:
            broken = mutate(broken, *edit)
        for content in (broken, sound):
            (folder / name / target).write_text(json.dumps(content))

            def evaluate():
                truth = read_vipseg(folder / 'gt/panoptic_gt_val.json', root)
                results = load_results(folder / 'pred', truth)
                evaluate_vpq(truth, results)
                evaluate_stq(truth, results)

            message = outcome(evaluate)
            assert content is broken or message is None
