"""Two processes on gloo, forked so that nothing is imported again."""

import multiprocessing
import os
import socket
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist
import toy

from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.engine.distributed import init_distributed, on_main_process
from mmvseg.errors import UserError


def free_port():
    with socket.socket() as server:
        server.bind(('127.0.0.1', 0))
        return server.getsockname()[1]


def in_two_processes(function, *args):
    """``function(rank, *args)`` in two processes of one group; the sorted results."""
    context = multiprocessing.get_context('fork')
    results, port = context.Queue(), free_port()

    def work(rank):
        os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2')
        os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
        try:
            results.put((rank, function(rank, *args)))
        except BaseException as error:
            results.put((rank, error))
            raise
        finally:
            if dist.is_initialized():
                dist.destroy_process_group()

    processes = [context.Process(target=work, args=(rank,)) for rank in range(2)]
    for process in processes:
        process.start()
    outcome = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    for _, result in outcome:
        if isinstance(result, BaseException):
            raise result
    return [result for _, result in sorted(outcome, key=lambda pair: pair[0])]


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


def test_timeout_reaches_gloo(monkeypatch):
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR', 'MASTER_PORT'):
        monkeypatch.setenv(name, '0')
    monkeypatch.setattr('mmvseg.engine.distributed.get_device', lambda: 'cpu')
    calls = []
    monkeypatch.setattr(dist, 'init_process_group', lambda *args, **kw: calls.append((args, kw)))
    init_distributed('pytorch', timeout_s=7)
    assert calls == [(('gloo',), dict(timeout=timedelta(seconds=7)))]
