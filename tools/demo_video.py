"""Segment a video and draw the result.

What is drawn follows from the model's task:
    vis  objects: one colour a track, with class, id and score
    vps  every pixel's segment: things with class, id and score, stuff with its class
    vss  every pixel's class, with a legend below

INPUT is a video file, a folder of frames, an image, a quoted pattern such as "frames/*.jpg", the
number of a camera, the address of a stream (rtsp://, http://, udp:// ...), or - for a pipe.
The overlay is an H.264 mp4 of the input's size and times (an image gives a PNG). For vps and
vss, frames smaller than 400 pixels are enlarged so that names can be read; a legend comes on top.

The sound of a video file is kept. Ctrl-C and SIGTERM keep what is done: the results of the frames
so far are written, and the exit status is 130 or 143.

With --live each frame is segmented, written and shown as soon as it is there, without sound; Ctrl-C
ends it, with status 0.

Example:
    python tools/demo_video.py street.mp4 configs/tevit/tevit_msgshift.py tevit_msgshift.pth
"""

import argparse
import json
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from mmvseg.apis import VideoSegInferencer
from mmvseg.apis.live_outputs import LiveOutputs, map_path
from mmvseg.apis.output_paths import check_output_files, check_output_folder
from mmvseg.apis.reports import Report, build_report, demo_style, score_threshold
from mmvseg.apis.stopping import StopWish
from mmvseg.engine.config import add_cfg_options
from mmvseg.engine.console import hide_irrelevant_warnings
from mmvseg.engine.launch import add_checkpoint_arguments, allowed_missing, positive_int
from mmvseg.errors import UserError, command_line, say
from mmvseg.files import write_bytes
from mmvseg.media import (
    DEFAULT_FPS,
    AudioTracks,
    DamagedVideoWarning,
    FirstFrames,
    FrameSource,
    ImageSequence,
    Picture,
    VideoFile,
    VideoWriter,
    is_steady,
    open_source,
    parse_fps,
    without_password,
)
from mmvseg.media.images import IMAGE_SUFFIXES, write_image
from mmvseg.progress import ProgressReport
from mmvseg.visualization.exports import write_id_map
from mmvseg.visualization.painters import build_painter
from mmvseg.visualization.text import DrawingStyle

OUT_FOLDER = Path('work_dirs/demo')
#: Quality of a recorded camera: hardly a visible loss.
RECORDING_CRF = 10


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'input', help='video file, folder of frames, image, quoted pattern, camera, stream or -'
    )
    parser.add_argument('config', help='config of the model')
    parser.add_argument('checkpoint', help='its weights')
    parser.add_argument(
        '--out', type=Path, help=f'overlay to write (default: {OUT_FOLDER}/NAME.mp4 or .png)'
    )
    parser.add_argument(
        '--json',
        type=Path,
        help='also write what was found. vis: entries of results.json with class names; vps: '
        'segments, vss: classes, each with its area in every frame; all with the seconds of the '
        'frames; with --live, one JSON object a frame and line',
    )
    parser.add_argument(
        '--maps',
        type=Path,
        metavar='FOLDER',
        help='also write a PNG a frame: number of the track + 1 or of the segment (0 = none), or '
        'class id',
    )
    parser.add_argument(
        '--score-thr',
        type=float,
        help='leave out tracks (vis, default 0.3) or segments (vps, default: none) below this '
        'score, in overlay, json and maps',
    )
    parser.add_argument('--device', help='e.g. cpu or cuda:1 (default: the GPU if there is one)')
    parser.add_argument(
        '--fps',
        type=parse_fps,
        help=f'frame rate of a folder of frames (default {DEFAULT_FPS}); videos keep theirs',
    )
    parser.add_argument(
        '--range',
        type=float,
        nargs=2,
        metavar=('LOW', 'HIGH'),
        help='of pictures of 16 bits, the values that become black and white (default: those of '
        'the smallest number of bits that holds all frames)',
    )
    parser.add_argument(
        '--live', action='store_true', help='frame by frame, for models that need not wait'
    )
    parser.add_argument(
        '--show', action='store_true', help='with --live, show a window, and no mp4 unless --out'
    )
    parser.add_argument('--max-frames', type=positive_int, help='stop after so many frames')
    parser.add_argument(
        '--no-audio', action='store_true', help='leave the sound of a video file out'
    )
    add_checkpoint_arguments(parser)
    add_cfg_options(parser)
    args = parser.parse_args()
    if args.show and not args.live:
        parser.error('--show needs --live')
    return args


@command_line
def main() -> int:
    with StopWish() as stop:
        return run(parse_args(), stop)


def run(args: argparse.Namespace, stop: StopWish) -> int:
    """The whole run; returns the exit status."""
    hide_irrelevant_warnings()
    # Reported once at the end, when all is written.
    warnings.simplefilter('ignore', DamagedVideoWarning)
    source = open_source(args.input, args.fps, args.range, once=args.live)
    if source.is_live and not args.live and not args.max_frames:
        raise UserError(
            f'{source.name} may never end: give --live, or --max-frames to take a video of so many '
            'frames first'
        )
    out = output_path(args.out, source, isinstance(source, Picture) and not args.live)
    check_outputs(args, source, out)
    inferencer = VideoSegInferencer(
        args.config,
        args.checkpoint,
        args.device,
        args.cfg_options,
        allow_pickle=args.allow_pickle,
        allow_missing=allowed_missing(args) or (),
    )
    args.score_thr = score_threshold(inferencer.task, args.score_thr)
    height, width = source.size
    length = '?' if source.length is None else source.length
    say(
        f'{without_password(args.input)}: {width}x{height}, {length} frames, on {inferencer.device}'
    )
    said = [*source.notes]
    for note in said:
        say(note)
    segment = segment_live if args.live else segment_whole
    try:
        return segment(args, source, inferencer, out, stop)
    finally:
        for note in source.notes[len(said) :]:
            say(note)


def check_outputs(args: argparse.Namespace, source: FrameSource, out: Path) -> None:
    """Refuse outputs that cannot be written or are what is read.

    Raises:
        UserError: naming the option.
    """
    frames = source.paths if isinstance(source, ImageSequence) else []
    inputs = [args.input, *frames, args.config, args.checkpoint]
    # lines may go to another program as they come
    takes_lines = args.live and args.json and os.path.exists(args.json)
    is_pipe = takes_lines and (args.json.is_fifo() or args.json.is_char_device())
    check_output_files({'--out': out, '--json': None if is_pipe else args.json}, inputs)
    if args.maps:
        check_output_folder('--maps', args.maps, frames)


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
        source, damage = record(source, out, stop)
    with ProgressReport('segmenting', source.length) as progress:

        def on_frames(count: int) -> bool:
            progress.advance(count)
            return not stop.taken()

        sample = inferencer(source, on_frames)
    damage = damage or source.damage
    found = build_report(sample.pred, inferencer.metainfo, args.score_thr)
    if args.json:
        times = dict(seconds=[round(seconds, 6) for seconds in sample.frame_seconds])
        entries = [entry | times for entry in found.entries()]
        write_bytes(args.json, json.dumps(entries).encode())
    pictures = Pictures(found, sample.frame_seconds, out, args.maps)
    audio = AudioTracks(sound.address, sound.start_s) if sound else None
    drawn = pictures.write(source, demo_style(inferencer.task, source.size), audio, stop)
    say(found.describe())
    if stop.number:
        total = '' if source.length is None else f' of {source.length}'
        where = f'stopped after {sample.video_length} frames{total}'
        if drawn < sample.video_length:
            where += f', overlay and maps after {drawn}'
        say(f'{where}; the results cover the frames before', sys.stderr)
    report(found.noun, out, args.json, args.maps, None if stop.number else damage)
    return stop.status


def record(source: FrameSource, out: Path, stop: StopWish) -> tuple[FrameSource, str | None]:
    """Keep the frames of a camera or stream in a file next to ``out``, to read them twice.

    Returns:
        The file, and where the source broke off, if it did.
    """
    path = out.with_name(f'{out.stem}_input.mp4')
    with (
        ProgressReport('recording', source.length) as progress,
        video_writer(path, source, timed=True, crf=RECORDING_CRF) as writer,
    ):
        for frame in source:
            writer.write(frame.image, frame.seconds)
            progress.advance()
            if stop.taken():
                break
    say(f'input:   {path}')
    return open_source(path), source.damage


def segment_live(
    args: argparse.Namespace,
    source: FrameSource,
    inferencer: VideoSegInferencer,
    out: Path,
    stop: StopWish,
) -> int:
    """Segment, draw and write frame by frame, until the source ends or the user stops it.

    Returns:
        The exit status; Ctrl-C is how a run ends.

    Raises:
        UserError: if the source broke off, after everything is written.
    """
    frames = inferencer.live(source)
    video = out if args.out or not args.show else None
    style, problem = demo_style(inferencer.task, source.size), None
    outputs = LiveOutputs(
        source,
        build_painter(inferencer.task, inferencer.metainfo, style),
        video=video,
        lines=args.json,
        maps=args.maps,
        window=args.show,
    )
    with outputs, closing(frames):
        try:
            for frame, found in frames:
                seen = build_report(found, inferencer.metainfo, args.score_thr)
                if not outputs.take(frame, seen) or outputs.num_frames == args.max_frames:
                    break
            else:
                problem = source.damage
        except KeyboardInterrupt:
            name = 'SIGTERM' if stop.number == signal.SIGTERM else 'Ctrl-C'
            say(f'stopped by {name}', sys.stderr)
        except UserError as error:
            problem = str(error)
    if not outputs.num_frames:
        raise UserError(problem or f'{source.name}: ended before the first frame')
    above = '' if args.score_thr is None else f' of score >= {args.score_thr:g}'
    mean = outputs.num_entries / outputs.num_frames
    say(f'{outputs.num_frames} frames with {mean:.1f} {seen.noun}{above} on average')
    report(seen.noun, video, args.json, args.maps, problem)
    return stop.status if stop.number == signal.SIGTERM else 0


def report(
    noun: str, video: Path | None, entries: Path | None, maps: Path | None, damage: str | None
) -> None:
    """Say what was written.

    Raises:
        UserError: for a ``damage``: the exit status says that something is missing.
    """
    for kind, path in (('overlay', video), (noun, entries), ('maps', maps)):
        if path:
            say(f'{kind + ":":<10}{path}')
    if damage:
        raise UserError(f'{damage}; the results cover the frames before')


def output_path(out: Path | None, source: FrameSource, is_image: bool) -> Path:
    """Where the overlay goes.

    Raises:
        UserError: for a suffix that the overlay cannot have.
    """
    allowed = sorted(IMAGE_SUFFIXES) if is_image else ['.mp4']
    if out is None:
        out = OUT_FOLDER / f'{source.name}{".png" if is_image else ".mp4"}'
    if out.suffix.lower() not in allowed:
        reason = ' (the input is a video)' if out.suffix.lower() in IMAGE_SUFFIXES else ''
        raise UserError(f'--out {out}: must end in {" or ".join(allowed)}{reason}')
    return out


def video_writer(
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


class Pictures:
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
            How many frames there are: fewer than the result covers if the user stopped it.
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
            video_writer(self._out, source, timed=timed, audio=audio) as writer,
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


if __name__ == '__main__':
    main()
