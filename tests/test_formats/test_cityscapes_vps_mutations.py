"""Whatever is wrong with a file of Cityscapes-VPS: readers agree with the checker, or say so."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import mutated
from panoptic_sets import write_cityscapes_predictions, write_cityscapes_vps

from mmvseg.datasets import CityscapesVPSDataset
from mmvseg.errors import UserError
from mmvseg.evaluation.functional.vpq import evaluate_vpq
from mmvseg.formats.cityscapes_vps import read_all_frames, read_cityscapes_vps
from mmvseg.formats.cityscapes_vps_results import load_results
from mmvseg.formats.problems import Level
from mmvseg.formats.vipseg_checker import check_vipseg

IDS = np.array([[1, 300, 2], [0, 70000, 2]])
VIDEOS = {'0001': [IDS] * 2, '0002': [IDS] * 2}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp('mutations')
    write_cityscapes_vps(root, VIDEOS)
    write_cityscapes_predictions(root / 'pred', VIDEOS)
    return root


def content_of(path):
    return json.loads(path.read_text())


def outcome(read):
    """The message of the error that a reader ends with; None if it takes the file."""
    try:
        read()
    except UserError as error:
        return str(error)
    return None


def first_fault(path):
    nothing = lambda *args: None  # noqa: E731
    for problem in check_vipseg(path, None, None, nothing, nothing, form='cityscapes_vps'):
        if problem.level is Level.FAULT:
            raise UserError(str(problem))


def train(path):
    prefix = dict(img=str(path.parent), mask=str(path.parent))
    CityscapesVPSDataset(ann_file=str(path), data_prefix=prefix, lazy_init=True).load_data_list()


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_all_readers_agree_with_the_checker(folder, data):
    sound = content_of(folder / 'panoptic_gt_val_city_vps.json')
    path = folder / 'broken.json'
    path.write_text(json.dumps(data.draw(mutated(sound))))
    fault = outcome(lambda: first_fault(path))
    evaluating = outcome(lambda: read_cityscapes_vps(path, folder / 'val/panoptic_video'))
    training = outcome(lambda: train(path))
    if fault is None:
        assert evaluating is None
        assert training is None or 'has no annotations to train on' in training
    else:
        assert evaluating.startswith(fault)
        assert training.startswith(fault)


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_evaluation_ends_in_numbers_or_a_message(folder, data):
    sound = content_of(folder / 'panoptic_gt_val_city_vps.json')
    path = folder / 'again.json'
    path.write_text(json.dumps(data.draw(mutated(sound))))
    results = folder / 'results'
    results.mkdir(exist_ok=True)
    if not (results / 'pan_pred').exists():
        (results / 'pan_pred').symlink_to(folder / 'pred/pan_pred')
    predicted = content_of(folder / 'pred/pred.json')
    (results / 'pred.json').write_text(json.dumps(data.draw(mutated(predicted))))

    def evaluate():
        truth = read_cityscapes_vps(path, folder / 'val/panoptic_video')
        evaluate_vpq(truth, load_results(results, truth))

    outcome(evaluate)  # any other error would come through
    whole = read_cityscapes_vps(
        folder / 'panoptic_gt_val_city_vps.json', folder / 'val/panoptic_video'
    )
    everything = content_of(folder / 'im_all_info_val_city_vps.json')
    (folder / 'all.json').write_text(json.dumps(data.draw(mutated(everything))))
    outcome(lambda: read_all_frames(folder / 'all.json', whole.videos.values()))
