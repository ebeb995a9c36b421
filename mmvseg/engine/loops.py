"""Training that resumes at its data position, and tests that stream windows of whole videos."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from mmengine.dist import barrier, get_rank
from mmengine.evaluator import Evaluator
from mmengine.hooks import EMAHook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop, IterBasedTrainLoop
from mmengine.runner.loops import _InfiniteDataloaderIterator
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmvseg.datasets import VideoDataset
from mmvseg.errors import NonFiniteError, UserError
from mmvseg.formats.results_writer import ResultsWriter
from mmvseg.formats.writers import build_writer
from mmvseg.models.precision import dtype_of, inference
from mmvseg.models.prepared import prepare_for_inference
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.progress import ProgressReport
from mmvseg.registry import LOOPS
from mmvseg.structures import VideoDataSample, VideoWindow

from .distributed import on_main_process
from .rng import preserved_rng
from .runner import VideoRunner
from .sending import send_ahead

#: So many iterations in a row that give nothing to learn from end a training.
MOST_SKIPPED_IN_A_ROW = 50


@contextmanager
def worker_errors() -> Iterator[None]:
    """Strip a dataloader worker's traceback from the :class:`UserError` that it raised."""
    try:
        yield
    except UserError as error:
        _, _, message = str(error).rpartition(f'{UserError.__module__}.{UserError.__name__}: ')
        raise UserError(message.strip()) from error


@LOOPS.register_module()
class VideoTrainLoop(IterBasedTrainLoop):
    """Iteration-based training whose sampler is set to its position instead of loading data.

    Args:
        args: see mmengine's ``IterBasedTrainLoop``.
        skip_non_finite: learn nothing from batches whose predictions are NaN or infinite and go
            on, instead of stopping at the first.
        kwargs: see mmengine's ``IterBasedTrainLoop``.
    """

    def __init__(self, *args: Any, skip_non_finite: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.skip_non_finite = skip_non_finite
        self._skipped_in_a_row = 0

    def seek(self, iteration: int) -> None:
        """Let the next batch be the one that an undisturbed run draws at ``iteration``.

        Args:
            iteration: number of batches that each process has trained on.
        """
        sampler = self.dataloader.batch_sampler
        if not hasattr(sampler, 'set_position'):
            sampler = self.dataloader.sampler
        if hasattr(sampler, 'set_position'):
            sampler.set_position(iteration)
            # workers have already fetched ahead from the start: begin anew
            self.dataloader_iterator = _InfiniteDataloaderIterator(self.dataloader)
            return
        print_log(
            f'{type(sampler).__name__} cannot be set to a position: loading {iteration} batches',
            logger='current',
        )
        for _ in range(iteration):
            next(self.dataloader_iterator)

    def run(self) -> nn.Module:
        """Train from the current iteration to the last."""
        runner = self.runner
        runner.call_hook('before_train')
        runner.call_hook('before_train_epoch')
        while self._iter < self._max_iters and not self.stop_training:
            runner.model.train()
            self.run_iter(self._next_batch())
            self._decide_current_val_interval()
            if self._is_time_to_validate():
                runner.val_loop.run()
        runner.call_hook('after_train_epoch')
        runner.call_hook('after_train')
        return runner.model

    def _next_batch(self) -> dict:
        try:
            with worker_errors():
                return next(self.dataloader_iterator)
        except RuntimeError:
            # a signal to the whole group of processes; among several, the others have gone on
            if self.runner.stop_signal and not self.runner.distributed:
                self.runner.call_hook('after_lost_workers')
            raise

    def run_iter(self, data_batch: dict) -> None:
        """Train on a batch.

        Args:
            data_batch: as the dataloader gives it.

        Raises:
            NonFiniteError: the predictions have diverged, and such steps are not skipped.
            UserError: too many steps in a row had to be skipped.
        """
        runner = self.runner
        runner.call_hook('before_train_iter', batch_idx=self._iter, data_batch=data_batch)
        # what a forward pass may change: statistics of batch norms
        buffers = [buffer.clone() for buffer in self._buffers()]
        try:
            outputs = runner.model.train_step(data_batch, optim_wrapper=runner.optim_wrapper)
        except NonFiniteError as error:
            if not self.skip_non_finite:
                raise
            self._skip(error, buffers)
            outputs = None
        else:
            self._skipped_in_a_row = 0
        runner.call_hook(
            'after_train_iter', batch_idx=self._iter, data_batch=data_batch, outputs=outputs
        )
        self._iter += 1

    def _skip(self, error: NonFiniteError, buffers: Sequence[Tensor]) -> None:
        """Leave the model as it was before this iteration; gradients stay accumulated."""
        self._skipped_in_a_row += 1
        if self._skipped_in_a_row == MOST_SKIPPED_IN_A_ROW:
            raise UserError(
                f'{MOST_SKIPPED_IN_A_ROW} iterations in a row were skipped, the last one '
                f'{self._iter + 1}: {error}'
            ) from error
        print_log(
            f'iteration {self._iter + 1} is skipped: {error}',
            logger='current',
            level=logging.WARNING,
        )
        for buffer, before in zip(self._buffers(), buffers, strict=True):
            buffer.copy_(before)
        # Optimizer steps stay at the iterations at which checkpoints expect them.
        self.runner.optim_wrapper._inner_count += 1

    def _buffers(self) -> Iterator[Tensor]:
        return self.runner.model.buffers() if self.skip_non_finite else iter(())

    def _is_time_to_validate(self) -> bool:
        if self.runner.val_loop is None or self._iter < self.val_begin:
            return False
        return self._iter % self.val_interval == 0 or self._iter == self._max_iters


@LOOPS.register_module()
class VideoTestLoop(BaseLoop):
    """Segment the videos of a dataset window by window; score them, write them, or both.

    Each process takes whole videos, see ``WindowSampler``. A video's result goes to the evaluator
    and the writer as soon as it is final, so memory does not grow with the number of videos.

    The class indices are those of the data that the model was trained on; the dataset's classes are
    matched with them by name.

    Args:
        runner: the runner.
        dataloader: windows in order, batch size 1.
        evaluator: mmengine metrics, may be empty.
        precision: what the model computes in: ``fp32``, ``fp16`` (on a GPU), ``bf16`` or ``auto``,
            fp16 on a GPU and bf16 on a CPU.
        out_dir: write the results there in the official form of the model's task, see
            :mod:`mmvseg.formats.writers`; videos that the folder already holds are skipped.

    Raises:
        UserError: the model's task is not one of the dataset's, the classes do not fit, or the
            folder cannot take the results.
    """

    stage = 'test'

    def __init__(
        self,
        runner: VideoRunner,
        dataloader: DataLoader | dict,
        evaluator: Evaluator | dict | list,
        precision: str = 'fp32',
        out_dir: str | Path | None = None,
    ) -> None:
        super().__init__(runner, dataloader)
        if not isinstance(evaluator, Evaluator):
            evaluator = runner.build_evaluator(evaluator)
        self.evaluator = evaluator
        self.dataset = self.dataloader.dataset
        model = runner.model
        self.model = model.module if is_model_wrapper(model) else model
        self.device = next(self.model.parameters()).device
        self.dtype = dtype_of(precision, self.device)
        check_task(self.model, self.dataset)
        self._match_classes(runner.trained_classes())
        self.evaluator.dataset_meta = self.dataset.metainfo
        runner.visualizer.dataset_meta = self.dataset.metainfo
        self.writer = self._build_writer(out_dir) if out_dir else None

    def run(self) -> dict[str, float]:
        """Go through all videos.

        Returns:
            The metrics of the evaluator.
        """
        with preserved_rng():
            self._segment()
        self._call_hook('after_{}_windows')
        with preserved_rng():
            return self._score()

    def _segment(self) -> None:
        self._call_hook('before_{}')
        self._call_hook('before_{}_epoch')
        model = self.model.eval()
        if self._is_last_use():
            prepare_for_inference(model, self.dtype)
        with ExitStack() as contexts:
            contexts.enter_context(inference(self.dtype, self.device))
            contexts.enter_context(suppress(_Stopped))
            contexts.enter_context(worker_errors())
            for sample in model.stream(self._windows()):
                self._take(sample)

    def _is_last_use(self) -> bool:
        """Whether nobody asks for the model's weights afterwards, as training and EMA would."""
        return self.stage == 'test' and not any(isinstance(h, EMAHook) for h in self.runner.hooks)

    def _score(self) -> dict[str, float]:
        metrics = self.evaluator.evaluate(len(self.dataset.video_ids))
        if self.writer is not None:
            self._merge()
        self._call_hook('after_{}_epoch', metrics=metrics)
        self._call_hook('after_{}')
        return metrics

    def _windows(self) -> Iterator[VideoWindow]:
        """The windows of this process, with hooks and progress."""
        with ExitStack() as contexts:
            progress = None
            if get_rank() == 0:  # whole videos are dealt out evenly: its share stands for all
                report = ProgressReport(self.stage, len(self.dataloader), 'windows')
                progress = contexts.enter_context(report)
            loaded = (_window_of(batch) for batch in self.dataloader)
            for index, window in enumerate(send_ahead(loaded, self.device)):
                batch = dict(inputs=[window.frames], data_samples=[window.sample])
                step = dict(batch_idx=index, data_batch=batch)
                self._call_hook('before_{}_iter', **step)
                yield window
                self._call_hook('after_{}_iter', **step, outputs=[])
                if progress:
                    progress.advance()

    def _take(self, sample: VideoDataSample) -> None:
        record = self.dataset.video_record(self.dataset.video_ids.index(sample.video_id))
        counted = self.dataset.counted_frames(record)
        if counted is not None:
            sample.pred = sample.pred.of_frames(counted)
            record = dict(record, frames=[record['frames'][i] for i in counted])
        self.evaluator.process(data_samples=[sample], data_batch=None)
        if self.writer is not None:
            self.writer.add(record, sample.pred)

    def _match_classes(self, trained: Mapping[str, Any]) -> None:
        if trained and (remark := self.dataset.number_classes_as(trained)):
            print_log(remark, logger='current')

    def _build_writer(self, out_dir: str | Path) -> ResultsWriter:
        writer = build_writer(self.model.task, out_dir, self.dataset, rank=get_rank())
        finished = writer.finished()
        barrier()  # nobody writes before all have read what is there
        if finished:
            print_log(
                f'{out_dir} holds {len(finished)} of {len(self.dataset.video_ids)} videos: '
                'continuing with the others',
                logger='current',
            )
            self.dataloader.sampler.skip_videos(finished)
        return writer

    def _merge(self) -> None:
        barrier()
        on_main_process(lambda: self.writer.merge(self.dataset.video_ids))

    def _call_hook(self, name: str, **arguments: Any) -> None:
        self.runner.call_hook(name.format(self.stage), **arguments)


def _window_of(batch: Mapping[str, Any]) -> VideoWindow:
    if 'inputs' not in batch:
        raise UserError('dataset.pipeline: must end with PackClip')
    return VideoWindow(batch['inputs'][0], batch['data_samples'][0])


class _Stopped(Exception):
    """A signal ends the training in the midst of a validation."""


@LOOPS.register_module()
class VideoValLoop(VideoTestLoop):
    """The same during training, whose end by a signal ends it, too."""

    stage = 'val'

    def _windows(self) -> Iterator[VideoWindow]:
        for window in super()._windows():
            yield window
            if self.runner.stop_signal:
                raise _Stopped


def check_task(model: VideoSegmentor, dataset: VideoDataset) -> None:
    """Make sure that a model's results are what a dataset is about.

    Raises:
        UserError: they are not.
    """
    if model.task not in dataset.tasks:
        raise UserError(
            f'model.test_cfg.task: {type(model).__name__} gives results of the task '
            f'{model.task!r}, but {type(dataset).__name__} is for {" or ".join(dataset.tasks)}; '
            'choose the config of the data, or set this key'
        )
