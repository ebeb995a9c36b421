"""Whole videos to each process, window after window."""

from collections.abc import Collection, Iterator

import numpy as np
from mmengine.dist import get_dist_info
from torch.utils.data import Sampler

from mmvseg.datasets.video_dataset import VideoDataset
from mmvseg.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class WindowSampler(Sampler):
    """Windows of the videos of this process, in order; every video goes to exactly one process.

    The longest videos are dealt out first, each to the process with the fewest frames so far, so
    that processes finish at about the same time.

    Args:
        dataset: in test mode.
        seed: mmengine passes it; nothing is random here.
    """

    def __init__(self, dataset: VideoDataset, seed: int | None = None) -> None:
        self.dataset = dataset
        self.rank, self.world_size = get_dist_info()
        self.skip_videos(())

    def skip_videos(self, video_ids: Collection[int]) -> None:
        """Leave out these videos, e.g. those that an interrupted run finished.

        To be called with the same ids on all processes, before the loader is iterated.
        """
        skipped = set(video_ids)
        lengths = self.dataset.video_lengths
        load = np.zeros(self.world_size, np.int64)
        mine = np.zeros(len(lengths), bool)
        for video in np.argsort(-lengths, kind='stable'):
            if self.dataset.video_ids[video] in skipped:
                continue
            rank = int(load.argmin())
            load[rank] += lengths[video]
            mine[video] = rank == self.rank
        self._items = np.flatnonzero(mine[self.dataset.item_videos])

    def __iter__(self) -> Iterator[int]:
        return iter(self._items.tolist())

    def __len__(self) -> int:
        return len(self._items)
