"""Segmenting frame by frame, each written and shown as soon as it is there."""

import argparse
import signal
import sys
from contextlib import closing
from pathlib import Path

from mmvseg.errors import UserError, counted, say
from mmvseg.media import FrameSource
from mmvseg.visualization.painters import build_painter

from .inferencer import VideoSegInferencer
from .live_outputs import LiveOutputs
from .live_tracks import LiveTracks
from .output_paths import say_outputs
from .reports import build_report, demo_style
from .stopping import StopWish


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
    tracks = None
    if inferencer.task == 'vis' and not args.all_tracks:
        tracks = LiveTracks(args.score_thr)
    with outputs, closing(frames):
        try:
            for frame, found in frames:
                found = tracks.choose(found) if tracks else found
                seen = build_report(
                    found,
                    inferencer.metainfo,
                    args.score_thr,
                    all_tracks=True,
                    labels=args.labels,
                )
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
    say(f'{counted(outputs.num_frames, "frames")} with {mean:.1f} {seen.noun}{above} on average')
    say_outputs(seen.noun, video, args.json, None, args.maps, problem)
    return stop.status if stop.number == signal.SIGTERM else 0
