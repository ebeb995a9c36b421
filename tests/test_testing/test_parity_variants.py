"""Variants of recorded cases: what a case leaves out, and clips without objects."""

from dataclasses import replace

import helpers
import pytest
import torch

from mmvseg.testing.parity import REPLAYERS, Comparison, load_case


def recorded(name):
    system = 'tevit' if name.startswith(('hungarian', 'tevit')) else 'dvis'
    return load_case(helpers.reference_dir() / system / name)


def replayed(case):
    """The outputs that were compared, all of which agree."""
    comparison = Comparison(case)
    REPLAYERS[case.kind](case, comparison)
    rows = comparison.finish()
    assert [row for row in rows if not row.passed] == []
    return {row.name for row in rows}


def without(tensors, *parts):
    """The tensors whose name has none of these in it."""
    return {name: t for name, t in tensors.items() if not any(part in name for part in parts)}


def emptied(tensors, *prefixes):
    """The tensors, those under a prefix without any object."""
    return {name: t[:0] if name.startswith(prefixes) else t for name, t in tensors.items()}


def none(*shape):
    return torch.zeros(shape, dtype=torch.long)


@pytest.mark.parametrize(
    ('name', 'left_out'),
    [
        ('hungarian_assigner', ['cost', 'sorted_ids']),
        ('tevit_loss', ['cost', 'mask_targets', 'bn_after', 'loss.total', 'grad.neck']),
        ('tevit_predict_msgshift', ['pasted', 'fpn1', 'det.scores', 'mask.rois']),
        ('matching', ['clip.', 'cost', 'frame.indices.1']),
        ('criterion', ['per_seed', 'plain.recorded', 'loss_points', 'losses.loss_ce']),
        ('minvis_loss', ['per_seed', 'prepared_targets', 'cost', 'grads']),
        ('minvis_post', ['post.indices', 'result.masks']),
        ('dvis_offline_vis', ['win.result', 'full.raw', 'segmenter', 'full.result.ids']),
        ('dvis_offline_vps', ['pred_masks', 'segment_ids']),
    ],
)
def test_what_is_not_recorded_is_not_compared(name, left_out):
    case = recorded(name)
    expected = without(case.expected, *left_out)
    assert len(expected) < len(case.expected)
    own_rows = replayed(case) - case.expected.keys()  # e.g. of json files
    assert replayed(replace(case, expected=expected)) == expected.keys() | own_rows


@pytest.mark.parametrize('costs', ['not recorded', 'recorded'])
def test_assigner_on_a_clip_without_objects(costs):
    case = recorded('hungarian_assigner')
    inputs = emptied(case.inputs, 'clip2.gt_')
    frames, queries = case.expected['clip2.assigned_gt_inds'].shape
    expected = without(case.expected, 'clip2') | {
        'clip2.sorted_ids': none(0),
        'clip2.matched_query': none(0),
        'clip2.assigned_gt_inds': none(frames, queries),
        'clip2.assigned_labels': none(frames, queries) - 1,
    }
    if costs == 'recorded':
        expected['clip2.cost'] = torch.zeros(queries, 0)
    assert replayed(replace(case, inputs=inputs, expected=expected)) == expected.keys()


def test_training_step_on_a_clip_without_objects(tmp_path):
    case = recorded('tevit_loss')
    shown = sum(len(case.inputs[f'gt_ids.b0.t{t}']) for t in range(3))
    # nothing that objects of both clips have a part in
    expected = without(case.expected, 'loss', 'grad', 'bn_after', 'b1')
    expected['gt_id_order.b1'] = none(0)
    for s in range(2):
        expected[f'mask_targets.stage{s}'] = expected[f'mask_targets.stage{s}'][:shown]
        expected[f'match.stage{s}.b1'] = none(0)
        expected[f'assign.stage{s}.b1'] = none(3, 12)
    inputs = emptied(case.inputs, *(f'gt_{key}.b1' for key in ('bboxes', 'labels', 'ids', 'masks')))
    case = replace(case, inputs=inputs, expected=expected, folder=tmp_path)  # no grad_norms.json
    assert replayed(case) >= expected.keys()


def test_matching_on_images_without_objects():
    case = recorded('matching')
    inputs = emptied(case.inputs, 'frame.targets.1', 'clip.targets.0', 'consistent.targets')
    expected = without(case.expected, 'consistent', 'frame.cost.1', 'clip.cost') | {
        'frame.indices.1': none(2, 0),
        'clip.indices.0': none(2, 0),
        'consistent.indices.0': none(2, 0),
    }
    assert replayed(replace(case, inputs=inputs, expected=expected)) == expected.keys()


@pytest.mark.parametrize(
    ('name', 'images', 'objects', 'prefix'),
    [('criterion', 3, 5, 'targets.2'), ('minvis_loss', 2, 3, 'video.1')],
)
def test_losses_with_the_last_image_without_objects(name, images, objects, prefix):
    case = recorded(name)
    # neither the losses of the other images nor their gradients can be told from the sum
    expected = without(case.expected, 'losses', 'grads', 'per_seed')
    for key, tensor in expected.items():
        kind, number = key.split('.')[-2:]
        if kind == 'loss_points' or (kind == 'rand' and len(tensor) > 1):
            expected[key] = tensor[:objects]
        elif kind in ('cost', 'indices') and int(number) % images == images - 1:
            expected[key] = tensor[:, :0]
    inputs = emptied(case.inputs, *(f'{prefix}.{key}' for key in ('labels', 'ids', 'masks')))
    assert replayed(replace(case, inputs=inputs, expected=expected)) >= expected.keys()


def test_video_without_segments():
    case = recorded('dvis_offline_vps')
    model = case.config['config']['model'] | dict(object_mask_threshold=1.0)
    config = case.config | dict(config=case.config['config'] | dict(model=model))
    masks = case.expected['pred_masks']
    expected = {name: none(0) for name in case.expected} | dict(pred_masks=torch.zeros_like(masks))
    assert replayed(replace(case, config=config, expected=expected)) == expected.keys()


def test_surplus_results_fail():
    case = recorded('minvis_post')
    fewer = {n: t[:-1] if n.startswith('result.') else t for n, t in case.expected.items()}
    comparison = Comparison(replace(case, expected=fewer))
    REPLAYERS[case.kind](case, comparison)
    failed = {row.name: row.note for row in comparison.finish() if not row.passed}
    assert failed['result.scores'] == 'shape (10,), recorded (9,)'
    assert failed.keys() == {'result.scores', 'result.labels', 'result.masks'}
