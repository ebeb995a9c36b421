"""Base of the video datasets: clips for training, windows for inference."""

import random
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dataset import BaseDataset, force_full_init

from mmvseg.errors import UserError
from mmvseg.formats.pictures import refuse_outside
from mmvseg.registry import TRANSFORMS

from .class_names import match_classes
from .clip_sampling import ClipSampling, ConsecutiveSampling
from .metainfo import check_class_names

#: What the first transform of a pipeline gives.
_LOADED = ('imgs', 'frames', 'img_shape', 'ori_shape')


class ClipIndex(NamedTuple):
    """A training item together with what decides its random draws.

    Attributes:
        index: of the item, an anchor frame or a video.
        seed: of the run.
        draw: number of the item in the run's stream of clips.
    """

    index: int
    seed: int
    draw: int


class VideoDataset(BaseDataset):
    """Videos of an annotation file.

    A sub-class reads its files into records, one a video: ``dict(video_id, name, height, width,
    length, frames=[path] * T)`` and what its :meth:`annotated_frames` and
    :meth:`frame_annotations` need.

    In training an item is a clip, anchored at one of the frames that hold an object, or a run of
    frames from one of the videos that hold an object; with ``test_mode`` it is a window of
    consecutive frames, without annotations. Random draws depend on the :class:`ClipIndex` alone,
    not on workers or on what was drawn before; a plain integer index draws from numpy's global
    generator.

    Args:
        ann_file: annotation file, relative to ``data_root``.
        data_root: folder of the data set.
        data_prefix: ``img`` is the folder of the frames, relative to ``data_root``.
        pipeline: transforms from paths to tensors, see :mod:`mmvseg.datasets.transforms`.
        clip: arguments of :class:`ClipSampling`, for training; with ``consecutive=True`` those of
            :class:`ConsecutiveSampling`.
        window_size: frames of a window, for ``test_mode``.
        min_size: videos with a side below this many pixels are not trained on.
        test_mode: whether items are windows.
        metainfo: see the sub-class.
        indices: use only these videos, or the first so many.
        lazy_init: do not read the file yet.
        allow_outside_root: whether frames and masks may lie outside of the folders of
            ``data_prefix``, by their names or by links below these folders.

    Raises:
        UserError: if a clip or a window would have no frame, or ``metainfo.classes`` is no list of
            names.
    """

    #: Tasks that its annotations are of, ``vis``, ``vps`` or ``vss``.
    tasks: tuple[str, ...] = ('vis',)
    #: Layout of the files of panoptic results, see :func:`mmvseg.formats.writers.build_writer`.
    results_form = 'vipseg'

    def __init__(
        self,
        ann_file: str,
        data_root: str = '',
        data_prefix: Mapping[str, str] | None = None,
        pipeline: Sequence[dict | Callable] = (),
        clip: Mapping[str, Any] | None = None,
        window_size: int = 10,
        min_size: int = 32,
        test_mode: bool = False,
        metainfo: Mapping[str, Any] | None = None,
        indices: int | Sequence[int] | None = None,
        lazy_init: bool = False,
        allow_outside_root: bool = False,
    ) -> None:
        check_class_names(metainfo)
        self.clip = _clip_sampling(**(clip or {}))
        _check_count('clip.num_frames', self.clip.num_frames)
        _check_count('window_size', window_size)
        self.allow_outside_root = allow_outside_root
        self.window_size = window_size
        self.min_size = min_size
        # Built here: mmengine would look the names up in its own registry only.
        transforms = [TRANSFORMS.build(t) if isinstance(t, dict) else t for t in pipeline]
        super().__init__(
            ann_file=ann_file,
            metainfo=metainfo,
            data_root=data_root,
            data_prefix=dict(data_prefix or dict(img='')),
            indices=indices,
            pipeline=transforms,
            test_mode=test_mode,
            lazy_init=lazy_init,
        )

    @classmethod
    @abstractmethod
    def read_metainfo(cls, dataset_cfg: Mapping[str, Any]) -> dict:
        """Classes of a config of this dataset, without reading its videos."""

    @classmethod
    def unread(cls, dataset_cfg: Mapping[str, Any]) -> 'VideoDataset':
        """The dataset of a config before it reads anything, for its paths."""
        keys = ('ann_file', 'data_root', 'data_prefix')
        if not dataset_cfg.get('ann_file'):
            raise UserError(f'dataset {cls.__name__}: has no ann_file')
        paths = {key: dataset_cfg[key] for key in keys if key in dataset_cfg}
        return cls(**paths, lazy_init=True)

    @abstractmethod
    def load_data_list(self) -> list[dict]:
        """Read the annotation file into video records; sets the classes in ``metainfo``."""

    def full_init(self) -> None:
        """Read the annotation file and list the items."""
        if self._fully_initialized:
            return
        self._items = np.zeros((0, 2), np.int64)
        super().full_init()
        records = list(self.videos)
        #: Number of frames of each video, (V,).
        self.video_lengths = np.array([record['length'] for record in records], np.int64)
        #: Id of each video in the annotation file.
        self.video_ids = [record['video_id'] for record in records]
        sizes = np.array([(record['height'], record['width']) for record in records])
        self._wide = sizes.reshape(-1, 2)[:, 1] > sizes.reshape(-1, 2)[:, 0]
        list_items = self._list_windows if self.test_mode else self._list_anchors
        self._items = np.array(
            [(video, frame) for video, record in enumerate(records) for frame in list_items(record)]
        ).reshape(-1, 2)
        if not len(self._items):
            raise UserError(f'{self.ann_file}: {self._why_empty()}')

    def _serialize_data(self) -> tuple[np.ndarray, np.ndarray]:
        if not self.data_list:  # of which mmengine cannot make an array
            raise UserError(f'{self.ann_file}: {self._why_empty()}')
        return super()._serialize_data()

    def number_classes_as(self, model: Mapping[str, Any]) -> str:
        """Number the classes as a model does, by their names, for a test of that model.

        Args:
            model: ``metainfo`` of the data that the model was trained on.

        Returns:
            A line that says what was changed; empty if nothing was.

        Raises:
            UserError: they do not fit, see :func:`mmvseg.datasets.class_names.match_classes`.
        """
        matched, remark = match_classes(self.metainfo, model, str(self.ann_file), self.tasks)
        self._metainfo.update(matched)
        return remark

    @property
    def videos(self) -> Iterator[dict]:
        """The video records; each is unpacked when it is reached."""
        return (self.video_record(index) for index in range(len(self.data_address)))

    def video_record(self, index: int) -> dict:
        """Record of the video at position ``index`` of the file."""
        return super().get_data_info(index)

    @property
    def item_videos(self) -> np.ndarray:
        """Position of the video of each item, (len,)."""
        return self._items[:, 0]

    @property
    def item_is_wide(self) -> np.ndarray:
        """Whether each item is wider than high, (len,), as batches hold items of one kind."""
        return self._wide[self._items[:, 0]]

    @force_full_init
    def __len__(self) -> int:
        return len(self._items)

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """What the pipeline starts from for item ``idx``: frame paths and, in training, objects."""
        video, frame = self._items[idx].tolist()
        record = self.video_record(video)
        if self.test_mode:
            frame_ids = list(range(frame, min(frame + self.window_size, record['length'])))
        else:
            rng = np.random.default_rng(np.random.randint(2**31, size=4))
            frame_ids = self._draw_frames(record, frame, rng)
        info = {key: record[key] for key in ('video_id', 'height', 'width')}
        info.update(
            video_name=record['name'],
            video_length=record['length'],
            frame_ids=frame_ids,
            frame_paths=[record['frames'][i] for i in frame_ids],
        )
        if self.test_mode:
            info.update(is_first=frame == 0, is_last=frame_ids[-1] == record['length'] - 1)
        else:
            info.update(self.frame_annotations(record, frame_ids))
        if not self.allow_outside_root:
            prefix = self.data_prefix
            refuse_outside(info['frame_paths'], prefix['img'], record['name'])
            masks = prefix.get('mask') or prefix['img']
            refuse_outside(info.get('mask_paths', ()), masks, record['name'])
        return info

    def counted_frames(self, record: Mapping[str, Any]) -> Sequence[int] | None:
        """The frames of a video whose results are scored and written; None: all."""
        return None

    @abstractmethod
    def annotated_frames(self, record: dict) -> np.ndarray:
        """Indices of the frames of a video that can anchor a training clip, (n,)."""

    @abstractmethod
    def frame_annotations(self, record: dict, frame_ids: Sequence[int]) -> dict:
        """What the loading transform takes to make the annotations of a clip's frames."""

    def prepare_data(self, idx: int | ClipIndex) -> Any:
        """Item ``idx`` after the pipeline."""
        if not isinstance(idx, ClipIndex):
            return self._transformed(self.get_data_info(idx))
        with _seeded(idx.seed, idx.draw):
            return self._transformed(self.get_data_info(idx.index))

    def _transformed(self, info: dict) -> Any:
        try:
            return self.pipeline(info)
        except KeyError as error:
            if error.args[0] not in _LOADED:
                raise
            raise UserError(
                f'dataset.pipeline: no step before the one that needs it gives {error}; a pipeline '
                'begins with what loads the frames, such as LoadClip'
            ) from error

    def _list_windows(self, record: dict) -> Sequence[int]:
        return range(0, record['length'], self.window_size)

    def _list_anchors(self, record: dict) -> Sequence[int]:
        if min(record['height'], record['width']) < self.min_size:
            return []
        anchors = self.annotated_frames(record).tolist()
        return anchors[:1] if isinstance(self.clip, ConsecutiveSampling) else anchors

    def _draw_frames(self, record: dict, anchor: int, rng: np.random.Generator) -> list[int]:
        if isinstance(self.clip, ConsecutiveSampling):
            return self.clip.draw(record['length'], rng)
        return self.clip.draw(anchor, self.annotated_frames(record), rng)

    def _why_empty(self) -> str:
        if self.test_mode:
            return 'no videos'
        return (
            f'no frame with an object in a video of at least {self.min_size} pixels a side, so '
            'there is nothing to train on (the released valid and test files have no annotations)'
        )


def _clip_sampling(consecutive: bool = False, **kwargs: Any) -> ClipSampling | ConsecutiveSampling:
    return ConsecutiveSampling(**kwargs) if consecutive else ClipSampling(**kwargs)


def _check_count(key: str, frames: Any) -> None:
    if type(frames) is not int or frames < 1:
        raise UserError(f'dataset.{key} = {frames!r}: must be a number of frames of at least 1')


@contextmanager
def _seeded(*entropy: int) -> Iterator[None]:
    """Let all generators that transforms use start from ``entropy``, and restore them after."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
