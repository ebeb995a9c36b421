import json

import pytest
import torch
import toy

from mmvseg.datasets import VideoDataset
from mmvseg.engine.loops import worker_errors
from mmvseg.engine.rng import get_rng_state, preserved_rng, set_rng_state
from mmvseg.errors import UserError
from mmvseg.evaluation import ResultsWriter


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
    add, written = ResultsWriter.add, []

    def interrupted(self, video_id, entries):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(video_id)
        add(self, video_id, entries)

    monkeypatch.setattr(ResultsWriter, 'add', interrupted)
    with pytest.raises(KeyboardInterrupt):
        runner('parts').test()
    monkeypatch.setattr(ResultsWriter, 'add', add)
    rest = runner('parts').test()
    assert len(rest) == 1
    assert {f'video_{i}' for i in written}.isdisjoint(rest)
    whole, parts = (tmp_path / name / 'results.json' for name in ('whole', 'parts'))
    assert whole.read_bytes() == parts.read_bytes()
    assert [entry['video_id'] for entry in json.loads(whole.read_text())] == [1, 1, 2, 2, 3, 3]


def test_half_precision_changes_little(toy_config, tmp_path, weights):
    full = toy.make_runner(toy_config, tmp_path, load_from=weights).test()
    half = toy.make_runner(toy_config, tmp_path, load_from=weights, test_cfg__fp16=True).test()
    assert half == pytest.approx(full, abs=0.02)
    assert half != full


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
