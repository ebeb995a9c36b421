"""Two processes on gloo."""

import os
import signal
import threading
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist
import toy
from two_processes import (
    in_two_processes,
    threads_of_gloo,
    threads_of_gloo_left,
    two_processes,
)

from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.engine.distributed import distributed_command_line, init_distributed, on_main_process
from mmvseg.errors import UserError


def train(rank, config, work_dir, options):
    runner = toy.make_runner(config, work_dir, launcher='pytorch', **options)
    runner.train()
    return {k: v.detach().numpy() for k, v in runner.model.module.named_parameters()}


def test_two_processes_resume_like_they_would_have_gone_on(toy_config, tmp_path):
    options = dict(train_dataloader__batch_size=1)
    whole = in_two_processes(train, toy_config, tmp_path / 'whole', options)
    for name, weight in whole[0].items():
        assert (weight == whole[1][name]).all(), name
    checkpoint = tmp_path / 'whole' / 'iter_4.pth'
    assert len(load_checkpoint_file(checkpoint)['rng']) == 2
    options.update(resume=True, load_from=str(checkpoint))
    resumed = in_two_processes(train, toy_config, tmp_path / 'resumed', options)
    for name, weight in whole[0].items():
        assert (weight == resumed[0][name]).all(), name


def test_two_processes_measure_the_same(toy_config, tmp_path):
    state = toy.make_runner(toy_config, tmp_path / 'init').model.state_dict()
    torch.save(dict(state_dict=state), tmp_path / 'weights.pth')
    options = dict(load_from=str(tmp_path / 'weights.pth'))
    one = toy.make_runner(toy_config, tmp_path / 'one', **options).test()
    assert set(one) == {'video_1', 'video_2', 'video_3'}

    def measure(rank):
        runner = toy.make_runner(toy_config, tmp_path / 'two', launcher='pytorch', **options)
        return runner.test()

    assert in_two_processes(measure) == [one, one]


def test_launcher_without_its_variables(monkeypatch):
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match=r'RANK, WORLD_SIZE, LOCAL_RANK are not set'):
        init_distributed('pytorch')


def test_error_of_the_first_process_reaches_all():
    def fail():
        raise UserError('disk full')

    def work(rank):
        init_distributed('pytorch', timeout_s=60)
        done = []
        on_main_process(lambda: done.append(rank))
        with pytest.raises(UserError, match='disk full'):
            on_main_process(fail)
        return done

    assert in_two_processes(work) == [[0], []]


def test_group_is_left_when_a_tool_has_trained(toy_config, tmp_path):
    @distributed_command_line
    def main():
        runner = toy.make_runner(toy_config, tmp_path, launcher='pytorch')
        runner.train()
        assert threads_of_gloo()

    def work(rank):
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code, dist.is_initialized(), threads_of_gloo_left()

    assert in_two_processes(work) == [(0, False, [])] * 2


def test_process_that_fails_alone_waits_for_no_other(capfd):
    @distributed_command_line
    def main():
        init_distributed('pytorch', timeout_s=1000)
        if dist.get_rank() == 0:
            threading.Event().wait()  # for ever, until killed
        dist.all_reduce(torch.ones(1), async_op=True)
        raise UserError('disk full')

    with two_processes(lambda rank: main()) as (processes, _):
        processes[1].join(60)
        assert [process.exitcode for process in processes] == [None, 1]
    assert capfd.readouterr().err.count('error: disk full') == 1


def test_process_whose_partner_is_killed_says_so_in_a_line(capfd):
    @distributed_command_line
    def main():
        init_distributed('pytorch', timeout_s=60)
        dist.barrier()
        if dist.get_rank() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        dist.all_reduce(torch.ones(1))

    with two_processes(lambda rank: main()) as (processes, _):
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [1, -signal.SIGKILL]
    shown = capfd.readouterr().err
    assert shown.count('error: process 0 of 2 ends: another process of this run has ended') == 1
    assert 'Traceback' not in shown


def test_processes_that_fail_together_end_together(capfd):
    def fail():
        raise UserError('disk full')

    @distributed_command_line
    def main():
        init_distributed('pytorch', timeout_s=60)
        on_main_process(fail)

    with two_processes(lambda rank: main()) as (processes, _):
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [1, 1]
    shown = capfd.readouterr().err
    assert shown.count('error: disk full') == 2
    assert 'Traceback' not in shown


def test_unforeseen_error_shows_where_it_was_raised(capfd):
    @distributed_command_line
    def main():
        init_distributed('pytorch', timeout_s=60)
        dist.barrier()  # the first process must not end before the second has joined
        raise IndexError('beyond the end')

    with two_processes(lambda rank: main()) as (processes, _):
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [1, 1]
    assert capfd.readouterr().err.count('IndexError: beyond the end') == 2


def test_timeout_reaches_gloo(monkeypatch):
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT'):
        monkeypatch.setenv(name, '0')
    monkeypatch.setattr('mmvseg.engine.distributed.get_device', lambda: 'cpu')
    calls = []
    monkeypatch.setattr(dist, 'init_process_group', lambda *args, **kw: calls.append((args, kw)))
    init_distributed('pytorch', timeout_s=7)
    assert calls == [(('gloo',), dict(timeout=timedelta(seconds=7)))]
