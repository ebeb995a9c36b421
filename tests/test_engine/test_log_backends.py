import json
import os

import pytest
from mmengine.logging import MMLogger

from mmvseg.commands.train import LOGS
from mmvseg.engine.log_backends import (
    LOG_BACKENDS,
    RUN_IDS,
    MLflowLog,
    TensorboardLog,
    WandbLog,
    check_log_to,
    with_log_backends,
)
from mmvseg.errors import UserError
from mmvseg.registry import VISBACKENDS

LOCAL = dict(type='LocalVisBackend')


def backends(visualizer, names, continues=False):
    """Types of the back ends of a visualizer that further ones are added to."""
    return with_log_backends(visualizer, names, 'work', continues)['vis_backends']


def types(*args):
    return [backend['type'] for backend in backends(*args)]


def test_the_command_offers_what_there_is():
    assert set(LOGS) == set(LOG_BACKENDS)
    for backend in LOG_BACKENDS.values():
        for kind in (backend.kind, backend.same):
            assert VISBACKENDS.get(kind).__name__ == kind


@pytest.mark.parametrize('given', [[LOCAL], LOCAL])
def test_adds_to_what_there_is(given):
    visualizer = dict(type='Visualizer', vis_backends=given, name='x')
    names = ['wandb', 'tensorboard', 'wandb']
    assert types(visualizer, names) == ['LocalVisBackend', 'WandbLog', 'TensorboardLog']
    assert visualizer['vis_backends'] is given  # the config stays as it is
    assert with_log_backends(visualizer, names, 'work', False)['name'] == 'x'


def test_a_config_without_visualizer_keeps_the_local_log():
    assert types(None, ['mlflow']) == ['LocalVisBackend', 'MLflowLog']


@pytest.mark.parametrize('kind', ['WandbVisBackend', 'WandbLog'])
def test_one_of_the_config_stays(kind):
    given = [LOCAL, dict(type=kind, save_dir='mine')]
    assert backends(dict(vis_backends=given), ['wandb']) == given


@pytest.mark.parametrize('continues', [False, True])
def test_knows_whether_the_training_continues(continues):
    (backend,) = backends(dict(vis_backends=[]), ['wandb'], continues)
    assert backend['continues'] is continues
    assert backend['save_dir'] == os.path.abspath('work')


def test_another_name():
    with pytest.raises(UserError, match="log_to: 'paper' is none of tensorboard, wandb, mlflow"):
        check_log_to(['paper'])


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


def test_a_training_goes_on_without_the_server_of_mlflow(tmp_path, monkeypatch):
    mlflow = pytest.importorskip('mlflow')
    monkeypatch.delenv('MLFLOW_TRACKING_URI', raising=False)

    def lost(*args, **kwargs):
        raise mlflow.exceptions.MlflowException('nobody there')

    def end_run(end=mlflow.end_run):
        end()  # that of this process
        lost()

    logger = MMLogger.get_instance('lost_server')
    backend = MLflowLog(str(tmp_path))
    backend.add_scalars(dict(loss=1), 1)
    monkeypatch.setattr(mlflow, 'log_metrics', lost)
    monkeypatch.setattr(mlflow, 'end_run', end_run)
    warned = []
    logger.addFilter(lambda record: warned.append(record.getMessage()))
    backend.add_scalars(dict(loss=2), 2)
    backend.close()
    assert warned == [
        'mlflow: step 2 is in the local log only (nobody there)',
        'mlflow: the run is not marked as ended (nobody there)',
    ]
