"""Base of the writers of one PNG a frame, and what the files are called."""

import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import cv2
import numpy as np

from mmvseg.errors import UserError
from mmvseg.files import SAME_COMMAND, file_errors, sync, write_chunks
from mmvseg.structures import VideoResult

from .results_writer import ResultsWriter, VideoId


class PngWriter(ResultsWriter):
    """Base of the writers of one PNG a frame, ``FOLDER/<video>/<stem of the frame's file>.png``.

    A video's line follows when all its PNGs are on the disk. A video whose PNGs were removed since
    does not count as finished.
    """

    #: Folder of the videos' folders within that of the results.
    png_folder = '.'

    def check_videos(self, videos: Iterable[Mapping[str, Any]]) -> None:
        """Make sure, before a long run, that the videos' files will not get in each other's way.

        Args:
            videos: all records of the dataset.

        Raises:
            UserError: if a video's name leads out of the folder, or the files of two videos or of
                two frames of a video would be the same.
        """
        folders: dict[PurePath, VideoId] = {}
        for video in videos:
            video_id = video['video_id']
            folder = video_folder(video_id)
            if folder in folders:
                raise UserError(
                    f'videos {folders[folder]!r} and {video_id!r} would share the folder {folder}; '
                    'rename one of them'
                )
            folders[folder] = video_id
            png_names(video)
        for folder, video_id in folders.items():
            for parent in folder.parents:
                if parent in folders:
                    raise UserError(
                        f'video {video_id!r} lies in the folder of video {folders[parent]!r}; '
                        'rename one of them'
                    )

    def _folder(self, video_id: VideoId) -> Path:
        return self.out_dir / self.png_folder / video_folder(video_id)

    def _names(self, video: Mapping[str, Any]) -> list[str]:
        return png_names(video)

    def _write_pngs(self, video: Mapping[str, Any], images: Iterable[np.ndarray]) -> None:
        folder = self._folder(video['video_id'])
        with file_errors(folder, SAME_COMMAND):
            folder.mkdir(parents=True, exist_ok=True)
            for name, image in zip(self._names(video), images, strict=True):
                # Of the strategies the smallest file for colours, and as fast as the others.
                _, png = cv2.imencode(
                    '.png', image, [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT]
                )
                path = folder / name
                with file_errors(path, SAME_COMMAND), open(path, 'wb', buffering=0) as file:
                    write_chunks(file, [png.tobytes()])
            sync(folder)
            sync(folder.parent)

    def _is_there(self, video_id: VideoId, entries: list) -> bool:
        folder = self._folder(video_id)
        return folder.is_dir() and set(self._pngs(entries)) <= set(os.listdir(folder))

    @abstractmethod
    def _pngs(self, entries: list) -> list[str]:
        """Names of the PNGs of a line that was read."""


class MapsWriter(PngWriter):
    """Base of the writers of PNGs alone.

    ``videos.json``, which appears when all is done, lists the files of each video; it is no part of
    the official forms.
    """

    file_name = 'videos.json'

    def _entries(self, video: Mapping[str, Any], result: VideoResult) -> list[str]:
        self._write_pngs(video, self._images(result))
        return png_names(video)

    @abstractmethod
    def _images(self, result: VideoResult) -> Iterator[np.ndarray]:
        """What the PNG of each frame holds, as OpenCV writes it."""

    def _check(self, video_id: VideoId, entries: list[str]) -> None:
        video_folder(video_id)
        self._pngs(entries)

    def _items(self, video_id: VideoId, entries: list[str]) -> list[dict]:
        return [dict(video_id=video_id, pngs=entries)]

    def _pngs(self, entries: list[str]) -> list[str]:
        return [png_name(name) for name in entries]


def video_folder(video_id: VideoId) -> PurePath:
    """Path of a video's PNGs below the folder of all videos.

    Raises:
        UserError: if the name leads elsewhere.
    """
    path = PurePath(str(video_id))
    if path.is_absolute() or '..' in path.parts or not path.parts:
        raise UserError(
            f'video {video_id!r}: its results would lie outside of their folder; rename the video'
        )
    return path


def png_names(video: Mapping[str, Any]) -> list[str]:
    """Name of the PNG of each frame of a dataset's record.

    Raises:
        UserError: if two frames would have the same.
    """
    names: dict[str, str] = {}
    for path in video['frames']:
        name = png_name(PurePath(path).name)
        if name in names:
            raise UserError(
                f'video {video["video_id"]!r}: the results of its frames {names[name]} and {path} '
                f'would both be {name}; rename one of them'
            )
        names[name] = path
    return list(names)


def png_name(file_name: str) -> str:
    """Name of the PNG of a frame."""
    return f'{PurePath(file_name).stem}.png'
