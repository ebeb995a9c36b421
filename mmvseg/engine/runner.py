"""mmengine's Runner with checkpoints in plain types, an exact resume and CPU processes."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import mmengine
from mmengine.device import get_device
from mmengine.dist import all_gather_object
from mmengine.hooks import EMAHook
from mmengine.logging import MMLogger
from mmengine.model import MMDistributedDataParallel, is_model_wrapper
from mmengine.runner import BaseLoop, Runner
from mmengine.visualization import Visualizer
from torch import nn
from torch.utils.data import DataLoader

from mmvseg import __version__
from mmvseg.checkpoints.class_heads import move_class_rows
from mmvseg.checkpoints.files import save_checkpoint_file
from mmvseg.checkpoints.latest import find_latest_checkpoint
from mmvseg.checkpoints.loaders import load_weights, register_safe_loading
from mmvseg.checkpoints.plain_values import (
    message_hub_from_plain,
    message_hub_to_plain,
    plain_items,
)
from mmvseg.checkpoints.weights import load_model_weights, weights_of, weights_of_parts
from mmvseg.errors import UserError, counted
from mmvseg.registry import RUNNERS

from .categories import check_classes, noted_classes
from .console import tidy_console
from .distributed import init_distributed, on_main_process
from .hooks.stop_hook import StopHook
from .log_backends import start_backends, with_log_backends
from .rng import get_rng_state
from .training_state import (
    StateChecker,
    catch_up,
    check_average,
    check_message_hub,
    check_meta,
    check_schedulers,
    checked_optimizer_state,
    progress_of,
    restore_rng,
)
from .workers import start_worker


@RUNNERS.register_module()
class VideoRunner(Runner):
    """Runs training and tests; what differs from mmengine's Runner is how it saves and loads.

    Further config keys: ``allow_pickle`` (bool) accepts checkpoints that need unpickling;
    ``log_to`` (list of names, see :func:`.check_log_to`) adds to what a training logs;
    ``load_parts`` (list of sub-modules) lets a training take these alone from ``load_from``;
    ``allow_missing`` (list of name prefixes) lets parts of the model stay unfilled when weights are
    loaded, see :func:`mmvseg.checkpoints.weights.load_model_weights`.
    """

    #: The signal that asks a training to end, see StopHook; 0 for none.
    stop_signal: int = 0
    #: The dataloader of a test or stand-alone validation, None in training.
    _tested: DataLoader | None = None

    def setup_env(self, env_cfg: dict) -> None:
        """Start the process group, on CPUs too, and make all loading safe."""
        init_distributed(self.launcher)
        super().setup_env(env_cfg)
        register_safe_loading(self.cfg.get('allow_pickle', False))

    def build_logger(self, *args, **kwargs) -> MMLogger:
        """The logger: everything in the file, the essential on the console."""
        return tidy_console(super().build_logger(*args, **kwargs))

    def build_visualizer(self, visualizer: Visualizer | dict | None = None) -> Visualizer:
        """The visualizer, once what its back ends need is there; in training those of ``log_to``.

        Raises:
            UserError: a package is missing, or what a back end logs to cannot be reached.
        """
        if (names := self.cfg.get('log_to')) and self._train_loop is not None:
            continues = bool(self.cfg.get('resume'))
            visualizer = with_log_backends(visualizer, names, self.work_dir, continues)
        built = super().build_visualizer(visualizer)
        on_main_process(lambda: start_backends(built))
        return built

    def dump_config(self) -> None:
        """Keep the config of a training beside its checkpoints, where no test may change it."""
        if self._train_loop is not None:
            super().dump_config()

    def wrap_model(self, model_wrapper_cfg: dict | None, model: nn.Module) -> nn.Module:
        """Wrap for several processes; on CPUs without device ids, which gloo does not take."""
        if not self.distributed or get_device() == 'cuda' or is_model_wrapper(model):
            return super().wrap_model(model_wrapper_cfg, model)
        options = dict(model_wrapper_cfg or {})
        options.pop('type', None)
        options.setdefault('broadcast_buffers', False)
        options.setdefault('find_unused_parameters', self.cfg.get('find_unused_parameters', False))
        return MMDistributedDataParallel(module=model, **options)

    def train(self) -> nn.Module:
        """Train, or continue, then with the seed of the run that is continued."""
        if self._resume and self._load_from is None:
            latest = find_latest_checkpoint(self.work_dir, self.logger.warning)
            self._resume, self._load_from = latest is not None, latest and str(latest)
        if self._resume:
            # before the samplers are built from the seed
            seed = self._training_checkpoint(self._load_from, mmap=True)['meta'].get('seed')
            if seed not in (None, self.seed):
                self.logger.warning(f'continuing with the seed {seed} of {self._load_from}')
                self._randomness_cfg['seed'] = seed
                self.set_randomness(**self._randomness_cfg)
        try:
            return super().train()
        finally:
            self._stop_hook.release()

    def register_hooks(
        self, default_hooks: dict | None = None, custom_hooks: list | None = None
    ) -> None:
        """Those of the config, and the one that ends a training in order."""
        super().register_hooks(default_hooks, custom_hooks)
        self._stop_hook = StopHook()
        self.register_hook(self._stop_hook)

    @staticmethod
    def build_dataloader(dataloader: DataLoader | dict, *args: Any, **kwargs: Any) -> DataLoader:
        """mmengine's, whose workers leave Ctrl-C to the process that they work for."""
        if isinstance(dataloader, Mapping) and not dataloader.get('num_workers'):
            dataloader = dict(dataloader, persistent_workers=False)  # of none, which torch refuses
        dataloader = Runner.build_dataloader(dataloader, *args, **kwargs)
        dataloader.worker_init_fn = partial(start_worker, dataloader.worker_init_fn)
        return dataloader

    def test(self) -> dict[str, float]:
        """Test; the checkpoint has to fill all of the model."""
        self._test_loop = self.build_test_loop(self._test_loop)
        self._tested = self.test_dataloader
        return super().test()

    def trained_classes(self) -> Mapping[str, Any]:
        """``metainfo`` of the data that give the model its classes.

        In training those of the training data, else of the checkpoint that is tested; empty if that
        does not name them.
        """
        if self._is_training:
            metainfo = getattr(self.train_dataloader.dataset, 'metainfo', {})
            return metainfo if metainfo.get('classes') else {}
        if not self._load_from:
            return {}
        return noted_classes(self._read_checkpoint(self._load_from, mmap=True))

    @property
    def _is_training(self) -> bool:
        return isinstance(self._train_loop, BaseLoop)

    def load_checkpoint(
        self,
        filename: str,
        map_location: str | Callable = 'cpu',
        strict: bool | None = None,
        revise_keys: list | None = None,
    ) -> dict[str, Any]:
        """Fill the model from a file.

        Args:
            filename: path or address of the checkpoint.
            map_location: device for the tensors that are not copied into the model.
            strict: whether all of the model has to be filled; by default when testing.
            revise_keys: mmengine's interface; names are never revised here.

        Raises:
            UserError: the file is unusable or does not fit, see :mod:`mmvseg.checkpoints.weights`.
        """
        checkpoint = self._read_checkpoint(filename)
        if strict is None:
            strict = self._tested is not None
        if self._tested is None and (parts := self.cfg.get('load_parts')):
            checkpoint = dict(checkpoint, state_dict=weights_of_parts(checkpoint, parts, filename))
        self._fill_model(checkpoint, filename, strict, self.cfg.get('allow_missing', ()))
        self._has_loaded = True
        return checkpoint

    def resume(
        self,
        filename: str,
        resume_optimizer: bool = True,
        resume_param_scheduler: bool = True,
        map_location: str | Callable = 'cpu',
    ) -> None:
        """Continue training exactly where the checkpoint was saved.

        Restores the model, optimizer and scaler, the progress of schedulers (milestones and ends
        are the config's), log history, iteration, the position of the sampler, and, if the number
        of processes is the same, all random generators.

        Args:
            filename: a checkpoint saved during training.
            resume_optimizer: restore the optimizer's state.
            resume_param_scheduler: restore the schedulers' state.
            map_location: mmengine's interface; tensors are always read to the CPU first.

        Raises:
            UserError: the file was not saved for resuming or belongs to another set-up.
        """
        checkpoint = self._training_checkpoint(filename)
        check, meta = StateChecker(str(filename)), checkpoint['meta']
        self._check_same_run(meta, filename)
        self._check_iteration(meta['iter'], filename)
        check_message_hub(check, checkpoint['message_hub'])
        self._check_average(check, checkpoint)
        self._fill_model(checkpoint, filename, strict=True)
        message_hub_from_plain(self.message_hub, checkpoint['message_hub'])
        if resume_optimizer:
            self._resume_optimizer(check, checkpoint['optimizer'])
        if resume_param_scheduler and self.param_schedulers is not None:
            self._resume_schedulers(check, checkpoint.get('param_schedulers'), meta['iter'])
        self.train_loop._epoch, self.train_loop._iter = meta['epoch'], meta['iter']
        if hasattr(self.train_loop, 'seek'):
            self.train_loop.seek(meta['iter'])
        saved_by = meta.get('world_size', self.world_size)
        rank = self.rank if saved_by == self.world_size else None
        restore_rng(check, checkpoint['rng'], saved_by, rank)
        self._has_loaded = True
        self.logger.info(f'resumed {filename} at iteration {self.iter}')

    def save_checkpoint(
        self,
        out_dir: str,
        filename: str,
        file_client_args: dict | None = None,
        save_optimizer: bool = True,
        save_param_scheduler: bool = True,
        meta: dict | None = None,
        by_epoch: bool = True,
        backend_args: dict | None = None,
    ) -> None:
        """Save in plain types, completely or not at all; all processes have to call this.

        Args:
            out_dir: folder on a local or mounted disk.
            filename: name of the file.
            file_client_args: mmengine's interface; unused.
            save_optimizer: with the optimizer's and the random generators' state, to resume from.
            save_param_scheduler: with the schedulers' state.
            meta: what else to note; ``epoch`` and ``iter`` override the current ones.
            by_epoch: whether called at the end of an epoch (else of an iteration).
            backend_args: mmengine's interface; unused.
        """
        rng = all_gather_object(get_rng_state()) if save_optimizer else None
        path = Path(out_dir) / filename
        on_main_process(
            lambda: save_checkpoint_file(
                self._checkpoint(rng, save_param_scheduler, self._meta(by_epoch, meta or {})), path
            )
        )

    def _checkpoint(
        self, rng: list[dict] | None, save_param_scheduler: bool, meta: dict[str, Any]
    ) -> dict[str, Any]:
        model = self.model.module if is_model_wrapper(self.model) else self.model
        checkpoint: dict[str, Any] = dict(
            meta=meta,
            state_dict=model.state_dict(),
            message_hub=message_hub_to_plain(self.message_hub),
        )
        if rng is not None:
            checkpoint.update(optimizer=self.optim_wrapper.state_dict(), rng=rng)
        if save_param_scheduler and self.param_schedulers is not None:
            checkpoint['param_schedulers'] = [
                plain_items(scheduler.state_dict()) for scheduler in self.param_schedulers
            ]
        self.call_hook('before_save_checkpoint', checkpoint=checkpoint)
        return checkpoint

    def _read_checkpoint(self, filename: str, mmap: bool = False) -> dict[str, Any]:
        return load_weights(filename, self.cfg.get('allow_pickle', False), mmap=mmap)

    def _fill_model(
        self, checkpoint: dict, filename: str, strict: bool, allow_missing: Sequence[str] = ()
    ) -> None:
        model = self.model.module if is_model_wrapper(self.model) else self.model
        weights = checkpoint['state_dict'] = weights_of(checkpoint, str(filename))
        noted = noted_classes(checkpoint)
        if self._is_training and noted and (ours := self.trained_classes()):
            # before the hook, which may copy the weights into an average
            theirs, ours = noted['classes'], ours['classes']
            line = move_class_rows(weights, model, theirs, ours, str(filename), allow_missing)
            if line:
                self.logger.info(line)
        self.call_hook('after_load_checkpoint', checkpoint=checkpoint)
        load_model_weights(model, checkpoint, str(filename), strict, allow_missing)

    def _meta(self, by_epoch: bool, given: dict) -> dict[str, Any]:
        dataset = self.train_dataloader.dataset
        return dict(
            dict(epoch=self.epoch + by_epoch, iter=self.iter + (not by_epoch)),
            **given,
            cfg=self.cfg.pretty_text,
            seed=self.seed,
            world_size=self.world_size,
            experiment_name=self.experiment_name,
            time=time.strftime('%Y%m%d_%H%M%S'),
            mmengine_version=mmengine.__version__,
            mmvseg_version=__version__,
            dataset_meta=plain_items(getattr(dataset, 'metainfo', {})),
        )

    def _check_same_run(self, meta: dict, filename: str) -> None:
        check_classes(dict(meta=meta), filename, self.train_dataloader.dataset)
        if meta.get('world_size', self.world_size) != self.world_size:
            self.logger.warning(
                f'{filename} was saved by {counted(meta["world_size"], "processes")}, now there '
                f'are {self.world_size}: batches and random draws will differ from the old run'
            )

    def _training_checkpoint(self, filename: str, mmap: bool = False) -> dict[str, Any]:
        """A checkpoint to resume from, with the parts that this needs."""
        checkpoint = self._read_checkpoint(filename, mmap)
        needed = {'meta', 'optimizer', 'message_hub', 'rng'}
        if not needed <= checkpoint.keys():
            raise UserError(
                f'checkpoint {filename}: holds weights but no training state '
                f'(missing: {", ".join(sorted(needed - checkpoint.keys()))}); to start a new '
                f'training from it, use --cfg-options load_from={filename} instead of --resume'
            )
        check_meta(StateChecker(str(filename)), checkpoint['meta'])
        return checkpoint

    def _check_iteration(self, iteration: int, filename: str) -> None:
        if iteration < self.max_iters:
            return
        at = f'checkpoint {filename}: meta.iter is {iteration}'
        limit = f'train_cfg.max_iters = {self.max_iters}'
        way = 'nothing is left to train; raise train_cfg.max_iters to go on'
        if iteration > self.max_iters:
            raise UserError(f'{at}, beyond {limit}: {way}')
        self.logger.warning(f'{at}, the last of {limit}: {way}')

    def _check_average(self, check: StateChecker, checkpoint: Mapping[str, Any]) -> None:
        averages = any(isinstance(hook, EMAHook) for hook in self.hooks)
        if 'ema_state_dict' not in checkpoint:
            return
        if not averages:
            check.refuse('state_dict', 'holds averaged weights, but custom_hooks has no EMAHook')
        model = self.model.module if is_model_wrapper(self.model) else self.model
        check_average(check, checkpoint['ema_state_dict'], model)

    def _resume_optimizer(self, check: StateChecker, state: Any) -> None:
        self.optim_wrapper = self.build_optim_wrapper(self.optim_wrapper)
        optimizer = self.optim_wrapper.optimizer
        state = checked_optimizer_state(check, state, optimizer, optimizer.param_groups)
        ours = self.optim_wrapper.state_dict()  # also of a gradient scaler
        for part in state.keys() & ours.keys() - {'state', 'param_groups'}:
            check.like(state[part], ours[part], f'optimizer.{part}')
        try:
            self.optim_wrapper.load_state_dict(state)
        except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            check.refuse('optimizer', f'does not fit ({error})')

    def _resume_schedulers(self, check: StateChecker, states: Any, done: int) -> None:
        self.param_schedulers = self.build_param_scheduler(self.param_schedulers)
        known = [progress_of(scheduler) for scheduler in self.param_schedulers]
        check_schedulers(check, states, known, done)
        for scheduler, state, ours in zip(self.param_schedulers, states, known, strict=True):
            scheduler.load_state_dict({key: state[key] for key in ours})
            catch_up(scheduler)
