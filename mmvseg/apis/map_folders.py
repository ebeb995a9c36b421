"""Official folders of panoptic and semantic (VSPW) results, as videos to draw."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmvseg.datasets import VSPWDataset
from mmvseg.datasets.metainfo import to_panoptic_metainfo
from mmvseg.errors import UserError
from mmvseg.formats.panoptic import load_results, mask_folder, read_panoptic
from mmvseg.formats.panoptic_records import Video
from mmvseg.formats.pictures import refuse_outside
from mmvseg.media.images import read_class_map
from mmvseg.structures import Segment, VideoPanoptic, VideoSemantic

from .results_file import ResultVideo, choose_videos, output_names

#: Class index of pixels without a class.
VOID = np.iinfo(np.uint16).max


class SegmentFiles(Sequence[np.ndarray]):
    """Maps of segment ids in PNGs, read when asked for, the segments numbered from 1.

    A segment is an id with a class: an id that changes its class over the video is two.

    Args:
        video: with the files and the segments that are listed in each frame.
        labels: class index of each category id.
        complete: whether an id that is not listed is an error; else it is no segment.

    Attributes:
        keys: id in the PNGs and class index of the segments 1, 2, ...
    """

    def __init__(self, video: Video, labels: Mapping[int, int], *, complete: bool) -> None:
        self._video, self._complete = video, complete
        self._labels = [
            {segment.id: labels[segment.category_id] for segment in frame.segments}
            for frame in video.frames
        ]
        self.keys = list(dict.fromkeys(key for frame in self._labels for key in frame.items()))
        self._numbers = {key: number for number, key in enumerate(self.keys, 1)}

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, frame: int) -> np.ndarray:
        path = self._video.frames[frame].mask
        ids = self._video.read_map(path, (self._video.height, self._video.width))
        values, inverse = np.unique(ids, return_inverse=True)
        numbers = np.zeros(len(values), np.uint16)
        for i, value in enumerate(values.tolist()):
            label = self._labels[frame].get(value)
            if label is not None:
                numbers[i] = self._numbers[value, label]
            elif value and self._complete:
                raise UserError(f'{path}: segment id {value} is not in the json')
        return numbers[inverse].reshape(ids.shape)

    @property
    def png_ids(self) -> list[int]:
        """R + 256 G + 65536 B of the segments 1, 2, ... in the PNGs."""
        return [self._video.png_id(segment) for segment, _ in self.keys]

    def result(self, num_things: int) -> VideoPanoptic:
        """The video's result; its first ``num_things`` class indices are things."""
        segments = [
            Segment(number, label, label < num_things, score=1.0, query=-1)
            for number, (_, label) in enumerate(self.keys, 1)
        ]
        return VideoPanoptic(segments, self)


class ClassFiles(Sequence[np.ndarray]):
    """Maps of classes in PNGs, read when asked for.

    Args:
        paths: PNG of each frame; None where there is none.
        labels: class index of each value, -1 for values that no map may have, (256,).
        size: (height, width) that they must have.
    """

    def __init__(
        self, paths: Sequence[str | Path | None], labels: np.ndarray, size: tuple[int, int]
    ) -> None:
        self._paths, self._labels, self._size = paths, labels, size

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, frame: int) -> np.ndarray:
        path = self._paths[frame]
        if path is None:
            return np.full(self._size, VOID, np.uint16)
        values = read_class_map(path, self._size)
        labels = self._labels[values]
        if labels.min() < 0:
            unknown = int(values[labels < 0][0])
            raise UserError(f'{path}: value {unknown} is the id of no class')
        return labels.astype(np.uint16)


def load_panoptic_results(
    folder: Path,
    gt_path: Path,
    root: Path,
    wanted: Sequence[str] | None = None,
    allow_outside_root: bool = False,
    classes: str | None = None,
) -> tuple[dict[str, Any], list[ResultVideo]]:
    """Read panoptic results beside the annotation file or the folder of maps that they belong to.

    Args:
        folder: of the results.
        gt_path: file of the form of VIPSeg or Cityscapes-VPS, whose segment maps lie where
            :func:`.panoptic.mask_folder` says and whose annotations may be missing; or folder of
            maps of that of STEP.
        root: folder of the videos' frames.
        wanted: names of the videos to take; default all.
        allow_outside_root: whether links to frames and maps may lead out of their folders.
        classes: of maps of STEP, see :func:`.step.read_classes`.

    Returns:
        The metainfo of the classes, and the videos in the order of the annotation file. Maps are
        read when they are used.

    Raises:
        UserError: if either file is not what it should be, or they do not belong together.
    """
    mask_root = mask_folder(gt_path)
    content = read_panoptic(gt_path, mask_root, classes)
    metainfo = to_panoptic_metainfo(content.categories)
    labels = {category: label for label, category in enumerate(metainfo['category_ids'])}
    num_things = len(metainfo['thing_classes'])
    records = [dict(video_id=name, name=name) for name in content.videos]
    chosen = [content.videos[r['name']] for r in choose_videos(records, wanted, gt_path)]
    predicted = load_results(folder, content, {video.name: video for video in chosen})
    names = output_names(records)
    videos = []
    for video in chosen:
        if not allow_outside_root:
            refuse_outside(video.frame_paths(root), root, video.name)
            refuse_outside((frame.mask for frame in video.frames), mask_root, video.name)
        found = SegmentFiles(predicted[video.name], labels, complete=True)
        truth = None
        if video.annotated:
            truth = SegmentFiles(video, labels, complete=False).result(num_things)
        videos.append(
            ResultVideo(
                video_id=video.name,
                name=names[video.name],
                size=(video.height, video.width),
                frames=video.frame_paths(root),
                found=found.result(num_things),
                truth=truth,
            )
        )
    return metainfo, videos


def load_semantic_results(
    folder: Path,
    gt_path: Path,
    root: Path,
    wanted: Sequence[str] | None = None,
    allow_outside_root: bool = False,
) -> tuple[dict[str, Any], list[ResultVideo]]:
    """The same for folders of VSPW, ``<video>/<frame>.png``.

    Args:
        folder: of the results.
        gt_path: list of videos such as ``val.txt``, with ``categories.json`` beside it for own
            classes.
        root: folder of the videos, with ``origin`` and perhaps ``mask`` in each.
        wanted: names of the videos to take; default all.
        allow_outside_root: whether links to frames and maps may lead out of ``root``.
    """
    dataset = VSPWDataset(str(gt_path), data_prefix=dict(img=str(root.absolute())), test_mode=True)
    metainfo = dataset.metainfo
    ids = np.array(metainfo['category_ids'])
    # Maps may have values of no class, which are ignored as void is; results must not.
    in_results, in_truth = np.full(256, -1), np.full(256, VOID)
    in_results[ids] = in_truth[ids + 1] = np.arange(len(ids))
    records = list(dataset.videos)
    names = output_names(records)
    videos = []
    for record in choose_videos(records, wanted, gt_path):
        if not allow_outside_root:
            refuse_outside([*record['frames'], *record['masks']], root, record['name'])
        size = (record['height'], record['width'])
        paths = [folder / record['name'] / f'{Path(p).stem}.png' for p in record['frames']]
        missing = [path for path in paths if not path.is_file()]
        if missing:
            raise UserError(
                f'{folder}: video {record["name"]}: {len(missing)} of {len(paths)} frames have no '
                f'result, e.g. {missing[0]} (--video draws single videos)'
            )
        truth = None
        if any(record['masks']):
            truth = VideoSemantic(ClassFiles(record['masks'], in_truth, size))
        videos.append(
            ResultVideo(
                video_id=record['video_id'],
                name=names[record['video_id']],
                size=size,
                frames=record['frames'],
                found=VideoSemantic(ClassFiles(paths, in_results, size)),
                truth=truth,
            )
        )
    return metainfo, videos
