"""Whatever happens to a file, its readers agree, and none ends in a traceback."""

import copy
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutations import mutated
from test_youtube_vis_format import draw, evaluate, found_in, results_of, train
from tiny_dataset import make_content

from mmvseg.errors import UserError
from mmvseg.formats.problems import Level
from mmvseg.formats.youtube_vis_results import read_results

#: What training refuses and evaluation does not mind.
OF_TRAINING = (
    'nothing to train on',
    'no object can be trained on',
    'no videos',
    'leaves the folder',
)


def refusal(read, *args):
    """The message of an error; None where there is none."""
    try:
        read(*args)
    except UserError as error:
        return str(error)
    return None


def written(folder, name, content):
    path = Path(folder, name)
    path.write_text(json.dumps(content))
    return path


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated(make_content((3, 2))))
def test_training_evaluation_and_checker_agree(content):
    with TemporaryDirectory() as folder:
        ann_file = written(folder, 'gt.json', content)
        try:
            faults = [problem for problem in found_in(ann_file) if problem.level is Level.FAULT]
            refused = str(faults[0]) if faults else None
        except UserError as error:
            refused = str(error)
        trained, evaluated = refusal(train, ann_file), refusal(evaluate, ann_file)
        if refused is None:
            assert evaluated is None
            assert trained is None or any(words in trained for words in OF_TRAINING)
        else:
            assert evaluated.startswith(refused)
            assert trained == evaluated


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_scoring_and_drawing_agree_on_results(data):
    truth = make_content((3, 2))
    results = data.draw(mutated(results_of(truth) + copy.deepcopy(results_of(truth))))
    with TemporaryDirectory() as folder:
        ann_file = written(folder, 'gt.json', truth)
        path = written(folder, 'results.json', results)
        broken = refusal(read_results, path)
        scored, drawn = refusal(evaluate, ann_file, path), refusal(draw, ann_file, path)
        if broken:
            assert scored == drawn == broken
        elif drawn:  # scoring bears what is told in a note, drawing does not
            rules = (
                *OF_TRAINING,
                'segmentations, but video',
                'is not the video size',
                'unknown category_id',
            )
            assert any(rule in drawn for rule in rules) or scored
        else:
            assert scored is None or 'holds no predictions' in scored


@pytest.mark.parametrize('kind', ['drop', 'retype', 'extreme', 'duplicate', 'reorder', 'none'])
def test_mutations_are_of_all_kinds(kind):
    content = make_content((3, 2))
    found = set()

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(mutated(content, kinds=[kind]))
    def draw_some(changed):
        found.add(json.dumps(changed))

    draw_some()
    assert found == {json.dumps(content)} if kind == 'none' else len(found) > 3
