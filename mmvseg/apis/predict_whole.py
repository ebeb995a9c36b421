"""Segmenting a video as a whole: it is read twice, to see and to draw."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from mmvseg.errors import counted, say
from mmvseg.files import write_bytes
from mmvseg.media import (
    AudioTracks,
    FirstFrames,
    FrameSource,
    VideoFile,
    VideoWriter,
    is_steady,
    open_source,
)
from mmvseg.media.images import IMAGE_SUFFIXES, write_image
from mmvseg.progress import ProgressReport
from mmvseg.results.exports import COLUMNS
from mmvseg.visualization.exports import write_id_map
from mmvseg.visualization.tables import write_table
from mmvseg.visualization.text import DrawingStyle

from .inferencer import VideoSegInferencer
from .live_outputs import map_path
from .output_paths import say_outputs
from .reports import Report, build_report, demo_style
from .stopping import StopWish

#: Quality of a recorded camera: hardly a visible loss.
RECORDING_CRF = 10


def segment_whole(
    args: argparse.Namespace,
    source: FrameSource,
    inferencer: VideoSegInferencer,
    out: Path,
    stop: StopWish,
) -> int:
    """Segment the video, then decode it again to draw what was found.

    Returns:
        The exit status.

    Raises:
        UserError: if the source broke off, after everything is written.
    """
    damage = sound = None
    if isinstance(source, VideoFile) and not args.no_audio:
        sound = source
    if args.max_frames:
        source = FirstFrames(source, args.max_frames)
    stop.is_heeded = True
    if source.is_live:
        source, damage = _record(source, out, stop)
    with ProgressReport('segmenting', source.length) as progress:

        def on_frames(count: int) -> bool:
            progress.advance(count)
            return not stop.taken()

        sample = inferencer(source, on_frames)
    damage = damage or source.damage
    found = build_report(
        sample.pred,
        inferencer.metainfo,
        args.score_thr,
        all_tracks=args.all_tracks,
        labels=args.labels,
    )
    if args.json:
        times = dict(seconds=[round(seconds, 6) for seconds in sample.frame_seconds])
        entries = [entry | times for entry in found.entries()]
        write_bytes(args.json, json.dumps(entries).encode())
    if args.csv:
        shown = replace(sample, pred=found.result, video_name=args.name or source.name)
        write_table(args.csv, list(COLUMNS), shown.rows())
    pictures = _Pictures(found, sample.frame_seconds, out, args.maps)
    audio = AudioTracks(sound.address, sound.start_s) if sound else None
    drawn = pictures.write(source, demo_style(inferencer.task, source.size), audio, stop)
    say(found.describe())
    if stop.number:
        total = '' if source.length is None else f' of {source.length}'
        where = f'stopped after {counted(sample.video_length, "frames")}{total}'
        if drawn < sample.video_length:
            where += f', overlay and maps after {drawn}'
        say(f'{where}; the results cover the frames before', sys.stderr)
    say_outputs(found.noun, out, args.json, args.csv, args.maps, None if stop.number else damage)
    return stop.status


def _record(source: FrameSource, out: Path, stop: StopWish) -> tuple[FrameSource, str | None]:
    """Keep the frames of a camera or stream in a file next to ``out``, to read them twice.

    Returns:
        The file, and where the source broke off, if it did.
    """
    path = out.with_name(f'{out.stem}_input.mp4')
    with (
        ProgressReport('recording', source.length) as progress,
        _video_writer(path, source, timed=True, crf=RECORDING_CRF) as writer,
    ):
        for frame in source:
            writer.write(frame.image, frame.seconds)
            progress.advance()
            if stop.taken():
                break
    say(f'input:   {path}')
    return open_source(path), source.damage


def _video_writer(
    path: Path,
    source: FrameSource,
    *,
    timed: bool,
    crf: int = 20,
    audio: AudioTracks | None = None,
) -> VideoWriter:
    """For a video of the rate and the pixels of another."""
    return VideoWriter(
        path, source.fps, crf, timed=timed, pixel_aspect=source.pixel_aspect, audio=audio
    )


class _Pictures:
    """The overlay and the id maps of a video, written side by side.

    Args:
        found: the result.
        times_s: of the frames that it covers.
        out: the overlay.
        maps: folder of the maps; None for none.
    """

    def __init__(
        self, found: Report, times_s: Sequence[float], out: Path, maps: Path | None
    ) -> None:
        self._found, self._times_s, self._out, self._maps = found, times_s, out, maps
        self._colors = found.colors()

    def write(
        self,
        source: FrameSource,
        style: DrawingStyle,
        audio: AudioTracks | None,
        stop: StopWish,
    ) -> int:
        """Decode the frames once more and write them with the result drawn on, each at its time.

        Returns:
            How many frames there are, fewer than the result covers if the user stopped it.
        """
        painter, length = self._found.painter(style), len(self._times_s)
        if self._out.suffix.lower() in IMAGE_SUFFIXES:
            frame = next(iter(source))
            self._write_map(0, source.size)
            write_image(self._out, painter.draw(frame.image, self._found.result, 0))
            return 1
        # what was read ahead lies behind the frames of a result that was stopped
        end_s = (not stop.number and source.end_s) or self._times_s[-1] + float(1 / source.fps)
        ends_s = [*self._times_s[1:], end_s]
        timed = not is_steady(self._times_s, source.fps)
        with (
            ProgressReport('drawing', length) as progress,
            _video_writer(self._out, source, timed=timed, audio=audio) as writer,
        ):
            for index, seconds, image in source:
                self._write_map(index, source.size)
                drawn = painter.draw(image, self._found.result, index)
                writer.write(drawn, seconds, ends_s[index] - seconds)
                progress.advance()
                if stop.taken() or writer.count == length:
                    break
            if audio:
                # What is heard behind the last frame belongs to a video that was taken whole.
                audio.whole = not stop.number and not isinstance(source, FirstFrames)
        if audio and audio.damage:
            say(f'note: {audio.damage}', sys.stderr)
        return writer.count

    def _write_map(self, frame: int, size: tuple[int, int]) -> None:
        if self._maps:
            wide = max(self._colors, default=0) > 255
            ids = self._found.id_map(frame, size)
            write_id_map(map_path(self._maps, frame), ids, self._colors, wide=wide)
