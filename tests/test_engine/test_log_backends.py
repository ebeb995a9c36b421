import json

import pytest
from mmengine.config import Config

from mmvseg.commands.train import LOGS
from mmvseg.engine.log_backends import (
    LOG_BACKENDS,
    RUN_IDS,
    MLflowLog,
    TensorboardLog,
    WandbLog,
    add_log_backends,
)
from mmvseg.errors import UserError
from mmvseg.registry import VISBACKENDS


def types(cfg):
    return [backend['type'] for backend in cfg.visualizer.vis_backends]


def config(**visualizer):
    return Config(dict(work_dir='work', visualizer=dict(type='Visualizer', **visualizer)))


def test_the_command_offers_what_there_is():
    assert set(LOGS) == set(LOG_BACKENDS)
    for backend in LOG_BACKENDS.values():
        assert {VISBACKENDS.get(kind).__name__ for kind in backend.kinds} == set(backend.kinds)
        assert VISBACKENDS.get(backend.kind).__name__ == backend.kind


@pytest.mark.parametrize('given', [[dict(type='LocalVisBackend')], dict(type='LocalVisBackend')])
def test_adds_to_what_there_is(given):
    cfg = config(vis_backends=given)
    add_log_backends(cfg, ['wandb', 'tensorboard', 'wandb'])
    assert types(cfg) == ['LocalVisBackend', 'WandbLog', 'TensorboardLog']


def test_a_config_without_visualizer_keeps_the_local_log():
    cfg = Config(dict(work_dir='work', visualizer=None))
    add_log_backends(cfg, ['mlflow'])
    assert types(cfg) == ['LocalVisBackend', 'MLflowLog']


def test_one_of_the_config_stays():
    backends = [dict(type='LocalVisBackend'), dict(type='WandbVisBackend', commit=False)]
    cfg = config(vis_backends=backends)
    add_log_backends(cfg, ['wandb'])
    assert cfg.visualizer.vis_backends == backends


def test_without_names_nothing_changes():
    cfg = Config(dict(work_dir='work', visualizer=None))
    add_log_backends(cfg, [])
    assert cfg.visualizer is None


@pytest.mark.parametrize('resume', [False, True])
def test_knows_whether_the_training_continues(resume):
    cfg = config()
    cfg.resume = resume
    add_log_backends(cfg, ['wandb'])
    assert cfg.visualizer.vis_backends[0].continues is resume


def test_a_run_has_the_name_of_its_work_dir(tmp_path, monkeypatch):
    for name in ('WANDB_PROJECT', 'WANDB_NAME'):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / RUN_IDS).write_text('{"wandb": "abc"}')
    begun, continued = (WandbLog(str(tmp_path), c)._init_kwargs for c in (False, True))
    assert begun == dict(project='mmvseg', name=tmp_path.name)
    assert continued == begun | dict(id='abc', resume='allow')
    monkeypatch.setenv('WANDB_PROJECT', 'mine')
    assert WandbLog(str(tmp_path))._init_kwargs['project'] == 'mine'
    assert MLflowLog(str(tmp_path), continues=True)._run_id is None


@pytest.mark.parametrize('text', ['{"wandb": ', '[]', '{"wandb": 3}'])
def test_damaged_notes_of_runs(tmp_path, text):
    (tmp_path / RUN_IDS).write_text(text)
    with pytest.raises(UserError, match=rf'{RUN_IDS}: is damaged; delete it'):
        WandbLog(str(tmp_path), continues=True)


def scalars(folder):
    accumulator = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    events = accumulator.EventAccumulator(str(folder / 'tensorboard'))
    events.Reload()
    return {
        name: {event.step: round(event.value, 4) for event in events.Scalars(name)}
        for name in events.Tags()['scalars']
    }


def log(folder, values, **options):
    backend = TensorboardLog(str(folder), **options)
    for step, value in values.items():
        backend.add_scalars(dict(loss=value), step)
    backend.close()


def test_tensorboard_shows_a_continued_training_as_one(tmp_path):
    pytest.importorskip('tensorboard')
    log(tmp_path, {10: 4, 20: 3, 30: 2})
    log(tmp_path, {20: 3.5}, continues=True)
    assert scalars(tmp_path) == dict(loss={10: 4, 20: 3.5})


def test_tensorboard_shows_a_new_training_alone(tmp_path):
    pytest.importorskip('tensorboard')
    log(tmp_path, {10: 4, 20: 3})
    log(tmp_path, {15: 5})
    assert scalars(tmp_path) == dict(loss={15: 5})


def test_mlflow_takes_names_that_it_does_not_know(tmp_path, monkeypatch):
    mlflow = pytest.importorskip('mlflow')
    monkeypatch.delenv('MLFLOW_TRACKING_URI', raising=False)
    backend = MLflowLog(str(tmp_path))
    backend.add_scalars({'vps/VPQ@4': 0.5, 'loss': float('nan')}, 7)
    backend.close()
    run_id = json.loads((tmp_path / RUN_IDS).read_text())['mlflow']
    run = mlflow.MlflowClient(f'sqlite:///{tmp_path}/mlflow.db').get_run(run_id)
    assert run.info.status == 'FINISHED'
    assert run.info.run_name == tmp_path.name
    assert run.data.metrics['vps/VPQ_4'] == 0.5
