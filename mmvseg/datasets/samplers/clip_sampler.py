"""An endless stream of training clips that is the same for any number of workers or processes."""

from collections.abc import Iterator
from itertools import count, islice

import numpy as np
from mmengine.dist import get_dist_info, sync_random_seed
from torch.utils.data import Sampler

from mmvseg.datasets.joint_clip import JointClipDataset
from mmvseg.datasets.video_dataset import ClipIndex, VideoDataset
from mmvseg.errors import UserError
from mmvseg.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class ClipSampler(Sampler):
    """All anchors of a dataset in random order, then in another one, and so on without end.

    Goes with :class:`ClipBatchSampler`, which hands every process its part.

    Args:
        dataset: what to draw from, in training mode.
        seed: decides order, reference frames and augmentation; None: one that all processes agree
            on. mmengine's Runner passes the run's seed.
    """

    def __init__(self, dataset: VideoDataset, seed: int | None = None) -> None:
        self.dataset = dataset
        self.seed = sync_random_seed() if seed is None else seed

    def __iter__(self) -> Iterator[ClipIndex]:
        size = len(self.dataset)
        for epoch in count():
            order = np.random.default_rng([self.seed, epoch]).permutation(size)
            for position, index in enumerate(order.tolist()):
                yield ClipIndex(index, self.seed, epoch * size + position)

    def __len__(self) -> int:
        return len(self.dataset)


@DATA_SAMPLERS.register_module()
class JointClipSampler(Sampler):
    """Clips of several data sets, the data set of each clip drawn by its weight.

    Within a data set all anchors come in random order, then in another one, as in
    :class:`ClipSampler`.

    Args:
        dataset: what to draw from, in training mode.
        seed: as of :class:`ClipSampler`.

    Raises:
        UserError: there is one data set only.
    """

    def __init__(self, dataset: JointClipDataset, seed: int | None = None) -> None:
        if not isinstance(dataset, JointClipDataset):
            raise UserError(
                'train_dataloader.sampler: JointClipSampler draws from a JointClipDataset, but '
                f"the data set is a {type(dataset).__name__}; use dict(type='ClipSampler')"
            )
        self.dataset = dataset
        self.seed = sync_random_seed() if seed is None else seed

    def __iter__(self) -> Iterator[ClipIndex]:
        sources = np.random.default_rng([self.seed])
        streams = [self._stream(source) for source in range(len(self.dataset.sizes))]
        limits = self.dataset.weights.cumsum() / self.dataset.weights.sum()
        for draw in count():
            source = int(np.searchsorted(limits[:-1], sources.random(), side='right'))
            yield ClipIndex(next(streams[source]), self.seed, draw)

    def __len__(self) -> int:
        """Clips until each occurs once, about: the slowest data set decides."""
        shares = self.dataset.weights / self.dataset.weights.sum()
        return int(np.ceil((self.dataset.sizes / shares).max()))

    def _stream(self, source: int) -> Iterator[int]:
        start, size = self.dataset.starts[source], self.dataset.sizes[source]
        for epoch in count():
            order = np.random.default_rng([self.seed, epoch, 1 + source]).permutation(size)
            yield from (order + start).tolist()


@DATA_SAMPLERS.register_module()
class ClipBatchSampler(Sampler):
    """Batches of clips that are all wider than high, or all not.

    Clips are gathered into batches for all processes together, of which process r takes every
    W-th clip from the r-th on. So W processes with batches of b clips train on what one process
    with W x b does, and all of them on frames of one orientation at a time.

    Args:
        sampler: the stream of clips.
        batch_size: clips a batch and process.
        drop_last: mmengine passes it; without effect on an endless stream.

    Example:
        >>> train_dataloader = dict(
        ...     batch_size=2,
        ...     sampler=dict(type='ClipSampler'),
        ...     batch_sampler=dict(type='ClipBatchSampler'),
        ... )
    """

    def __init__(
        self,
        sampler: ClipSampler | JointClipSampler,
        batch_size: int,
        drop_last: bool = False,
    ) -> None:
        self.sampler = sampler
        self.batch_size = batch_size
        self.rank, self.world_size = get_dist_info()
        self._start = 0

    def set_position(self, batches_done: int) -> None:
        """Let the next iteration begin after so many batches of this process.

        The loader reads ahead, so only the trainer knows how many batches were used.
        """
        self._start = batches_done

    def __iter__(self) -> Iterator[list[ClipIndex]]:
        return islice(self._batches(), self._start, None)

    def __len__(self) -> int:
        """Batches in which each clip occurs once."""
        return -(-len(self.sampler) // (self.batch_size * self.world_size))

    def _batches(self) -> Iterator[list[ClipIndex]]:
        is_wide = self.sampler.dataset.item_is_wide
        waiting: dict[bool, list[ClipIndex]] = {True: [], False: []}
        for clip in self.sampler:
            group = waiting[bool(is_wide[clip.index])]
            group.append(clip)
            if len(group) == self.batch_size * self.world_size:
                yield group[self.rank :: self.world_size]
                group.clear()
