"""From a config and a checkpoint to the result of any video."""

import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope

from mmvseg.checkpoints.loaders import load_weights
from mmvseg.checkpoints.weights import load_model_weights
from mmvseg.datasets import Category, dataset_metainfo
from mmvseg.datasets.class_names import match_classes
from mmvseg.datasets.metainfo import to_metainfo
from mmvseg.engine.categories import noted_classes, set_num_classes
from mmvseg.engine.config import config_errors, require
from mmvseg.engine.device import choose_device
from mmvseg.engine.sending import send_ahead
from mmvseg.errors import UserError
from mmvseg.examples import shown_checkpoint
from mmvseg.hub import find_model
from mmvseg.media import (
    DamagedVideoWarning,
    Frame,
    FrameSource,
    as_source,
    checked_frames,
    each_video,
)
from mmvseg.media.prefetch import newest, prefetch
from mmvseg.models.precision import dtype_of, inference
from mmvseg.models.prepared import prepare_for_inference
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.models.segmentors.window_order import UnfinishedVideoWarning
from mmvseg.registry import MODELS, TRANSFORMS
from mmvseg.results import SegmentedVideo
from mmvseg.structures import VideoResult, VideoWindow

LOADER = 'LoadClip'

#: What is taken as a video, see :func:`mmvseg.media.as_source`.
Video = str | Path | Iterable[Any] | FrameSource


class VideoSegInferencer:
    """A trained model that takes video files, folders, images, frames in memory or any source.

    Frames are decoded ahead in a thread and pass the transforms of the config's test pipeline, so
    that results equal those of a test run on the same frames; memory does not grow with the video
    beyond what the model itself keeps.

    Args:
        config: path of a config, or a config. Without a checkpoint: the name of a published model
            (``mmvseg models`` lists them), or a checkpoint that notes its config.
        checkpoint: path, address or name of the weights. The classes come with them, else from the
            config's test dataset.
        device: e.g. ``cpu`` or ``cuda:1``; by default the GPU if there is one.
        cfg_options: config values to change, by dotted key.
        allow_pickle: also load a checkpoint that needs unpickling, which can run code hidden in it.
        allow_missing: name prefixes of what the checkpoint may leave unfilled; the empty string
            allows everything.
        precision: what the model computes in: ``fp32``, ``fp16`` (on a GPU), ``bf16`` or ``auto``
            (fp16 on a GPU, bf16 on a CPU); by default the config's ``test_cfg.precision``, else
            fp32.
        prepare: whether the model is prepared for inference; otherwise it stays as it is built.

    Raises:
        UserError: if config, checkpoint or device cannot be used.

    Example:
        >>> from mmvseg.examples import CLIP, NAME  # a small model, and a clip of moving shapes
        >>> inferencer = VideoSegInferencer(NAME, device='cpu')
        >>> for track in inferencer(CLIP).above(0.5):
        ...     print(track.id, track.name, f'{track.score:.1f}', track.first_frame)
        7 square 1.0 0
        1 ring 1.0 0
        0 star 1.0 0
        5 cross 0.9 0

        A published model is named alike. Its weights are fetched the first time.

        >>> inferencer = VideoSegInferencer('tevit_msgshift')  # doctest: +SKIP

    Attributes:
        metainfo: ``classes``, ``category_ids``, ``palette`` and ``thing_classes`` (None: all).
        model: the model, prepared for inference by
            :func:`mmvseg.models.prepared.prepare_for_inference`: it is not for training or saving.
        device: where it runs.
        dtype: what it computes in.
        window_size: frames that it takes at a time.
    """

    def __init__(
        self,
        config: str | Path | Config,
        checkpoint: str | Path | None = None,
        device: str | None = None,
        cfg_options: Mapping[str, Any] | None = None,
        allow_pickle: bool = False,
        allow_missing: Iterable[str] = (),
        precision: str | None = None,
        prepare: bool = True,
    ) -> None:
        self.device = choose_device(device)
        cfg, checkpoint = find_model(config, checkpoint, cfg_options, allow_pickle)
        require(cfg, 'model', 'test_dataloader.dataset')
        init_default_scope('mmvseg')
        loaded = load_weights(checkpoint, allow_pickle or cfg.get('allow_pickle', False))
        source = shown_checkpoint(checkpoint)
        self.metainfo = _metainfo(cfg, loaded, source)
        num_things = _num_things(cfg, self.metainfo, source)
        dataset = _test_dataset(cfg)
        self.window_size: int = dataset.get('window_size', 10)
        # The checkpoint's classes decide, as the data's do in training; the data need not be here.
        set_num_classes(cfg.model, len(self.classes), num_things)
        with config_errors(cfg):
            self._transforms = _test_transforms(cfg, dataset)
            self.model: VideoSegmentor = MODELS.build(cfg.model)
        # What the config lets stay unfilled concerns the start of a training.
        load_model_weights(self.model, loaded, source, True, allow_missing)
        precision = precision or (cfg.get('test_cfg') or {}).get('precision', 'fp32')
        self.dtype = dtype_of(precision, self.device)
        self.model.to(self.device).eval()
        if prepare:
            self.model = prepare_for_inference(self.model, self.dtype)
        self.model.report_all()

    def __repr__(self) -> str:
        name = type(self.model).__name__
        return f'VideoSegInferencer({name}, {len(self.classes)} classes, on {self.device})'

    @property
    def task(self) -> str:
        """``vis``, ``vps`` or ``vss``.

        Results are accordingly VideoInstances, VideoPanoptic or VideoSemantic.
        """
        return self.model.task

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by class index."""
        return self.metainfo['classes']

    @property
    def category_ids(self) -> tuple[int, ...]:
        """The dataset's id of each class index."""
        return self.metainfo['category_ids']

    @property
    def palette(self) -> tuple[tuple[int, int, int], ...]:
        """RGB of each class index."""
        return self.metainfo['palette']

    @property
    def num_things(self) -> int:
        """So many classes, the first ones, are of things that can be counted."""
        things = self.metainfo.get('thing_classes')
        return len(self.classes if things is None else things)

    def __call__(
        self,
        source: Video,
        on_frames: Callable[[int], bool | None] | None = None,
        *,
        fps: float | None = None,
    ) -> SegmentedVideo:
        """Segment one video.

        Frames in memory are in the order RGB, not BGR as OpenCV reads them. They are uint8, 0 to
        255: floats and 16 bits are refused, since their range is not known. A list may hold arrays
        and tensors (H, W, 3), grey (H, W) or (H, W, 1), and (H, W, 4), whose alpha is left out,
        pictures of Pillow, paths of images, and frames of :mod:`mmvseg.media`; so may an iterator,
        which is taken frame by frame. An array or tensor of a whole video is (T, H, W, 3) or of 1
        or 4 channels. All frames have one size.

        Args:
            source: a video file, a folder of frames, an image, a quoted pattern, an address; frames
                in memory; or a frame source, see :class:`mmvseg.media.FrameSource`.
            on_frames: called with the number of frames that the model has just taken; by returning
                False it ends the video there.
            fps: frame rate of frames that carry no times, as those of a folder (default: 6).

        Returns:
            The tracks of the video. Its ``pred`` is the result at the video's own size, of the type
            that :attr:`task` names; ``video_length`` is the number of frames taken,
            ``frame_seconds`` the time of each. A video that breaks off gives a
            ``DamagedVideoWarning`` and the result of the frames before.

        Raises:
            UserError: if nothing can be read, or a frame is of another kind.

        Example:
            >>> inferencer(CLIP)
            SegmentedVideo('shapes', 5 tracks in 48 frames)
            >>> frames = np.zeros((4, 48, 64, 3), np.uint8)
            >>> inferencer(frames, fps=25).frame_seconds
            [0.0, 0.04, 0.08, 0.12]
            >>> inferencer(frame for frame in frames).video_length
            4
        """
        source = as_source(source, fps)
        taken, seconds = 0, []

        def count(windows: Iterable[VideoWindow]) -> Iterator[VideoWindow]:
            nonlocal taken
            for window in windows:
                yield window
                taken += len(window.frames)
                if on_frames and on_frames(len(window.frames)) is False:
                    return

        with (
            closing(send_ahead(prefetch(self.windows(source, seconds)), self.device)) as windows,
            inference(self.dtype, self.device),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter('ignore', UnfinishedVideoWarning)  # the caller ended it
            (sample,) = self.model.stream(count(windows))
        if source.damage:
            warnings.warn(source.damage, DamagedVideoWarning, stacklevel=2)
        return SegmentedVideo(
            sample.pred, self.metainfo, source.name, tuple(source.size), seconds[:taken]
        )

    def videos(
        self, sources: str | Path | Iterable[Video], *, fps: float | None = None
    ) -> Generator[tuple[Video, SegmentedVideo]]:
        """Segment several videos, one after the other.

        Args:
            sources: several of what a call takes, or a folder of videos: the video files in it and
                its folders of frames, in natural order. (A list given to a call is one video: its
                frames.)
            fps: as of a call.

        Returns:
            A generator of each source and its result. A video is read when its turn comes.

        Raises:
            UserError: for a video that cannot be read; the results before it have been given.

        Example:
            >>> for source, result in inferencer.videos('shapes/val/JPEGImages'):
            ...     print(source.name, len(result.above(0.5)))
            shapes_00000 3
            shapes_00001 2
        """
        for source in each_video(sources):
            yield source, self(source, fps=fps)

    def live(self, source: Video | int) -> Generator[tuple[Frame, VideoResult]]:
        """Segment frame by frame, each as soon as it is there.

        Of a camera or a stream, the model always takes the newest frame; those that came while it
        was busy are left out. Files and folders are taken whole.

        Args:
            source: as of a call; also a camera's number or a stream's address.

        Returns:
            A generator of the frames taken, renumbered without gaps (``seconds`` is the time in
            the source), and the result of each: tubes or maps of one frame. A source that breaks
            off ends it with a ``DamagedVideoWarning``. Closing it releases the source.

        Raises:
            UserError: if nothing can be read, or the model needs the whole video.

        Example:
            >>> with closing(inferencer.live(CLIP)) as frames:
            ...     for frame, objects in frames:
            ...         print(frame.index, len(objects.above(0.5)))
            ...         if frame.index == 1:
            ...             break
            0 4
            1 4
        """
        source = as_source(source)
        images = checked_frames(source)
        frames = newest(images) if source.is_live else prefetch(images)
        taken: list[Frame] = []  # the one that the model works on

        def windows() -> Iterator[VideoWindow]:
            for index, frame in enumerate(frames):
                taken[:] = [frame._replace(index=index)]
                yield self._window(source, taken, is_last=False)

        found = self.model.live(windows())

        def pairs() -> Generator[tuple[Frame, VideoResult]]:
            with closing(frames):
                while True:
                    # Not around the yield: the caller's code is not of the model.
                    with inference(self.dtype, self.device):
                        _, result = next(found, (None, None))
                    if result is None:
                        break
                    yield taken[0], result
            if source.damage:
                warnings.warn(source.damage, DamagedVideoWarning, stacklevel=2)

        return pairs()

    def windows(
        self, source: FrameSource, seconds: list[float] | None = None
    ) -> Iterator[VideoWindow]:
        """The windows that a test run would load from the same frames.

        Args:
            source: the frames.
            seconds: takes the time of each frame.

        Raises:
            UserError: if the source has no frames.
        """
        pending: list[Frame] = []
        for frame in checked_frames(source):
            # One frame of the next window must be there to know that this one is not the last.
            if len(pending) == self.window_size:
                yield self._window(source, pending, is_last=False)
                pending = []
            pending.append(frame)
            if seconds is not None:
                seconds.append(frame.seconds)
        if not pending:
            raise UserError(f'{source.name}: no frames')
        yield self._window(source, pending, is_last=True)

    def _window(self, source: FrameSource, frames: list[Frame], *, is_last: bool) -> VideoWindow:
        packed = self._transforms(
            dict(
                video_id=1,
                video_name=source.name,
                video_length=source.length,
                frame_ids=[frame.index for frame in frames],
                frame_paths=[source.frame_path(frame.index) for frame in frames],
                imgs=[frame.image for frame in frames],
                ori_shape=source.size,
                img_shape=source.size,
                scale_factor=(1.0, 1.0),
                flip=False,
                is_first=frames[0].index == 0,
                is_last=is_last,
            )
        )
        return VideoWindow(packed['inputs'], packed['data_samples'])


def _test_dataset(cfg: Config) -> dict:
    dataset = cfg.test_dataloader.dataset
    while 'dataset' in dataset:
        dataset = dataset.dataset
    return dataset


def _test_transforms(cfg: Config, dataset: dict) -> Compose:
    """The test pipeline without its first step, which would read the frames from files."""
    pipeline = dataset.get('pipeline') or []
    if not pipeline or pipeline[0]['type'].split('.')[-1] != LOADER:
        raise UserError(
            f'config {cfg.filename}: test_dataloader.dataset.pipeline must begin with {LOADER}'
        )
    return Compose([TRANSFORMS.build(transform) for transform in pipeline[1:]])


def _metainfo(cfg: Config, checkpoint: Mapping[str, Any], source: str) -> dict:
    """Classes, things and colours: the checkpoint's, completed by those of the test dataset."""
    noted = noted_classes(checkpoint)
    if not noted:
        try:
            return dataset_metainfo(_test_dataset(cfg))
        except UserError as error:
            raise UserError(
                f'checkpoint {source} does not name its classes, and the test dataset of the '
                f'config cannot be asked: {error}'
            ) from error
    classes = tuple(noted['classes'])
    other = {}
    if not {'category_ids', 'palette', 'thing_classes'} <= set(noted):
        with suppress(UserError):  # the data need not be here, nor be of these classes
            found = dataset_metainfo(_test_dataset(cfg))
            if set(found['classes']) == set(classes):
                task = (cfg.model.get('test_cfg') or {}).get('task', 'vis')
                other, _ = match_classes(found, dict(classes=classes), source, [task])
    ids = noted.get('category_ids') or other.get('category_ids') or range(1, len(classes) + 1)
    palette = noted.get('palette') or other.get('palette')
    if palette is None or isinstance(palette, str) or len(palette) != len(classes):
        palette = [None] * len(classes)
    categories = [Category(*entry) for entry in zip(ids, classes, palette, strict=True)]
    things = noted.get('thing_classes', other.get('thing_classes'))
    return dict(to_metainfo(categories), thing_classes=things)


def _num_things(cfg: Config, metainfo: Mapping[str, Any], source: str) -> int | None:
    """How many of the classes are things, where that is known.

    Raises:
        UserError: if it is not, and the model needs it.
    """
    things = metainfo.get('thing_classes')
    if things is None and (cfg.model.get('test_cfg') or {}).get('task') == 'vps':
        raise UserError(
            f'checkpoint {source} does not say which of its classes are things '
            '(meta.dataset_meta.thing_classes), and the test dataset of the config cannot be asked '
            'or has other classes'
        )
    return None if things is None else len(things)
