import json
from itertools import pairwise

import pytest
import torch
import toy

from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.datasets import VideoDataset
from mmvseg.engine import loops
from mmvseg.engine.loops import worker_errors
from mmvseg.engine.rng import get_rng_state, preserved_rng, set_rng_state
from mmvseg.errors import NonFiniteError, UserError
from mmvseg.formats.writers import InstanceWriter


@pytest.fixture
def weights(toy_config, tmp_path):
    torch.manual_seed(0)
    path = tmp_path / 'weights.pth'
    torch.save(toy.make_runner(toy_config, tmp_path / 'init').model.state_dict(), path)
    return str(path)


def test_results_are_written_and_an_interrupted_run_goes_on(
    toy_config, tmp_path, weights, monkeypatch
):
    def runner(name):
        options = dict(load_from=weights, test_cfg__out_dir=str(tmp_path / name))
        return toy.make_runner(toy_config, tmp_path / 'work', **options)

    metrics = runner('whole').test()
    assert set(metrics) == {'video_1', 'video_2', 'video_3'}
    add, written = InstanceWriter.add, []

    def interrupted(self, video, result):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(video['video_id'])
        add(self, video, result)

    monkeypatch.setattr(InstanceWriter, 'add', interrupted)
    with pytest.raises(KeyboardInterrupt):
        runner('parts').test()
    monkeypatch.setattr(InstanceWriter, 'add', add)
    rest = runner('parts').test()
    assert len(rest) == 1
    assert {f'video_{i}' for i in written}.isdisjoint(rest)
    whole, parts = (tmp_path / name / 'results.json' for name in ('whole', 'parts'))
    assert whole.read_bytes() == parts.read_bytes()
    assert [entry['video_id'] for entry in json.loads(whole.read_text())] == [1, 1, 2, 2, 3, 3]


def test_half_precision_changes_little(toy_config, tmp_path, weights):
    full = toy.make_runner(toy_config, tmp_path, load_from=weights).test()
    half = toy.make_runner(
        toy_config, tmp_path, load_from=weights, test_cfg__precision='auto'
    ).test()
    assert half == pytest.approx(full, abs=0.02)
    assert half != full


def test_models_are_prepared_for_their_last_use_alone(toy_config, tmp_path, weights, monkeypatch):
    prepared = []
    monkeypatch.setattr(loops, 'prepare_for_inference', lambda *given: prepared.append(given))
    toy.make_runner(
        toy_config, tmp_path / 'train', train_cfg__max_iters=2, train_cfg__val_interval=1
    ).train()
    ema = [dict(type='EMAHook')]  # swaps the weights back after a test
    toy.make_runner(toy_config, tmp_path / 'ema', load_from=weights, custom_hooks=ema).test()
    assert not prepared
    runner = toy.make_runner(toy_config, tmp_path / 'test', load_from=weights)
    runner.test()
    assert prepared == [(runner.model, torch.float32)]


def test_frames_are_sent_ahead_to_the_models_device(toy_config, tmp_path, weights, monkeypatch):
    sent = []

    def send(windows, device):
        for window in windows:
            sent.append((window.frames.dtype, device.type))
            yield window

    monkeypatch.setattr(loops, 'send_ahead', send)
    runner = toy.make_runner(toy_config, tmp_path, load_from=weights)
    runner.test()
    assert sent == [(torch.uint8, 'cpu')] * len(runner.test_dataloader)


def test_test_needs_all_weights(toy_config, tmp_path):
    state = toy.make_runner(toy_config, tmp_path).model.state_dict()
    del state['backbone.bias']
    torch.save(state, tmp_path / 'part.pth')
    with pytest.raises(UserError, match=r'backbone\.bias'):
        toy.make_runner(toy_config, tmp_path, load_from=str(tmp_path / 'part.pth')).test()


@pytest.mark.parametrize('num_workers', [0, 1])
def test_error_of_a_worker_comes_without_its_traceback(
    toy_config, tmp_path, monkeypatch, num_workers
):
    def broken(self, idx):
        raise UserError('frame v0/00001.jpg: cannot be decoded')

    monkeypatch.setattr(VideoDataset, 'prepare_data', broken)
    runner = toy.make_runner(toy_config, tmp_path, train_dataloader__num_workers=num_workers)
    with pytest.raises(UserError) as raised:
        runner.train()
    assert str(raised.value) == 'frame v0/00001.jpg: cannot be decoded'


def test_other_errors_pass_through():
    with pytest.raises(KeyError), worker_errors():
        raise KeyError('a')


def test_rng_is_left_alone_and_restored():
    state = get_rng_state()
    with preserved_rng():
        torch.rand(3)
    assert torch.equal(get_rng_state()['torch'], state['torch'])
    first = torch.rand(3)
    set_rng_state(state)
    assert torch.equal(torch.rand(3), first)


@pytest.fixture
def diverge(monkeypatch):
    """Let the toy model diverge at some iterations; its batch norm has seen the batch by then."""

    def at(iterations):
        loss, calls = toy.ToySegmentor.loss, iter(range(1000))

        def diverging(self, inputs, data_samples):
            losses = loss(self, inputs, data_samples)
            if next(calls) in iterations:
                raise NonFiniteError.diverged("video 'v0': class_logits of layer 3 reach nan")
            return losses

        monkeypatch.setattr(toy.ToySegmentor, 'loss', diverging)

    return at


class Snapshots(toy.Hook):
    """State of model and optimizer after every iteration."""

    def __init__(self):
        self.states = []

    def before_train(self, runner):
        self.after_train_iter(runner)

    def after_train_iter(self, runner, batch_idx=0, data_batch=None, outputs=None):
        tensors = {name: value.clone() for name, value in runner.model.state_dict().items()}
        for name, parameter in runner.model.named_parameters():
            momentum = runner.optim_wrapper.optimizer.state[parameter].get('exp_avg')
            for kind, tensor in (('gradient', parameter.grad), ('momentum', momentum)):
                if tensor is not None:
                    tensors[f'{kind} {name}'] = tensor.clone()
        self.states.append(tensors)

    def unchanged(self):
        """Iterations, from 0, that left everything as it was."""
        return [
            iteration
            for iteration, (old, new) in enumerate(pairwise(self.states))
            if old.keys() == new.keys() and all(torch.equal(old[name], new[name]) for name in old)
        ]


def test_diverged_steps_are_skipped(toy_config, tmp_path, diverge):
    diverge({0, 3, 4})
    runner = toy.make_runner(toy_config, tmp_path, train_cfg__skip_non_finite=True)
    snapshots = Snapshots()
    runner.register_hook(snapshots, priority='VERY_LOW')
    runner.train()
    assert snapshots.unchanged() == [0, 3, 4]
    assert runner.iter == 8
    log = next(tmp_path.rglob('*.log')).read_text()
    for iteration in (1, 4, 5):
        assert f"iteration {iteration} is skipped: video 'v0': class_logits of layer 3" in log
    assert log.count('is skipped') == 3
    assert [f'[{i}/8]' in log for i in range(1, 9)] == [True] * 8
    # the schedule has gone on: halved after iterations 3 and 6
    assert runner.optim_wrapper.get_lr()['lr'] == [pytest.approx(0.01 / 4)]
    last = load_checkpoint_file(tmp_path / 'iter_8.pth')
    assert last['message_hub']['log_scalars']['train/loss']['count_history'] == [1] * 5


def test_progress_is_shown_before_there_is_a_loss(toy_config, tmp_path, diverge, capsys):
    diverge({0, 1})
    hook = dict(type='ProgressHook', interval_s=0.0)
    options = dict(train_cfg__max_iters=3, train_cfg__skip_non_finite=True)
    toy.make_runner(toy_config, tmp_path, default_hooks__progress=hook, **options).train()
    shown = capsys.readouterr().err
    assert 'iteration 2/3, loss -, ' in shown
    assert 'iteration 3/3, loss 0.' in shown


def test_accumulated_gradients_outlive_a_skipped_step(toy_config, tmp_path, diverge):
    diverge({1, 5})
    options = dict(train_cfg__skip_non_finite=True, train_cfg__max_iters=6)
    options['optim_wrapper__accumulative_counts'] = 2
    runner = toy.make_runner(toy_config, tmp_path, **options)
    snapshots = Snapshots()
    runner.register_hook(snapshots, priority='VERY_LOW')
    runner.train()
    weights = [state['backbone.weight'] for state in snapshots.states]
    changed = [not torch.equal(a, b) for a, b in pairwise(weights)]
    # the batch before the skipped step counts in the next one; steps stay at even iterations
    assert changed == [False, False, False, True, False, False]
    assert snapshots.unchanged() == [1, 5]
    assert snapshots.states[2]['gradient backbone.weight'].any()


def test_divergence_ends_a_training_that_does_not_skip(toy_config, tmp_path, diverge):
    diverge({2})
    runner = toy.make_runner(toy_config, tmp_path)
    with pytest.raises(NonFiniteError, match=r"video 'v0'.*train_cfg\.skip_non_finite=True"):
        runner.train()
    assert runner.iter == 2


def test_many_skipped_steps_in_a_row_end_a_training(toy_config, tmp_path, diverge, monkeypatch):
    monkeypatch.setattr(loops, 'MOST_SKIPPED_IN_A_ROW', 3)
    diverge({0, 1, 3, 4, 5})
    runner = toy.make_runner(toy_config, tmp_path, train_cfg__skip_non_finite=True)
    with pytest.raises(UserError, match=r"^3 iterations in a row .* last one 6: video 'v0'"):
        runner.train()
    assert runner.iter == 5
