"""Draw results as overlay videos, id images and tables (no model).

What RESULTS is tells the kind of results; --ann is the annotation file that lists the videos, and
--root the folder of the frames:
    kind           RESULTS                          --ann              --root (default)
    YouTube-VIS    results.json                     val.json           folder of its file_names
    VIPSeg         folder of pred.json, pan_pred/   panoptic_gt_*.json folder of VIDEO/FRAME.jpg
                                                                       (images/ beside --ann)
    Cityscapes-VPS the same, labelled frames only   panoptic_gt_*.json folder of the pictures
                                                                       (SPLIT/img/ beside --ann)
    STEP           folder of SEQUENCE/FRAME.png     folder of maps,    folder of SEQUENCE/FRAME.png
                                                    and --classes      (images/SPLIT/ beside it)
    VSPW           folder of VIDEO/FRAME.png        val.txt            folder of VIDEO/origin/*.jpg
                                                                       (data/ beside --ann)
Ground truth is drawn, too, on the contact sheet: annotations of the json, panomasksRGB/ or
SPLIT/panoptic_video/ beside it, VIDEO/mask/*.png, the maps of --ann.

Under --out:
    overlays/VIDEO.mp4            frames with masks, contours and labels (class #track score), or
                                  with classes and a legend (VSPW)
    id_masks/VIDEO/00000.png      number of each pixel's track + 1, or of its segment, 0 = none; 8
                                  bits with a palette, or 16 bits where a video has more than 255;
                                  named like the frame, or by its index where two frames share a
                                  name
    class_maps/VIDEO/00000.png    VSPW: id of each pixel's class, with a palette
    tracks.csv                    one row a track and frame: score, box (xyxy pixels), area; of
    (segments.csv, classes.csv)   VIPSeg and VSPW one a segment or class and frame
    contact_sheet.png             with --contact-sheet: input, ground truth and prediction

Ctrl-C and SIGTERM keep what is drawn so far; the exit status is 130 or 143.

Tracks are numbered from 0 by the position of their entry among those of the video, segments from 1;
what is left out does not renumber. A results file holds the tracks of an object again and again;
each object is drawn once, by its best track. Beside ground truth, a track has the colour of the
object that it shows.

Example:
    mmvseg draw results.json --ann val.json --root val/JPEGImages --out vis
    mmvseg draw work_dirs/vps --ann panoptic_gt_VIPSeg_val.json --out vis
"""

import argparse
from pathlib import Path

from .arguments import DEFAULT_FPS, add_video_arguments, frame_rate

SHEET_VIDEOS = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('results', type=Path, help='official results.json, or folder')
    parser.add_argument(
        *('--ann', '--json'),
        required=True,
        type=Path,
        help='annotation file that lists the videos',
    )
    parser.add_argument('--root', type=Path, help='folder of the frames')
    parser.add_argument('--out', required=True, type=Path, help='folder to write')
    add_video_arguments(parser, 'draw')
    parser.add_argument(
        '--score-thr',
        type=float,
        help='leave out tracks below this score (YouTube-VIS, default 0.2)',
    )
    parser.add_argument(
        '--all-tracks',
        action='store_true',
        help='also draw tracks that show the object of a better one again (YouTube-VIS)',
    )
    parser.add_argument(
        '--fps',
        type=frame_rate,
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


def run(args: argparse.Namespace) -> int:
    """Run the command; returns 130 or 143 if it was stopped."""
    from mmvseg.apis.draw import draw
    from mmvseg.apis.stopping import StopWish

    with StopWish() as stop:
        return draw(args, stop)
