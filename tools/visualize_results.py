"""Draw a results.json: an overlay video, id-mask images and a table of tracks for every video.

Needs no model. Under --out:
    overlays/VIDEO.mp4          frames with masks, contours and labels (class #track score)
    id_masks/VIDEO/00000.png    track number of each pixel, 0 = none; 8 bits with a palette, or
                                16 bits where a video has more than 255 tracks
    tracks.csv                  one row a track and frame: score, box (xyxy pixels), area
    contact_sheet.png           with --contact-sheet

A track's number is the position of its entry among those of its video, counted from 1; --score-thr
does not renumber.

Example:
    python tools/visualize_results.py results.json --json val.json --root val/JPEGImages --out vis
"""

import argparse
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from mmvseg.errors import UserError, command_line
from mmvseg.structures import VideoInstances
from mmvseg.visualization import (
    DEFAULT_FPS,
    ImageSequence,
    ProgressReport,
    VideoWriter,
    draw_objects,
    frame_objects,
    write_image,
)
from mmvseg.visualization.contact_sheet import SheetVideo, contact_sheet, evenly_spaced, label_size
from mmvseg.visualization.exports import id_map, track_rows, write_id_map, write_tracks_csv
from mmvseg.visualization.overlay import upscaling
from mmvseg.visualization.results_file import ResultsFile, ResultVideo, load_results

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
        type=Fraction,
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
    file = load_results(args.results, args.json)
    videos = choose_videos(file, args.video, args.json)
    for video in videos:
        video.tracks = video.tracks.above(args.score_thr)
    rows = []
    with ProgressReport('drawing', sum(len(video.file_names) for video in videos)) as progress:
        for video in videos:
            draw_video(video, file, args, progress)
            rows += track_rows(
                video.tracks, video.video_id, video.name, video.file_names, file.categories
            )
    write_tracks_csv(args.out / 'tracks.csv', rows)
    if args.contact_sheet:
        sheet = [sheet_video(video, file, args.root) for video in videos[: args.contact_sheet]]
        write_image(args.out / 'contact_sheet.png', contact_sheet(sheet))
    count = sum(len(video.tracks) for video in videos)
    print(f'{args.out}: {len(videos)} videos with {count} tracks of score >= {args.score_thr:g}')


def choose_videos(file: ResultsFile, wanted: list[str] | None, path: str) -> list[ResultVideo]:
    """The videos with the ids or names ``wanted`` (None: all)."""
    if not wanted:
        return file.videos
    chosen = [v for v in file.videos if v.name in wanted or str(v.video_id) in wanted]
    known = {str(v.video_id) for v in chosen} | {v.name for v in chosen}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        examples = ', '.join(f'{video.video_id} ({video.name})' for video in file.videos[:3])
        raise UserError(
            f'{path}: no video {", ".join(unknown)} among its {len(file.videos)}, e.g. {examples}'
        )
    return chosen


def draw_video(
    video: ResultVideo, file: ResultsFile, args: argparse.Namespace, progress: ProgressReport
) -> None:
    """Write the overlay video and the id masks of one video."""
    if not video.file_names:
        raise UserError(f'{args.json}: video {video.video_id} has no frames')
    scale = upscaling(video.size)
    wide = len(video.tracks) > 0 and int(video.tracks.track_ids.max()) > 255
    with VideoWriter(args.out / 'overlays' / f'{video.name}.mp4', args.fps) as writer:
        for frame, image in frames(video, args.root, args.fps):
            objects = frame_objects(video.tracks, frame, file.classes)
            writer.write(draw_objects(image, objects, scale))
            ids = id_map(video.tracks, frame, video.size)
            name = Path(video.file_names[frame]).stem
            write_id_map(args.out / 'id_masks' / video.name / f'{name}.png', ids, wide=wide)
            progress.advance()


def frames(video: ResultVideo, root: Path, fps: Fraction) -> Iterator[tuple]:
    """The video's frames (index, image), checked against the size in the annotation file."""
    source = ImageSequence([root / name for name in video.file_names], video.name, fps)
    if source.size != video.size:
        raise UserError(
            f'{source.paths[0]}: {source.size[1]}x{source.size[0]} pixels, the annotation file '
            f'says {video.size[1]}x{video.size[0]} (is --root the right folder?)'
        )
    for frame, _, image in source:
        yield frame, image


def sheet_video(video: ResultVideo, file: ResultsFile, root: Path) -> SheetVideo:
    """Input, truth if there is any, and prediction of frames over the whole video."""
    length = len(video.file_names)
    columns = evenly_spaced(length, SHEET_FRAMES)
    paths = [root / video.file_names[frame] for frame in columns]
    images = [image for _, _, image in ImageSequence(paths, video.name)]
    scale = upscaling(video.size)
    text_size = label_size(video.size[1] * scale)

    def drawn(instances: VideoInstances, *, scores: bool) -> list:
        pictures = []
        for frame, image in zip(columns, images, strict=True):
            objects = frame_objects(instances, frame, file.classes, scores=scores)
            pictures.append(draw_objects(image, objects, scale, text_size))
        return pictures

    rows = [('input', images)]
    if video.truth is not None:
        rows.append(('ground truth', drawn(video.truth, scores=False)))
    rows.append(('prediction', drawn(video.tracks, scores=True)))
    return SheetVideo(f'{video.name}: {length} frames', [f'frame {t}' for t in columns], rows)


if __name__ == '__main__':
    main()
