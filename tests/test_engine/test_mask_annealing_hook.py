import json
from types import SimpleNamespace

import pytest
import torch
import toy
from helpers import REPOSITORY
from query_vits import query_model

from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.engine.hooks import MaskAnnealingHook
from mmvseg.errors import UserError
from mmvseg.registry import MODELS

TABLE = REPOSITORY / 'tests' / 'data' / 'videomt_optimisation' / 'annealing.json'


class Log:
    def __init__(self):
        self.lines = []

    def warning(self, line):
        self.lines.append(line)


def runner_at(model, iteration, max_iters=88692):
    return SimpleNamespace(model=model, iter=iteration, max_iters=max_iters, logger=Log())


def test_probabilities_are_the_published_ones():
    table = json.loads(TABLE.read_text())
    hook, model = (
        MaskAnnealingHook(table['starts'], table['ends']),
        query_model('EoMT', depth=4, num_query_blocks=4),
    )
    for step, *expected in table['rows']:
        model.mask_probabilities.fill_(7)
        hook.before_train(runner_at(model, step))
        assert model.mask_probabilities.tolist() == pytest.approx(expected, abs=1e-7), step
        model.mask_probabilities.fill_(7)
        hook.after_train_iter(runner_at(model, step - 1), 0)
        assert model.mask_probabilities.tolist() == pytest.approx(expected, abs=1e-7), step


def test_the_buffer_stays_the_same_tensor():
    model = query_model('EoMT', depth=2, num_query_blocks=2).half()
    known = model.mask_probabilities
    MaskAnnealingHook([0, 4], [4, 8]).before_train(runner_at(model, 6))
    assert model.mask_probabilities is known
    assert known.dtype == torch.float16
    assert known.tolist() == pytest.approx([0, 0.5**0.9], abs=1e-3)


@pytest.mark.parametrize(
    ('model', 'steps', 'message'),
    [
        (query_model(), 1, r'custom_hooks: .* mask_probabilities.* model\.type is VidEoMT; remove'),
        (
            query_model('EoMT', depth=3, num_query_blocks=3),
            4,
            r'custom_hooks: .* of 4 query blocks, .* model has 3 ',
        ),
    ],
)
def test_models_that_it_does_not_fit(model, steps, message):
    hook = MaskAnnealingHook([0] * steps, [1] * steps)
    with pytest.raises(UserError, match=message):
        hook.before_train(runner_at(model, 0))


@pytest.mark.parametrize(
    ('starts', 'ends', 'message'),
    [
        ([0, 1], [2], r'custom_hooks: MaskAnnealingHook has 2 starts and 1 ends'),
        ([5], [5], r'custom_hooks: .* start 5 and the end 5'),
        ([-1], [5], r'custom_hooks: .* start -1 and the end 5'),
        ([0.5], [5], r'custom_hooks: MaskAnnealingHook starts = \[0\.5\]: '),
        ([1], 5, r'custom_hooks: MaskAnnealingHook ends = 5: '),
    ],
)
def test_steps_of_no_use_are_refused(starts, ends, message):
    with pytest.raises(UserError, match=message):
        MaskAnnealingHook(starts, ends)


def test_a_training_that_ends_before_the_masks_do_says_so():
    runner = runner_at(query_model('EoMT'), 0, max_iters=10)
    MaskAnnealingHook([2], [10]).before_train(runner)
    assert not runner.logger.lines
    MaskAnnealingHook([2], [11]).before_train(runner)
    assert 'ends at 11, after train_cfg.max_iters = 10' in runner.logger.lines[0]


@MODELS.register_module()
class MaskedToy(toy.ToySegmentor):
    """Notes the probabilities that each training iteration finds."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.register_buffer('mask_probabilities', torch.ones(2))
        self.seen = []

    def loss(self, inputs, data_samples):
        self.seen.append(self.mask_probabilities.tolist())
        return super().loss(inputs, data_samples)


def train(config, work_dir, **options):
    hooks = [dict(type='MaskAnnealingHook', starts=[0, 4], ends=[4, 8])]
    runner = toy.make_runner(
        config, work_dir, custom_hooks=hooks, model__type='MaskedToy', **options
    )
    runner.train()
    return runner.model.seen


def test_resumed_and_new_trainings(toy_config, tmp_path):
    seen = train(toy_config, tmp_path / 'whole')
    falls = [(1 - step / 4) ** 0.9 for step in range(4)]
    flat = [value for pair in seen for value in pair]
    assert flat[::2] == pytest.approx([*falls, 0, 0, 0, 0])
    assert flat[1::2] == pytest.approx([1, 1, 1, 1, *falls])

    saved = load_checkpoint_file(tmp_path / 'whole' / 'iter_4.pth')['state_dict']
    assert saved['mask_probabilities'].tolist() == seen[4]
    last = tmp_path / 'whole' / 'iter_8.pth'
    assert load_checkpoint_file(last)['state_dict']['mask_probabilities'].tolist() == [0, 0]

    middle = str(tmp_path / 'whole' / 'iter_4.pth')
    assert train(toy_config, tmp_path / 'resumed', resume=True, load_from=middle) == seen[4:]
    assert train(toy_config, tmp_path / 'new', load_from=str(last)) == seen
