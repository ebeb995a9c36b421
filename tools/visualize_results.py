"""Draw a results.json: an overlay video, id-mask images and a table of tracks for every video.

Needs no model. Under --out:
    overlays/VIDEO.mp4          frames with masks, contours and labels (class #track score)
    id_masks/VIDEO/00000.png    track number of each pixel, 0 = none; 8 bits with a palette, or
                                16 bits where a video has more than 255 tracks; named like the
                                frame, or by its index where two frames of a video share a name
    tracks.csv                  one row a track and frame: score, box (xyxy pixels), area
    contact_sheet.png           with --contact-sheet

A track's number is the position of its entry among those of its video, counted from 1; --score-thr
does not renumber.

Example:
    python tools/visualize_results.py results.json --json val.json --root val/JPEGImages --out vis
"""

import argparse
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from mmvseg.apis.results_file import ResultVideo, load_results
from mmvseg.datasets import Category
from mmvseg.errors import UserError, command_line
from mmvseg.image_io import read_image, write_image
from mmvseg.progress import ProgressReport
from mmvseg.structures import VideoInstances
from mmvseg.visualization import (
    DEFAULT_FPS,
    VideoWriter,
    draw_objects,
    frame_objects,
    parse_fps,
)
from mmvseg.visualization.contact_sheet import SheetVideo, contact_sheet, evenly_spaced, label_size
from mmvseg.visualization.exports import id_map, track_rows, write_id_map, write_tracks_csv
from mmvseg.visualization.text import upscaling

SHEET_VIDEOS, SHEET_FRAMES = 4, 5


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('results', help='official results.json')
    parser.add_argument('--json', required=True, help='annotation file that lists the videos')
    parser.add_argument('--root', required=True, type=Path, help='folder of the frames')
    parser.add_argument('--out', required=True, type=Path, help='folder to write')
    parser.add_argument(
        '--video', action='append', help='draw this video only: its id or name; may be repeated'
    )
    parser.add_argument(
        '--score-thr', type=float, default=0.0, help='leave out tracks below this score'
    )
    parser.add_argument(
        '--fps',
        type=parse_fps,
        default=DEFAULT_FPS,
        help=f'frame rate of the overlays (default {DEFAULT_FPS}, that of YouTube-VIS)',
    )
    parser.add_argument(
        '--contact-sheet',
        type=int,
        nargs='?',
        const=SHEET_VIDEOS,
        default=0,
        metavar='N',
        help=f'also draw the first N videos on one picture (default {SHEET_VIDEOS})',
    )
    return parser.parse_args()


@command_line
def main() -> None:
    args = parse_args()
    categories, videos = load_results(args.results, args.json, args.root, args.video)
    for video in videos:
        video.tracks = video.tracks.above(args.score_thr)
    rows = []
    with ProgressReport('drawing', sum(len(video.frames) for video in videos)) as progress:
        for video in videos:
            draw_video(video, categories, args, progress)
            files = [os.path.relpath(path, args.root) for path in video.frames]
            rows += track_rows(video.tracks, video.video_id, video.name, files, categories)
    write_tracks_csv(args.out / 'tracks.csv', rows)
    if args.contact_sheet:
        sheet = [sheet_video(video, categories) for video in videos[: args.contact_sheet]]
        write_image(args.out / 'contact_sheet.png', contact_sheet(sheet))
    count = sum(len(video.tracks) for video in videos)
    print(f'{args.out}: {len(videos)} videos with {count} tracks of score >= {args.score_thr:g}')


def draw_video(
    video: ResultVideo,
    categories: list[Category],
    args: argparse.Namespace,
    progress: ProgressReport,
) -> None:
    """Write the overlay video and the id masks of one video."""
    scale = upscaling(video.size)
    classes = [category.name for category in categories]
    names = mask_names(video.frames)
    wide = len(video.tracks) > 0 and int(video.tracks.track_ids.max()) > 255
    with VideoWriter(args.out / 'overlays' / f'{video.name}.mp4', args.fps) as writer:
        for frame, image in enumerate(read_frames(video, range(len(video.frames)))):
            objects = frame_objects(video.tracks, frame, classes)
            writer.write(draw_objects(image, objects, scale))
            ids = id_map(video.tracks, frame, video.size)
            path = args.out / 'id_masks' / video.name / f'{names[frame]}.png'
            write_id_map(path, ids, wide=wide)
            progress.advance()


def mask_names(frames: list[str]) -> list[str]:
    """Names of the id masks: those of the frames, or their indices where two are the same."""
    stems = [Path(frame).stem for frame in frames]
    if len(set(stems)) == len(stems):
        return stems
    return [f'{frame:05d}' for frame in range(len(frames))]


def read_frames(video: ResultVideo, frames: Iterable[int]) -> Iterator[np.ndarray]:
    """Some of the video's frames, checked against the size that the annotation file states."""
    for frame in frames:
        image = read_image(video.frames[frame])
        if image.shape[:2] != video.size:
            raise UserError(
                f'{video.frames[frame]}: {image.shape[1]}x{image.shape[0]} pixels, the annotation '
                f'file says {video.size[1]}x{video.size[0]} (is --root the right folder?)'
            )
        yield image


def sheet_video(video: ResultVideo, categories: list[Category]) -> SheetVideo:
    """Input, truth if there is any, and prediction of frames over the whole video."""
    columns = evenly_spaced(len(video.frames), SHEET_FRAMES)
    images = list(read_frames(video, columns))
    classes = [category.name for category in categories]
    scale = upscaling(video.size)
    text_size = label_size(video.size[1] * scale)

    def drawn(instances: VideoInstances, *, scores: bool) -> list[np.ndarray]:
        return [
            draw_objects(
                image, frame_objects(instances, t, classes, scores=scores), scale, text_size
            )
            for t, image in zip(columns, images, strict=True)
        ]

    rows = [('input', images)]
    if video.truth is not None:
        rows.append(('ground truth', drawn(video.truth, scores=False)))
    rows.append(('prediction', drawn(video.tracks, scores=True)))
    title = f'{video.name}: {len(video.frames)} frames'
    return SheetVideo(title, [f'frame {t}' for t in columns], rows)


if __name__ == '__main__':
    main()
