import multiprocessing
import os
import signal

import pytest
import torch
import toy
from mmengine.hooks import Hook

from mmvseg.checkpoints import files as checkpoint_files
from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.checkpoints.latest import find_latest_checkpoint
from mmvseg.errors import UserError

EMA = [dict(type='EMAHook', momentum=0.1, update_buffers=True)]
ONE_CYCLE = [dict(type='OneCycleLR', eta_max=0.01, total_steps=8, by_epoch=False)]
WARM_UP = [dict(type='WarmUpPolyLR', warm_up=2, encoder_warm_up=3, by_epoch=False)]
ENCODER = dict(custom_keys=dict(backbone=dict(encoder=True)))


def losses(work_dir, iteration=8):
    checkpoint = load_checkpoint_file(work_dir / f'iter_{iteration}.pth')
    return checkpoint['message_hub']['log_scalars']['train/loss']['log_history']


def assert_same_end(one, other):
    """Equal losses, weights, averaged weights and optimizer state after the last iteration."""
    assert losses(one) == losses(other)
    a, b = (load_checkpoint_file(folder / 'iter_8.pth') for folder in (one, other))
    for part in ('state_dict', 'ema_state_dict'):
        assert (part in a) == (part in b)
        for name, tensor in a.get(part, {}).items():
            assert torch.equal(tensor, b[part][name]), name
    assert a['optimizer']['param_groups'] == b['optimizer']['param_groups']
    for index, state in a['optimizer']['state'].items():
        assert torch.equal(state['exp_avg_sq'], b['optimizer']['state'][index]['exp_avg_sq'])


@pytest.mark.parametrize(
    'options',
    [
        dict(),
        dict(custom_hooks=EMA, train_dataloader__num_workers=1),
        dict(param_scheduler=ONE_CYCLE, validate=True, train_cfg__val_interval=4),
        dict(param_scheduler=WARM_UP, optim_wrapper__paramwise_cfg=ENCODER),
        dict(optim_wrapper__type='BFloat16OptimWrapper', optim_wrapper__accumulative_counts=2),
        pytest.param(
            dict(optim_wrapper__type='AmpOptimWrapper', optim_wrapper__dtype='float16'),
            marks=pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU'),
        ),
    ],
    ids=['plain', 'ema-workers', 'onecycle-validation', 'warm-up', 'bf16-accumulation', 'fp16'],
)
def test_resumed_run_equals_the_undisturbed_one(toy_config, tmp_path, options):
    toy.make_runner(toy_config, tmp_path / 'whole', **options).train()
    checkpoint = tmp_path / 'whole' / 'iter_4.pth'
    resumed = dict(options, resume=True, load_from=str(checkpoint), randomness__seed=7)
    toy.make_runner(toy_config, tmp_path / 'resumed', **resumed).train()
    assert_same_end(tmp_path / 'whole', tmp_path / 'resumed')


class Kill(Hook):
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if batch_idx == 4:
            os.kill(os.getpid(), signal.SIGKILL)


def test_killed_training_continues_with_the_same_losses(toy_config, tmp_path):
    def train():
        runner = toy.make_runner(toy_config, tmp_path / 'killed')
        runner.register_hook(Kill())
        runner.train()

    process = multiprocessing.get_context('fork').Process(target=train)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    last = find_latest_checkpoint(tmp_path / 'killed')
    assert last.name == 'iter_4.pth'
    options = dict(resume=True, load_from=str(last))
    toy.make_runner(toy_config, tmp_path / 'killed', **options).train()
    toy.make_runner(toy_config, tmp_path / 'whole').train()
    assert_same_end(tmp_path / 'whole', tmp_path / 'killed')


def test_crash_while_saving_leaves_the_checkpoint_before(toy_config, tmp_path, monkeypatch):
    runner = toy.make_runner(toy_config, tmp_path, default_hooks__checkpoint__max_keep_ckpts=1)
    save = torch.save

    def crash_at_4(value, file):
        if value['meta']['iter'] == 4:
            file.write(b'half')
            raise KeyboardInterrupt
        save(value, file)

    monkeypatch.setattr(checkpoint_files.torch, 'save', crash_at_4)
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    assert find_latest_checkpoint(tmp_path).name == 'iter_2.pth'
    assert load_checkpoint_file(tmp_path / 'iter_2.pth')['meta']['iter'] == 2


def test_outdated_checkpoints_are_removed(toy_config, tmp_path):
    toy.make_runner(toy_config, tmp_path, default_hooks__checkpoint__max_keep_ckpts=2).train()
    assert sorted(p.name for p in tmp_path.glob('*.pth')) == ['iter_6.pth', 'iter_8.pth']


def test_resume_needs_a_training_state(toy_config, tmp_path):
    runner = toy.make_runner(toy_config, tmp_path, train_cfg__max_iters=2)
    runner.train()
    weights = load_checkpoint_file(tmp_path / 'iter_2.pth')
    del weights['optimizer']
    torch.save(weights, tmp_path / 'weights.pth')
    options = dict(resume=True, load_from=str(tmp_path / 'weights.pth'))
    with pytest.raises(UserError, match=r'no training state.*load_from='):
        toy.make_runner(toy_config, tmp_path / 'b', **options).train()


def test_resume_with_other_classes_names_them(toy_config, tmp_path):
    toy.make_runner(toy_config, tmp_path, train_cfg__max_iters=2).train()
    checkpoint = load_checkpoint_file(tmp_path / 'iter_2.pth')
    checkpoint['meta']['dataset_meta']['classes'] = ('red', 'blue')
    torch.save(checkpoint, tmp_path / 'blue.pth')
    options = dict(resume=True, load_from=str(tmp_path / 'blue.pth'))
    with pytest.raises(UserError, match='only in the checkpoint: blue; only in the data: green'):
        toy.make_runner(toy_config, tmp_path / 'b', **options).train()


def test_pretrained_weights_of_other_classes_start_a_training(toy_config, tmp_path):
    state = toy.make_runner(toy_config, tmp_path).model.state_dict()
    state['head.fc_cls.weight'] = torch.zeros(80, 4)
    state['head.fc_cls.bias'] = torch.zeros(80)
    torch.save(dict(state_dict=state), tmp_path / 'coco.pth')
    options = dict(load_from=str(tmp_path / 'coco.pth'), train_cfg__max_iters=1)
    runner = toy.make_runner(toy_config, tmp_path / 'run', **options)
    runner.train()
    log = next((tmp_path / 'run').rglob('*.log')).read_text()
    assert 'head.fc_cls: 2 tensors' in log


def test_accumulation_must_not_straddle_checkpoints(toy_config, tmp_path):
    runner = toy.make_runner(toy_config, tmp_path, optim_wrapper__accumulative_counts=3)
    with pytest.raises(UserError, match='interval = 2 is no multiple'):
        runner.train()


def test_accumulated_gradients_step_together(toy_config, tmp_path):
    options = {
        'optim_wrapper__accumulative_counts': 4,
        'default_hooks__checkpoint__interval': 4,
        'train_cfg__max_iters': 4,
    }
    runner = toy.make_runner(toy_config, tmp_path, **options)
    steps = []
    weights = runner.model.backbone.weight

    class Watch(toy.Hook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            steps.append(weights.detach().clone())

    runner.register_hook(Watch())
    runner.train()
    assert torch.equal(steps[0], steps[2])
    assert not torch.equal(steps[2], steps[3])


def test_resume_without_meta(toy_config, tmp_path):
    toy.make_runner(toy_config, tmp_path, train_cfg__max_iters=2).train()
    checkpoint = load_checkpoint_file(tmp_path / 'iter_2.pth')
    del checkpoint['meta']
    torch.save(checkpoint, tmp_path / 'bare.pth')
    options = dict(resume=True, load_from=str(tmp_path / 'bare.pth'))
    with pytest.raises(UserError, match=r'missing: meta.*load_from='):
        toy.make_runner(toy_config, tmp_path / 'b', **options).train()


def test_resume_with_other_parameter_groups(toy_config, tmp_path):
    toy.make_runner(toy_config, tmp_path, train_cfg__max_iters=2).train()
    options = dict(resume=True, load_from=str(tmp_path / 'iter_2.pth'))
    options['optim_wrapper__paramwise_cfg'] = dict(custom_keys=dict(head=dict(lr_mult=0.1)))
    with pytest.raises(UserError, match=r'parameter group.*another optimizer set-up.*load_from='):
        toy.make_runner(toy_config, tmp_path / 'b', **options).train()


def test_last_checkpoint_that_cannot_be_written(toy_config, tmp_path):
    (tmp_path / 'last_checkpoint').mkdir()
    with pytest.raises(UserError, match='last_checkpoint: cannot be written'):
        toy.make_runner(toy_config, tmp_path, train_cfg__max_iters=2).train()


def start_from(toy_config, folder, classes):
    """Start a training from weights whose classes are named ``classes``.

    Returns:
        The weights, those that hooks see, those that the training starts from, and the log.
    """
    folder.mkdir()
    toy.make_runner(toy_config, folder / 'first', train_cfg__max_iters=2).train()
    checkpoint = load_checkpoint_file(folder / 'first/iter_2.pth')
    checkpoint['meta']['dataset_meta']['classes'] = classes
    torch.save(checkpoint, folder / 'named.pth')
    options = dict(load_from=str(folder / 'named.pth'), train_cfg__max_iters=1)
    runner = toy.make_runner(
        toy_config, folder / 'run', optim_wrapper__optimizer__lr=0.0, **options
    )
    seen = {}

    class Watch(toy.Hook):
        def after_load_checkpoint(self, runner, checkpoint):
            seen.update(checkpoint['state_dict'])

    runner.register_hook(Watch())
    runner.train()
    log = next((folder / 'run').rglob('*.log')).read_text()
    return checkpoint['state_dict'], seen, runner.model.state_dict(), log


def test_load_from_moves_the_rows_of_classes_in_another_order(toy_config, tmp_path):
    theirs, seen, ours, log = start_from(toy_config, tmp_path / 'a', ('green', 'red'))
    for kind in ('weight', 'bias'):
        name = f'head.fc_cls.{kind}'
        assert torch.equal(ours[name], theirs[name].flip(0))
        assert torch.equal(seen[name], ours[name])  # what an average would start from
    assert 'another order than the data: the rows of its class heads are moved by name' in log
    theirs, _, ours, log = start_from(toy_config, tmp_path / 'b', ('red', 'green'))
    assert torch.equal(ours['head.fc_cls.weight'], theirs['head.fc_cls.weight'])
    assert 'by name' not in log


def test_load_from_of_other_classes_starts_them_anew(toy_config, tmp_path):
    theirs, _, ours, log = start_from(toy_config, tmp_path / 'a', ('blue', 'red'))
    assert torch.equal(ours['head.fc_cls.weight'][0], theirs['head.fc_cls.weight'][1])
    assert not torch.equal(ours['head.fc_cls.weight'][1], theirs['head.fc_cls.weight'][0])
    assert torch.equal(ours['backbone.weight'], theirs['backbone.weight'])
    assert '1 of the 2 classes' in log
    assert 'the others anew: green' in log


def test_no_workers_cannot_be_persistent(toy_config, tmp_path):
    runner = toy.make_runner(toy_config, tmp_path, train_dataloader__persistent_workers=True)
    assert len(next(iter(runner.build_dataloader(runner._train_dataloader)))['inputs']) == 2
