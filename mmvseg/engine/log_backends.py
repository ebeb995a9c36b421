"""Back ends that a training logs to beside its local log: TensorBoard, Weights & Biases, MLflow.

mmengine's back ends with what they lack here: curves over iterations, a run named after the work
dir, and a continued training that goes on in the same run.
"""

import importlib
import json
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.visualization import (
    MLflowVisBackend,
    TensorboardVisBackend,
    Visualizer,
    WandbVisBackend,
)

from mmvseg.errors import UserError
from mmvseg.files import file_errors, write_json
from mmvseg.registry import VISBACKENDS

from .distributed import on_main_process

PROJECT = 'mmvseg'
#: In the work dir: ids of the runs by back end, for starts that continue.
RUN_IDS = 'log_runs.json'
_NO_NAME = re.compile(r'[^/\w.\- ]')


class LogBackend(NamedTuple):
    """What a name in ``log_to`` stands for.

    Attributes:
        kind: class of the back end.
        same: mmengine's, which does the same in a config.
        module: that has to be importable.
        package: that pip installs for it.
    """

    kind: str
    same: str
    module: str
    package: str


#: What trainings can log to beside their local log, by the names of ``--log`` and ``log_to``.
LOG_BACKENDS = dict(
    tensorboard=LogBackend(
        'TensorboardLog', 'TensorboardVisBackend', 'torch.utils.tensorboard', 'tensorboard'
    ),
    wandb=LogBackend('WandbLog', 'WandbVisBackend', 'wandb', 'wandb'),
    mlflow=LogBackend('MLflowLog', 'MLflowVisBackend', 'mlflow', 'mlflow'),
)


def check_log_to(names: Sequence[str]) -> None:
    """Stop before anything is loaded where a package is missing, on all processes.

    Args:
        names: of :data:`LOG_BACKENDS`.

    Raises:
        UserError: it is, or there is no such name.
    """
    for name in names:
        if name not in LOG_BACKENDS:
            raise UserError(f'log_to: {name!r} is none of {", ".join(LOG_BACKENDS)}')
    on_main_process(lambda: [_import(name) for name in names] and None)


def _import(name: str) -> None:
    try:
        # before there is a log file, which older versions of mlflow close when they are imported
        importlib.import_module(LOG_BACKENDS[name].module)
    except ImportError as error:
        package = LOG_BACKENDS[name].package
        raise UserError(
            f'--log {name}: {package} is not installed or does not work here '
            f'({" ".join(str(error).split())}); pip install {package}'
        ) from error


def with_log_backends(
    visualizer: Mapping[str, Any] | None, names: Iterable[str], work_dir: str, continues: bool
) -> dict[str, Any]:
    """The config of a visualizer with further back ends; one that is there already stays as it is.

    Args:
        visualizer: the config; None for mmengine's default, the local log.
        names: of :data:`LOG_BACKENDS`.
        work_dir: of the training.
        continues: whether it goes on from a checkpoint.
    """
    local = dict(type='Visualizer', vis_backends=[dict(type='LocalVisBackend')])
    visualizer = dict(local if visualizer is None else visualizer)
    given = visualizer.get('vis_backends') or []
    backends = [given] if isinstance(given, Mapping) else [*given]
    for name in dict.fromkeys(names):
        kind, same, *_ = LOG_BACKENDS[name]
        if not any(backend.get('type') in (kind, same) for backend in backends):
            save_dir = os.path.abspath(work_dir)
            backends.append(dict(type=kind, save_dir=save_dir, continues=continues))
    return visualizer | dict(vis_backends=backends)


def start_backends(visualizer: Visualizer) -> None:
    """Let the back ends of a visualizer begin, which they do otherwise at the first number.

    Raises:
        UserError: a package is missing, or what it logs to cannot be reached.
    """
    for backend in visualizer._vis_backends.values():
        try:
            _ = backend.experiment  # which it makes when it is first asked
        except ImportError as error:
            name = type(backend).__name__
            raise UserError(
                f'visualizer.vis_backends: {name} needs a package that is not installed: '
                f'{" ".join(str(error).split())}'
            ) from error


@VISBACKENDS.register_module()
class TensorboardLog(TensorboardVisBackend):
    """Events in ``WORK_DIR/tensorboard``, which hide those that an earlier start has logged.

    Args:
        save_dir: the work dir.
        continues: whether this start continues a training; it hides what lies at its first step
            or behind, else everything.
    """

    def __init__(self, save_dir: str, continues: bool = False) -> None:
        super().__init__(str(Path(save_dir, 'tensorboard')))
        self._continues = continues

    def _init_env(self) -> None:
        self._open(None if self._continues else 0)

    def _open(self, hidden_from: int | None) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._tensorboard = SummaryWriter(self._save_dir, purge_step=hidden_from)

    def add_scalars(
        self, scalar_dict: dict, step: int = 0, file_path: str | None = None, **kwargs
    ) -> None:
        """Log numbers by name, see mmengine's."""
        if self._continues:
            self.experiment.close()
            self._open(step)
            self._continues = False
        super().add_scalars(scalar_dict, step, file_path, **kwargs)


@VISBACKENDS.register_module()
class WandbLog(WandbVisBackend):
    """A run of Weights & Biases with its files in ``WORK_DIR/wandb``.

    The project is ``WANDB_PROJECT`` or ``mmvseg``; the other variables of wandb do what they do,
    such as ``WANDB_MODE=offline``.

    Args:
        save_dir: the work dir.
        continues: whether this start continues the run that the work dir notes.
    """

    def __init__(self, save_dir: str, continues: bool = False) -> None:
        run_id = _noted_run(save_dir, 'wandb') if continues else None
        super().__init__(
            save_dir,
            init_kwargs=dict(
                project=os.environ.get('WANDB_PROJECT') or PROJECT,
                name=os.environ.get('WANDB_NAME') or Path(save_dir).name,
                **(dict(id=run_id, resume='allow') if run_id else {}),
            ),
            define_metric_cfg=[dict(name='iter'), dict(name='*', step_metric='iter')],
        )

    def _init_env(self) -> None:
        from wandb.errors import Error

        try:
            super()._init_env()
        except Error as error:
            raise UserError(
                f'wandb: {error}; to log without its server, set WANDB_MODE=offline'
            ) from error
        _note_run(self._save_dir, 'wandb', self._wandb.run.id)

    def add_config(self, config: Config, **kwargs) -> None:
        """Record the config; unlike mmengine's, not the Python files of the current folder."""
        self.experiment.config.update(config.to_dict(), allow_val_change=True)

    def add_scalars(
        self, scalar_dict: dict, step: int = 0, file_path: str | None = None, **kwargs
    ) -> None:
        """Log numbers by name over ``iter``, since wandb's own steps cannot go back."""
        self.experiment.log({**scalar_dict, 'iter': step})

    def close(self) -> None:
        """End the run."""
        if hasattr(self, '_wandb'):
            self._wandb.finish()


@VISBACKENDS.register_module()
class MLflowLog(MLflowVisBackend):
    """A run of MLflow in ``WORK_DIR/mlflow.db``, or where ``MLFLOW_TRACKING_URI`` says.

    The experiment is ``MLFLOW_EXPERIMENT_NAME`` or ``mmvseg``.

    Args:
        save_dir: the work dir.
        continues: whether this start continues the run that the work dir notes.
    """

    def __init__(self, save_dir: str, continues: bool = False) -> None:
        super().__init__(save_dir, exp_name=os.environ.get('MLFLOW_EXPERIMENT_NAME') or PROJECT)
        self._run_id = _noted_run(save_dir, 'mlflow') if continues else None
        self._is_local = not os.environ.get('MLFLOW_TRACKING_URI')

    def _init_env(self) -> None:
        import mlflow
        from mlflow.exceptions import MlflowException

        work_dir = Path(self._save_dir)
        work_dir.mkdir(parents=True, exist_ok=True)
        artifacts = None  # where the server has them
        if self._is_local:
            # not its folders of files, which newer versions of mlflow refuse
            mlflow.set_tracking_uri(f'sqlite:///{work_dir / "mlflow.db"}')
            artifacts = (work_dir / 'mlflow_artifacts').as_uri()
        try:
            if mlflow.get_experiment_by_name(self._exp_name) is None:
                mlflow.create_experiment(self._exp_name, artifact_location=artifacts)
            mlflow.set_experiment(self._exp_name)
            run = mlflow.start_run(run_id=self._run_id, run_name=work_dir.name)
        except (MlflowException, ImportError) as error:
            continued = f'; to begin another run, delete {work_dir / RUN_IDS}'
            raise UserError(
                f'mlflow: {" ".join(str(error).split())}{continued if self._run_id else ""}'
            ) from error
        self._mlflow = mlflow
        _note_run(work_dir, 'mlflow', run.info.run_id)

    def add_config(self, config: Config, **kwargs) -> None:
        """Record the config: its text, and the values of a new run, which cannot change later."""
        mlflow = self.experiment
        if self._run_id is None:
            values = self._flatten(config.to_dict())
            mlflow.log_params({_NO_NAME.sub('_', name): value for name, value in values.items()})
        mlflow.log_text(config.pretty_text, 'config.py')

    def add_scalars(
        self, scalar_dict: dict, step: int = 0, file_path: str | None = None, **kwargs
    ) -> None:
        """Log numbers by name; a server that cannot be reached does not end a training."""
        mlflow = self.experiment
        numbers = {_NO_NAME.sub('_', name): float(v) for name, v in scalar_dict.items()}
        with self._losses_warned(f'step {step} is in the local log only'):
            mlflow.log_metrics(numbers, step)

    def close(self) -> None:
        """End the run; unlike mmengine's, without a copy of the work dir's files."""
        if not hasattr(self, '_mlflow'):
            return
        with self._losses_warned('the run is not marked as ended'):
            self._mlflow.end_run()
        if self._is_local:  # for another training of this process
            self._mlflow.set_tracking_uri(None)

    @contextmanager
    def _losses_warned(self, loss: str) -> Iterator[None]:
        try:
            yield
        except self._mlflow.exceptions.MlflowException as error:
            message = f'mlflow: {loss} ({" ".join(str(error).split())})'
            print_log(message, logger='current', level=logging.WARNING)


def _noted_run(work_dir: str | Path, backend: str) -> str | None:
    return _noted_runs(Path(work_dir, RUN_IDS)).get(backend)


def _note_run(work_dir: str | Path, backend: str, run_id: str) -> None:
    path = Path(work_dir, RUN_IDS)
    write_json(path, _noted_runs(path) | {backend: run_id})


def _noted_runs(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    with file_errors(path):
        try:
            runs = json.loads(path.read_bytes())
        except ValueError:
            runs = None
    if not isinstance(runs, dict) or not all(isinstance(i, str) for i in runs.values()):
        raise UserError(f'{path}: is damaged; delete it to begin new runs of the log')
    return runs
