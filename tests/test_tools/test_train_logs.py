"""``train --log``: the numbers arrive at their iterations, and ``--resume`` goes on in the run."""

import json
import struct
import sys
from itertools import count

import pytest
import toy
from tool import run_tool

from mmvseg.engine import VideoRunner
from mmvseg.engine.config import load_config

_names = count()


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp('train_logs')
    toy.write_videos(folder / 'data')
    return toy.write_config(folder)


@pytest.fixture
def train(config, tmp_path):
    def run(*args, iterations):
        options = [f'train_cfg.max_iters={iterations}', 'train_cfg.val_interval=2']
        # mmengine keeps visualizers by this name for the life of a process
        options.append(f'visualizer.name=logs_{next(_names)}')
        work_dir = str(tmp_path / 'work')
        return run_tool(
            'train', str(config), '--work-dir', work_dir, *args, '--cfg-options', *options
        )

    return run


@pytest.fixture
def logged(train, tmp_path):
    """Train four iterations, then two more; the local log of losses and scores by step."""

    def run(name):
        assert train('--log', name, iterations=4) == 0
        assert train('--log', name, '--resume', iterations=6) == 0
        local = {}
        for path in sorted(tmp_path.glob('work/*/vis_data/scalars.json')):
            for row in map(json.loads, path.read_text().splitlines()):
                for key in {'loss', 'video_1'} & row.keys():
                    local.setdefault(key, {})[row['step']] = pytest.approx(row[key], abs=1e-6)
        assert [*local['loss']] == [1, 2, 3, 4, 5, 6]
        assert [*local['video_1']] == [2, 4, 6]
        return local

    return run


def test_a_config_can_name_them(train, monkeypatch, capsys, config, tmp_path):
    monkeypatch.setitem(sys.modules, 'wandb', None)
    path = config.parent / 'with_log.py'
    path.write_text(f"{config.read_text()}log_to = ['wandb']\n")
    assert run_tool('train', str(path), '--work-dir', str(tmp_path / 'work')) == 1
    assert 'error: --log wandb: wandb is not installed' in capsys.readouterr().err


def test_what_tests_never_starts_them(config, tmp_path, monkeypatch):
    for name in ('wandb', 'mlflow', 'torch.utils.tensorboard'):
        monkeypatch.setitem(sys.modules, name, None)
    cfg = load_config(config, dict(log_to=['tensorboard', 'wandb', 'mlflow']))
    cfg.work_dir = str(tmp_path / 'work')
    cfg.visualizer.name = f'logs_{next(_names)}'
    for part in ('train', 'val'):
        cfg[f'{part}_cfg'] = cfg[f'{part}_dataloader'] = None
    cfg.val_evaluator = cfg.optim_wrapper = cfg.param_scheduler = None
    built = VideoRunner.from_cfg(cfg).visualizer
    assert [*built._vis_backends] == ['LocalVisBackend']


@pytest.mark.parametrize(
    ('name', 'module', 'package'),
    [
        ('tensorboard', 'torch.utils.tensorboard', 'tensorboard'),
        ('wandb', 'wandb', 'wandb'),
        ('mlflow', 'mlflow', 'mlflow'),
    ],
)
def test_a_missing_package_is_one_line(train, tmp_path, monkeypatch, capsys, name, module, package):
    monkeypatch.setitem(sys.modules, module, None)
    assert train('--log', name, iterations=2) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f'error: --log {name}: {package} is not installed or does not work')
    assert line.endswith(f'pip install {package}')
    assert not (tmp_path / 'work').exists()


def test_another_name(train, capsys):
    assert train('--log', 'paper', iterations=2) == 2
    assert 'invalid choice' in capsys.readouterr().err


def test_tensorboard(logged, tmp_path):
    pytest.importorskip('tensorboard')
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    local = logged('tensorboard')
    events = EventAccumulator(str(tmp_path / 'work/tensorboard'))
    events.Reload()
    for name, values in local.items():
        assert {event.step: event.value for event in events.Scalars(name)} == values
    assert not [*tmp_path.glob('work/*/vis_data/*tfevents*')]  # nor anywhere else
    assert 'config/text_summary' in events.Tags()['tensors']


def records(path):
    """Those of an offline run: blocks of 32 kB of parts, each with checksum, size and kind."""
    from wandb.proto import wandb_internal_pb2

    data, position, parts = path.read_bytes(), 7, b''
    while position + 7 <= len(data):
        rest_of_block = 2**15 - position % 2**15
        if rest_of_block < 7:
            position += rest_of_block
            continue
        size, kind = struct.unpack_from('<HB', data, position + 4)
        parts += data[position + 7 : position + 7 + size]
        position += 7 + size
        if kind in (1, 4):  # whole, or the last part
            yield wandb_internal_pb2.Record.FromString(parts)
            parts = b''


def test_wandb(logged, tmp_path, monkeypatch):
    pytest.importorskip('wandb')
    monkeypatch.setenv('WANDB_MODE', 'offline')
    for name in ('WANDB_PROJECT', 'WANDB_NAME', 'WANDB_RUN_ID', 'WANDB_DIR'):
        monkeypatch.delenv(name, raising=False)
    local = logged('wandb')
    files = sorted(tmp_path.glob('work/wandb/offline-run-*/*.wandb'))
    assert len(files) == 2
    runs, found = set(), {name: {} for name in local}
    for record in (record for path in files for record in records(path)):
        if record.HasField('run'):
            runs.add((record.run.run_id, record.run.display_name, record.run.project))
        items = {
            item.key or item.nested_key[0]: json.loads(item.value_json)
            for item in record.history.item
        }
        for name in found.keys() & items.keys():
            found[name][items['iter']] = items[name]
    assert found == local
    ((_, name, project),) = runs
    assert (name, project) == ('work', 'mmvseg')


def test_mlflow(logged, tmp_path, monkeypatch):
    mlflow = pytest.importorskip('mlflow')
    for name in ('MLFLOW_TRACKING_URI', 'MLFLOW_EXPERIMENT_NAME', 'MLFLOW_RUN_ID'):
        monkeypatch.delenv(name, raising=False)
    local = logged('mlflow')
    client = mlflow.MlflowClient(f'sqlite:///{tmp_path}/work/mlflow.db')
    experiment = client.get_experiment_by_name('mmvseg')
    (run,) = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == 'work'
    assert run.data.params['train_cfg.max_iters'] == '4'  # of the start that began the run
    for name, values in local.items():
        history = client.get_metric_history(run.info.run_id, name)
        assert {metric.step: metric.value for metric in history} == values
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ['config.py']


def test_mlflow_where_its_server_cannot_be_reached(train, monkeypatch, capsys):
    pytest.importorskip('mlflow')
    monkeypatch.setenv('MLFLOW_TRACKING_URI', 'http://127.0.0.1:9')
    monkeypatch.setenv('MLFLOW_HTTP_REQUEST_MAX_RETRIES', '0')
    assert train('--log', 'mlflow', iterations=2) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith('error: mlflow: ')
