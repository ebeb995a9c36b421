"""What the pages say that their commands write."""

import csv
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

from page_blocks import read_page

#: Files as patterns in the folder of a page, after its blocks have run.
WRITTEN = {
    'README.md': (
        *('street_tracks.mp4', 'street.json', 'drawn/first.mp4', 'tables/first.csv'),
        *('work_dirs/tevit_msgshift/results/results.json', 'report/report.json'),
        *('work_dirs/tevit_msgshift/results/submission.zip', 'vis/overlays/kitchen.mp4'),
        *('page/index.html', 'data/mine/annotations.json', 'data/mine/page/index.html'),
    ),
    'docs/analysis.md': ('report/differences.svg', 'report/gains.svg'),
    'docs/browse.md': ('page/dataset.js', 'page/assets', 'page/sheets/shapes_00000*.webp'),
    'docs/data.md': (
        *('data/davis/train.json', 'data/davis/val.json', 'data/mose/val.json'),
        *('data/mine/train.json', 'data/mine/val.json', 'data/shapes/stats.json', 'stats.json'),
        *('data/youtube_vis_2019/local/val.json', 'data/ovis/local/train.json'),
        *('data/both/train.json', 'two_classes.json', 'small.json', 'clean.json', 'new.json'),
        'data/VIPSeg/VIPSeg_720P/panoptic_gt_VIPSeg_train.json',
    ),
    'docs/demo.md': (
        *('work_dirs/demo/street.mp4', 'drawn/day.mp4', 'tracks/first.json', 'tables/first.csv'),
        *('vis/overlays/shapes_00000.mp4', 'vis/id_masks/shapes_00000/00000.png'),
        *('vis/tracks.csv', 'vis/contact_sheet.png', 'vis/segments.csv', 'vis/classes.csv'),
        *('vis/class_maps', 'overlay.mp4'),
    ),
    'docs/labels.md': (
        *('data/mine/annotations.json', 'data/mine/config.py', 'data/mine/frames/crossing'),
        *('data/tried/train.json', 'data/tried/val.json', 'work_dirs/tried/last_checkpoint'),
        *('drafts/labels.json', 'drafts/street.zip', 'drawn/overlays/*.mp4'),
    ),
    'docs/published_models.md': ('published/tevit_msgshift-????????.safetensors', 'out.pth'),
    'docs/quickstart.md': ('work_dirs/demo/shapes.mp4',),
    'docs/show.md': (
        *('page/index.html', 'page/videos.js', 'page/assets', 'page/videos/kitchen.html'),
        *('page/videos/kitchen.mp4', 'page/videos/kitchen.js', 'page/videos/kitchen.jpg'),
    ),
    'docs/test.md': (
        *('work_dirs/tevit_msgshift/results/results.json', 'metrics.json'),
        *('work_dirs/tevit_msgshift/results/submission.zip',),
        'work_dirs/minvis_shapes_quickstart/results/metrics.json',
    ),
    'docs/train.md': (
        *('work_dirs/tevit_msgshift/*/*.log', 'work_dirs/tevit_msgshift/last_checkpoint'),
        'page/index.html',
    ),
}


def not_written(page: str, folder: Path) -> list[str]:
    """Patterns that no file of a page's folder has, and what is wrong within files."""
    missing = [pattern for pattern in WRITTEN.get(page, ()) if not [*folder.glob(pattern)]]
    check = _CHECKS.get(page)
    return [f'{page}: {p} is not written' for p in missing] + (check(folder) if check else [])


def _keys_of_a_report(folder: Path) -> list[str]:
    """The table of docs/analysis.md lists the keys of the reports of two results."""
    said = set()
    for row in re.findall(
        r'^\| ((?:`\w+`(?:, )?)+) \|', read_page('docs/analysis.md'), re.MULTILINE
    ):
        said |= set(re.findall(r'`(\w+)`', row))
    report = json.loads((folder / 'report/report.json').read_text())
    written = set(report['A'])
    lines = [f'report.json has {sorted(written)}, the page {sorted(said)}'] * (written != said)
    if set(report) != {'A', 'B', 'comparison'}:
        lines.append(f'the report of two results has the keys {sorted(report)}')
    return lines


def _columns_of_a_table(folder: Path) -> list[str]:
    """docs/demo.md lists the columns of ``--csv``."""
    with open(folder / 'tables/first.csv', newline='') as file:
        columns = next(csv.reader(file))
    (line,) = re.findall(r'^\| `--csv FILE`.*', read_page('docs/demo.md'), re.MULTILINE)
    said = re.findall(r'`(\w+)`', line.partition(':')[2])
    return [] if columns == said else [f'the table has {columns}, the page says {said}']


def _digits_of_a_name(folder: Path) -> list[str]:
    """The digits of a published file are the first of its SHA-256."""
    (path,) = folder.glob('published/*')
    digits = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    return [] if path.stem.endswith(digits) else [f'{path.name}: its SHA-256 begins with {digits}']


_CHECKS: dict[str, Callable[[Path], list[str]]] = {
    'docs/analysis.md': _keys_of_a_report,
    'docs/demo.md': _columns_of_a_table,
    'docs/published_models.md': _digits_of_a_name,
}
