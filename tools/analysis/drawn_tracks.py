"""Measure what a person sees of a results file: tracks drawn, objects found, doubles.

A drawn track shows an object of the ground truth if their IoU over time is at least 0.5; the best
scores choose first, and an object is given once. Columns:
    drawn         tracks, all videos together
    doubles       tracks whose IoU with a drawn one of higher score is at least 0.5
    again         tracks that show only objects that better ones show already
    none          tracks that show no object
    found         objects that a track shows
    videos right  every object is found, with its class, and nothing else is drawn

Example:
    python tools/analysis/drawn_tracks.py results.json --ann val.json --score-thr 0.2 0.3
"""

import argparse
from pathlib import Path

import numpy as np
from measure import markdown_table

from mmvseg.apis.reports import SCORE_THR
from mmvseg.apis.results_file import ResultVideo, load_results
from mmvseg.errors import UserError, command_line
from mmvseg.structures import VideoInstances
from mmvseg.structures.distinct_tracks import SAME_IOU, tube_overlaps
from mmvseg.structures.track_matching import MATCH_IOU, match_tracks

COLUMNS = ('score', 'tracks', 'drawn', 'doubles', 'again', 'none', 'found', 'videos right')
HALVES = dict(all=slice(None), even=slice(0, None, 2), odd=slice(1, None, 2))


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('results', type=Path, help='official results.json')
    parser.add_argument('--ann', required=True, type=Path, help='ground truth of the videos')
    parser.add_argument('--score-thr', type=float, nargs='+', default=[SCORE_THR])
    parser.add_argument(
        '--videos',
        choices=HALVES,
        default='all',
        help='all, or those at even or odd positions of --ann: one half to choose by, one to check',
    )
    return parser.parse_args()


@command_line
def main() -> None:
    args = parse_args()
    _, videos = load_results(args.results, args.ann, args.ann.parent, allow_outside_root=True)
    if any(video.truth is None for video in videos):
        raise UserError(f'{args.ann}: holds no annotations to compare with')
    videos = videos[HALVES[args.videos]]
    rows = []
    for score_thr in args.score_thr:
        for name in ('all', 'distinct'):
            counts = sum(count(video, score_thr, name == 'distinct') for video in videos)
            drawn, doubles, again, none, found, objects, right = counts.tolist()
            shares = (f'{found} of {objects}', f'{right} of {len(videos)}')
            rows.append((f'{score_thr:g}', name, drawn, doubles, again, none, *shares))
    print(markdown_table(COLUMNS, rows))


def count(video: ResultVideo, score_thr: float, is_distinct: bool) -> np.ndarray:
    """Drawn, doubles, again, none, found, objects, and whether the video is right, (7,) int."""
    drawn = video.found.above(score_thr)
    if is_distinct:
        drawn = drawn.distinct()
    objects, iou = match_tracks(drawn, video.truth)
    matched = objects >= 0
    near = (iou >= MATCH_IOU).any(1)
    right = matched.all() and len(drawn) == len(video.truth)
    right = right and (video.truth.labels[objects] == drawn.labels).all()
    return np.array(
        [
            len(drawn),
            num_doubles(drawn),
            (near & ~matched).sum(),
            (~near).sum(),
            matched.sum(),
            len(video.truth),
            right,
        ]
    )


def num_doubles(drawn: VideoInstances) -> int:
    """Tubes that are the same object as one of higher score."""
    order = np.argsort(-drawn.scores, kind='stable')
    areas, shared = tube_overlaps([drawn.masks[n] for n in order])
    union = np.maximum(1, areas[:, None] + areas - shared)
    return int((np.tril(shared / union, -1) >= SAME_IOU).any(1).sum())


if __name__ == '__main__':
    main()
