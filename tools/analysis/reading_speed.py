"""Measure how long an annotation file of YouTube-VIS's size takes to read: 3,000 videos of Shapes.

Each reader is a fresh process. What Python and the imports take is in the figures and in a row of
its own.

Example:
    python tools/analysis/reading_speed.py --videos 3000 --masks 90000
"""

import argparse
import json
import tempfile
from itertools import cycle
from pathlib import Path

# What the measuring itself needs is imported where it is used, so that it is not in the figures.

THIS = Path(__file__).resolve()
LENGTH = 12
#: Videos that are made; the file repeats them.
MADE = 40
READERS = ('nothing', 'training', 'evaluation', 'checker')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--videos', type=int, default=3000)
    parser.add_argument('--masks', type=int, default=90_000)
    parser.add_argument('--read', nargs=2, metavar=('READER', 'FILE'), help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    if args.read:
        read(*args.read)
        return
    from measure import describe, environment, markdown_table, run_script

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path, masks = make_file(Path(folder), args.videos, args.masks)
        for reader in READERS:
            usage = run_script(THIS, '--read', reader, path)
            rows.append((reader, f'{usage.cpu_s:.1f}', f'{usage.peak_bytes / 1e6:.0f}'))
        size_mb = path.stat().st_size / 1e6
    print(markdown_table(('reader', 'CPU s', 'peak memory, MB'), rows))
    print(
        f'\n{args.videos} videos, {masks} masks, {size_mb:.0f} MB. {describe(environment("cpu"))}'
    )


def make_file(folder: Path, num_videos: int, num_masks: int) -> tuple[Path, int]:
    """An annotation file that repeats some videos of Shapes, and its number of masks."""
    from mmvseg.datasets.shapes import ShapesOptions, ShapesRequest, write_shapes

    options = ShapesOptions(height=180, width=320, length=LENGTH)
    write_shapes(folder / 'shapes', ShapesRequest(options, train=min(MADE, num_videos), val=0))
    content = json.loads((folder / 'shapes/train.json').read_text())
    tracks = {video['id']: [] for video in content['videos']}
    for annotation in content['annotations']:
        tracks[annotation['video_id']].append(annotation)
    videos, annotations, masks = [], [], 0
    for number, video in zip(range(num_videos), cycle(content['videos']), strict=False):
        names = [f'{number:05d}/{name}' for name in video['file_names']]
        videos.append(dict(video, id=number + 1, file_names=names))
        for track in tracks[video['id']]:
            present = sum(mask is not None for mask in track['segmentations'])
            if masks * num_videos < num_masks * (number + 1):
                place = dict(id=len(annotations) + 1, video_id=number + 1)
                annotations.append(dict(track, **place))
                masks += present
    content.update(videos=videos, annotations=annotations)
    path = folder / 'train.json'
    path.write_text(json.dumps(content))
    return path, masks


def read(reader: str, path: str) -> None:
    if reader in ('nothing', 'training'):
        from mmvseg.datasets import YouTubeVISDataset

        if reader == 'training':
            YouTubeVISDataset(ann_file=path)
    elif reader == 'evaluation':
        from mmvseg.evaluation.functional.ground_truth import to_ground_truth
        from mmvseg.formats.youtube_vis import read_youtube_vis

        to_ground_truth(read_youtube_vis(path))
    else:
        from mmvseg.formats.dataset_checker import check_dataset

        for problem in check_dataset(path, None):
            print(problem)


if __name__ == '__main__':
    main()
