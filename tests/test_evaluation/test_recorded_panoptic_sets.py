"""Recorded numbers of the official code for VIPSeg, from the same videos in the other two forms.

VIPSeg's VPQ script descends from that of Cityscapes-VPS, and its STQ script calls the class of
DeepLab2 that the STEP sets are scored with, after numbering the segments of a video 0, 1, 2, ...
"""

import json

import helpers
import numpy as np
import pytest
from panoptic_files import write_ids
from panoptic_sets import VOID, write_step_map

from mmvseg.evaluation.functional.stq import evaluate_stq
from mmvseg.evaluation.functional.vpq import evaluate_vpq
from mmvseg.formats import step
from mmvseg.formats.cityscapes_vps import read_cityscapes_vps
from mmvseg.formats.cityscapes_vps_results import load_results
from mmvseg.formats.panoptic_records import read_frames
from mmvseg.formats.vipseg import read_vipseg
from mmvseg.formats.vipseg_results import find_ground_truth
from mmvseg.formats.vipseg_results import load_results as load_vipseg_results

EVAL = helpers.reference_dir() / 'eval'


def load(case):
    """Ground truth, predictions and what is expected."""
    path = find_ground_truth(case / 'gt')
    truth = read_vipseg(path, path.parent / 'panomasksRGB')
    expected = json.loads((case / 'expected.json').read_text())
    return truth, load_vipseg_results(case / 'pred', truth), expected


def cases(metric):
    return sorted((EVAL / metric).iterdir())


def entry(segment):
    names = ('id', 'category_id', 'iscrowd', 'area')
    return {name: getattr(segment, name) for name in names if hasattr(segment, name)}


def write_cityscapes(folder, truth, results):
    """The videos in the form of Cityscapes-VPS."""
    images, annotations, predicted = [], [], []
    for number, (name, video) in enumerate(truth.annotated.items(), 1):
        pairs = zip(read_frames(video), read_frames(results[name]), strict=True)
        for t, (true, found) in enumerate(pairs):
            image_id = f'{number:04d}_{t:04d}_bonn_000000_{5 * t:06d}'
            write_ids(folder / f'masks/{image_id}_final_mask.png', true.map)
            write_ids(folder / f'pan_pred/{image_id}.png', found.map)
            size = dict(height=true.map.shape[0], width=true.map.shape[1])
            images.append(dict(id=image_id, file_name=f'{image_id}_newImg8bit.png', **size))
            annotations.append(
                dict(
                    image_id=image_id,
                    file_name=f'{image_id}_final_mask.png',
                    segments_info=[entry(s) for s in true.segments],
                )
            )
            segments = [entry(s) for s in found.segments]
            predicted.append(dict(image_id=image_id, segments_info=segments))
    categories = [dict(id=c.id, name=c.name, isthing=int(c.is_thing)) for c in truth.categories]
    content = dict(images=images, annotations=annotations, categories=categories)
    (folder / 'gt.json').write_text(json.dumps(content))
    (folder / 'pred.json').write_text(json.dumps(dict(annotations=predicted)))


def write_step_folder(folder, videos):
    """Videos in the form of STEP, the segments numbered as the script does it."""
    for name, video in videos.items():
        numbers = {}
        for t, frame in enumerate(read_frames(video)):
            pairs = np.full((*frame.map.shape, 2), (VOID, 0))
            for segment in frame.segments:
                number = numbers.setdefault(segment.id, len(numbers))
                pairs[frame.map == segment.id] = (segment.category_id, number)
            write_step_map(folder / name / f'{t:06d}.png', pairs)


@pytest.mark.parametrize('case', cases('vpq'), ids=lambda path: path.name)
def test_vpq_of_cityscapes_vps(case, tmp_path):
    truth, results, expected = load(case)
    write_cityscapes(tmp_path, truth, results)
    again = read_cityscapes_vps(tmp_path / 'gt.json', tmp_path / 'masks')
    numbers = evaluate_vpq(again, load_results(tmp_path, again)).numbers()
    for group, values in expected['vpq_percent'].items():
        for window, key in (('1', 'k0'), ('2', 'k5'), ('4', 'k15')):
            assert numbers[group][key] == pytest.approx(values[window], abs=1e-9)


@pytest.mark.parametrize('case', cases('stq'), ids=lambda path: path.name)
def test_stq_of_step(case, tmp_path):
    truth, results, expected = load(case)
    write_step_folder(tmp_path / 'maps/val', truth.annotated)
    write_step_folder(tmp_path / 'pred', results)
    classes = [dict(id=c.id, name=c.name, isthing=int(c.is_thing)) for c in truth.categories]
    (tmp_path / 'maps/categories.json').write_text(json.dumps(classes))
    again = step.read_step(tmp_path / 'maps/val')
    numbers = evaluate_stq(again, step.load_results(tmp_path / 'pred', again))
    for key, value in numbers.stats().items():
        assert value == pytest.approx(expected[key], abs=1e-9)
    tubes = sum(video['num_gt_tubes'] for video in expected['per_sequence'].values())
    assert numbers.num_tubes == tubes
