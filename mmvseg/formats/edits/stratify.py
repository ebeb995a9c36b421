"""Choosing videos so that each class has its share of objects among them.

Nothing here depends on the version of Python or NumPy, on the machine, or on the order of a file:
the order of videos comes from a hash of the seed and their ids, and all numbers are integers.
"""

import hashlib
from collections.abc import Mapping

import numpy as np

#: Shares of classes are compared in millionths.
_SCALE = 10**6


def choose_videos(objects: Mapping[int, Mapping[int, int]], number: int, seed: int) -> set[int]:
    """Choose some of the videos.

    A random choice is made more even: one of its videos is exchanged for another as long as that
    brings the shares of the classes nearer to the share of the videos, each class counting the
    same. Videos without objects count as a class of their own.

    Args:
        objects: how many objects of which class (by id) each video (by id) has.
        number: of videos to choose.
        seed: another one gives another choice.

    Returns:
        Ids of the chosen videos.
    """
    order = sorted(objects, key=lambda video_id: _rank(video_id, seed))
    choice = _Choice([objects[video_id] for video_id in order], number)
    choice.make_even()
    return {order[position] for position in np.flatnonzero(choice.chosen)}


def _rank(video_id: int, seed: int) -> bytes:
    return hashlib.sha256(f'{seed} {video_id}'.encode()).digest()


class _Choice:
    """The first of V videos, to be exchanged for others.

    Args:
        objects: numbers of objects by class, of each video.
        number: of videos to choose.

    Attributes:
        chosen: whether each video is chosen, (V,).
    """

    def __init__(self, objects: list[Mapping[int, int]], number: int) -> None:
        classes = sorted({category for counts in objects for category in counts})
        column = {category: k for k, category in enumerate(classes)}
        none = {len(classes): 1}
        counts = [{column[c]: n for c, n in video.items()} or none for video in objects]
        # the numbers of all videos in a row, and where those of each begin
        self.columns = np.array([k for video in counts for k in video], np.int64)
        self.counts = np.array([n for video in counts for n in video.values()], np.int64)
        self.starts = np.cumsum([0, *map(len, counts)])
        self.totals = np.zeros(len(classes) + 1, np.int64)
        np.add.at(self.totals, self.columns, self.counts)
        self.chosen = np.zeros(len(objects), bool)
        #: V times the number of objects of each class that are chosen beyond its share.
        self.excess = -self.totals * number
        for video in range(number):
            self._move(video, 1)

    def make_even(self) -> None:
        """Exchange videos as long as the classes' shares come nearer to that of the videos."""
        improved = True
        while improved:
            improved = False
            for video in np.flatnonzero(self.chosen):
                self._move(video, -1)
                costs = self._costs()
                # of equally good ones the first, but only for what is better than before
                others = np.where(self.chosen, np.iinfo(np.int64).max, costs)
                best = int(np.argmin(others))
                better = others[best] < costs[video]
                self._move(best if better else video, 1)
                improved = improved or bool(better)

    def _move(self, video: int, sign: int) -> None:
        """Choose a video, or with -1 choose it no more."""
        part = slice(self.starts[video], self.starts[video + 1])
        self.excess[self.columns[part]] += sign * self.counts[part] * len(self.chosen)
        self.chosen[video] = sign > 0

    def _costs(self) -> np.ndarray:
        """By how much the shares get further off in all with each video, (V,)."""
        before = self.excess[self.columns]
        after = before + self.counts * len(self.chosen)
        further = self._off(after) - self._off(before)
        return np.add.reduceat(further, self.starts[:-1])

    def _off(self, excess: np.ndarray) -> np.ndarray:
        return np.abs(excess) * _SCALE // self.totals[self.columns]
