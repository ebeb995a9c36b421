"""Shapes on disk as published data sets are: YouTube-VIS, VIPSeg or VSPW."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pycocotools import mask as coco_mask

from mmvseg.files import write_bytes, write_json
from mmvseg.media.images import write_image, write_segment_map

from .textures import STUFF_CLASSES, THING_CLASSES, class_colors
from .world import ShapesFrame, ShapesOptions

#: Segment id of a video's first object in the VIPSeg layout; smaller ids are stuff.
_FIRST_OBJECT = 100


class SplitLayout(ABC):
    """Writes the frames and annotations of one split.

    Args:
        out: folder of the set.
        split: ``train`` or ``val``.
        options: size and length of every video.
    """

    #: What a set leaves in its folder, as names with ``{split}``.
    paths: tuple[str, ...]

    def __init__(self, out: Path, split: str, options: ShapesOptions) -> None:
        self.out = out
        self.split = split
        self.options = options

    @abstractmethod
    def begin(self, index: int, labels: Sequence[int]) -> None:
        """Start video number ``index`` with objects of these classes."""

    @abstractmethod
    def add(self, t: int, frame: ShapesFrame) -> None:
        """Write the video's frame number ``t``."""

    @abstractmethod
    def finish(self) -> None:
        """Write what describes the whole split."""


class YouTubeVISLayout(SplitLayout):
    """``{split}/JPEGImages/<video>/<frame>.jpg`` and ``{split}.json``.

    Args:
        out: see :class:`SplitLayout`.
        split: see :class:`SplitLayout`.
        options: see :class:`SplitLayout`.
        stuff: also write maps of class ids, ``{split}/class_maps/<video>/<frame>.png``, things
            before stuff, and their categories, ``{split}_stuff.json``.
    """

    paths = ('{split}', '{split}.json', '{split}_stuff.json')

    def __init__(self, out: Path, split: str, options: ShapesOptions, stuff: bool = False) -> None:
        super().__init__(out, split, options)
        self.stuff = stuff
        self.videos: list[dict] = []
        self.tracks: list[dict] = []

    def begin(self, index: int, labels: Sequence[int]) -> None:
        """Note the video and an empty track for each object."""
        options = self.options
        self._name, self._labels = f'shapes_{index:05d}', labels
        self.videos.append(
            dict(
                id=index + 1,
                height=options.height,
                width=options.width,
                length=options.length,
                file_names=[f'{self._name}/{t:05d}.jpg' for t in range(options.length)],
            )
        )
        self._tracks = [
            dict(
                video_id=index + 1,
                category_id=label + 1,
                iscrowd=0,
                height=options.height,
                width=options.width,
                segmentations=[],
                bboxes=[],
                areas=[],
            )
            for label in labels
        ]
        self.tracks += self._tracks

    def add(self, t: int, frame: ShapesFrame) -> None:
        """Write the picture and append the frame to every track."""
        folder = self.out / self.split
        write_image(folder / 'JPEGImages' / self._name / f'{t:05d}.jpg', frame.image)
        if self.stuff:
            path = folder / 'class_maps' / self._name / f'{t:05d}.png'
            write_image(path, class_map(frame, self._labels) + np.uint8(1))
        visible = frame.instances[..., None] == np.arange(len(self._tracks))
        codes = coco_mask.encode(np.asfortranarray(visible, np.uint8))
        for track, code in zip(self._tracks, codes, strict=True):
            area = int(coco_mask.area(code))
            rle = dict(size=list(code['size']), counts=code['counts'].decode('ascii'))
            track['segmentations'].append(rle if area else None)
            track['bboxes'].append(coco_mask.toBbox(code).tolist() if area else None)
            track['areas'].append(area or None)

    def finish(self) -> None:
        """Write the annotation files; objects that were never seen are left out."""
        seen = [track for track in self.tracks if any(track['areas'])]
        things = _categories(THING_CLASSES, first=1, isthing=1)
        content = dict(
            info=dict(description=f'Shapes, {self.split} split'),
            licenses=[],
            videos=self.videos,
            categories=things,
            annotations=[dict(id=number, **track) for number, track in enumerate(seen, 1)],
        )
        write_json(self.out / f'{self.split}.json', content, compact=True)
        if self.stuff:
            stuff = _categories(STUFF_CLASSES, first=len(things) + 1, isthing=0)
            content = dict(videos=self.videos, categories=things + stuff)
            write_json(self.out / f'{self.split}_stuff.json', content, compact=True)


class VIPSegLayout(SplitLayout):
    """``images/``, ``panomasksRGB/`` and ``panoptic_gt_VIPSeg_{split}.json``.

    A PNG's value R + 256 G + 65536 B is the id of the segment: 1 + its class for stuff, 100 + its
    number for an object.
    """

    paths = ('images', 'panomasksRGB', 'panoptic_gt_VIPSeg_{split}.json')

    def __init__(self, out: Path, split: str, options: ShapesOptions) -> None:
        super().__init__(out, split, options)
        self.videos: list[dict] = []
        self.annotations: list[dict] = []

    def begin(self, index: int, labels: Sequence[int]) -> None:
        """Note the video."""
        self._name, self._labels = f'{self.split}_{index:05d}', labels
        self.videos.append(dict(video_id=self._name, images=[]))
        self.annotations.append(dict(video_id=self._name, annotations=[]))

    def add(self, t: int, frame: ShapesFrame) -> None:
        """Write picture and segments."""
        classes = class_map(frame, self._labels)
        ids = np.where(frame.instances >= 0, _FIRST_OBJECT + frame.instances, classes + 1).astype(
            np.int32
        )
        write_image(self.out / 'images' / self._name / f'{t:05d}.jpg', frame.image)
        write_segment_map(self.out / 'panomasksRGB' / self._name / f'{t:05d}.png', ids)
        image = dict(
            id=f'{self._name}_{t:05d}',
            width=self.options.width,
            height=self.options.height,
            file_name=f'{t:05d}.jpg',
        )
        self.videos[-1]['images'].append(image)
        self.annotations[-1]['annotations'].append(
            dict(
                image_id=image['id'],
                file_name=f'{t:05d}.png',
                segments_info=[_segment(ids, i, classes) for i in np.unique(ids).tolist()],
            )
        )

    def finish(self) -> None:
        """Write the annotation file."""
        content = dict(
            videos=self.videos, annotations=self.annotations, categories=panoptic_categories()
        )
        write_json(self.out / f'panoptic_gt_VIPSeg_{self.split}.json', content, compact=True)


class VSPWLayout(SplitLayout):
    """``data/<video>/{origin,mask}``, ``{split}.txt`` and ``categories.json``.

    A PNG's value is 1 + the class.
    """

    paths = ('data', '{split}.txt', 'categories.json')

    def __init__(self, out: Path, split: str, options: ShapesOptions) -> None:
        super().__init__(out, split, options)
        self.names: list[str] = []

    def begin(self, index: int, labels: Sequence[int]) -> None:
        """Note the video."""
        self._labels = labels
        self.names.append(f'{self.split}_{index:05d}')

    def add(self, t: int, frame: ShapesFrame) -> None:
        """Write picture and classes."""
        folder = self.out / 'data' / self.names[-1]
        write_image(folder / 'origin' / f'{t:05d}.jpg', frame.image)
        classes = class_map(frame, self._labels)
        write_image(folder / 'mask' / f'{t:05d}.png', classes + np.uint8(1))

    def finish(self) -> None:
        """Write the list of videos and the classes."""
        text = ''.join(f'{name}\n' for name in self.names)
        write_bytes(self.out / f'{self.split}.txt', text.encode())
        write_json(self.out / 'categories.json', panoptic_categories(), compact=True)


#: Layouts of generated data sets, by name: what writes their files.
LAYOUTS = dict(youtube_vis=YouTubeVISLayout, vipseg=VIPSegLayout, vspw=VSPWLayout)


def panoptic_categories() -> list[dict]:
    """Things, then stuff, ids from 0."""
    things = _categories(THING_CLASSES, first=0, isthing=1)
    categories = things + _categories(STUFF_CLASSES, first=len(things), isthing=0)
    return [
        dict(category, color=color)
        for category, color in zip(categories, class_colors(), strict=True)
    ]


def class_map(frame: ShapesFrame, labels: Sequence[int]) -> np.ndarray:
    """Class of each pixel, things before stuff, (H, W) uint8."""
    classes = np.array([*labels, 0], np.uint8)
    stuff = frame.stuff + np.uint8(len(THING_CLASSES))
    return np.where(frame.instances >= 0, classes[frame.instances], stuff)


def _categories(names: tuple[str, ...], first: int, isthing: int) -> list[dict]:
    kind = 'thing' if isthing else 'stuff'
    return [
        dict(id=first + index, name=name, supercategory=kind, isthing=isthing)
        for index, name in enumerate(names)
    ]


def _segment(ids: np.ndarray, segment: int, classes: np.ndarray) -> dict:
    inside = ids == segment
    x, y = np.flatnonzero(inside.any(0)), np.flatnonzero(inside.any(1))
    box = [x[0], y[0], x[-1] + 1 - x[0], y[-1] + 1 - y[0]]
    return dict(
        id=segment,
        category_id=int(classes[inside][0]),
        iscrowd=0,
        area=int(inside.sum()),
        bbox=[int(value) for value in box],
    )
