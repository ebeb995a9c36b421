"""Pictures of the docs: there, described, small, used, and drawn again by their scripts."""

import re
import sys
from pathlib import Path

import pytest
from helpers import REPOSITORY
from PIL import Image

sys.path.insert(0, str(REPOSITORY / 'tools' / 'misc'))

import moving_pictures
import shapes_picture
import sketches
import speed_chart

IMAGES = REPOSITORY / 'docs' / 'images'
PAGES = [REPOSITORY / 'README.md', *sorted((REPOSITORY / 'docs').rglob('*.md'))]
SHOWN = re.compile(r'!\[(?P<alt>[^\]]*)\]\((?P<target>[^)\s]+)\)')
#: The same as a directive of the site: its options follow line by line.
DIRECTIVE = re.compile(r'\{(?:image|figure)\} (?P<target>\S+)\n(?P<options>(?::.*\n)*)')
ALT = re.compile(r'^:alt: (.+)$', re.MULTILINE)
#: Bytes of a picture, of a loop of one task, and of all in docs/images.
LIMIT, LOOP_LIMIT, TOTAL_LIMIT = 400_000, 250_000, 2_500_000
#: Fewer words than these do not say what is to be seen.
LEAST_WORDS = 3


def shown():
    """Page, alternative text and path of every picture of the repository that a page shows."""
    for page in PAGES:
        text = page.read_text(encoding='utf-8')
        found = [(match['alt'], match['target']) for match in SHOWN.finditer(text)]
        for match in DIRECTIVE.finditer(text):
            found.append((' '.join(ALT.findall(match['options'])), match['target']))
        for alt, target in found:
            if not target.startswith(('http://', 'https://')):
                yield page.relative_to(REPOSITORY), alt, (page.parent / target).resolve()


def run(main, *arguments, monkeypatch):
    monkeypatch.setattr(sys, 'argv', ['script', *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code in (0, None)


def test_pages_show_pictures_that_are_there_and_described():
    pictures = list(shown())
    assert len(pictures) > 20
    assert [str(path) for _, _, path in pictures if not path.is_file()] == []
    assert [(page, alt) for page, alt, _ in pictures if len(alt.split()) < LEAST_WORDS] == []


def test_pictures_are_small_and_whole():
    paths = {path for _, _, path in shown()}
    assert {path: size for path in paths if (size := path.stat().st_size) > LIMIT} == {}
    loops = sorted(IMAGES.glob('loop_*.webp'))
    assert len(loops) == len(moving_pictures.TASKS)
    assert [path.name for path in loops if path.stat().st_size > LOOP_LIMIT] == []
    assert sum(path.stat().st_size for path in IMAGES.iterdir()) <= TOTAL_LIMIT
    for path in paths:
        if path.suffix == '.svg':
            assert b'<svg' in path.read_bytes()
        else:
            with Image.open(path) as image:
                image.load()


def test_loops_move_and_are_narrow():
    for path in IMAGES.glob('loop_*.webp'):
        with Image.open(path) as image:
            assert image.n_frames == moving_pictures.OPTIONS.length
            assert image.width <= 644


def test_every_picture_is_used():
    used = {path for _, _, path in shown()}
    assert sorted(path.name for path in IMAGES.iterdir() if path not in used) == []


def test_sketches_are_those_of_the_script():
    for sketch in sketches.SKETCHES:
        assert (IMAGES / f'{sketch.__name__}.svg').read_bytes() == sketch().svg()


def test_tube_of_the_sketch():
    text = (IMAGES / 'tube_iou.svg').read_text(encoding='utf-8')
    # Frame 0: 50 x 40 each, shifted by (2, 2).
    assert f'{48 * 38} of {2 * 50 * 40 - 48 * 38}' in text
    assert 'IoU = 7424 / 10416 = 0.71' in text


def test_windows_of_the_sketch():
    # 6 frames of 3 + 3: sums of IoU over matches + half of the false and missed segments.
    ids = sketches.IDS
    windows = {k: [ids[n : n + k] for n in range(len(ids) - k + 1)] for k in (1, 2, 4, 6)}
    qualities = [sketches.quality(windows[k]) for k in windows]
    assert qualities == pytest.approx([1, 4 / (4 + 1 + 0.5), 1.5 / (2 + 2 + 0.5), 0])


def test_chart_of_speed_has_the_numbers_of_the_page():
    series = speed_chart.read_seconds(speed_chart.PAGE.read_text(encoding='utf-8'))
    assert [len(rows) for rows in series.values()] == [5, 5]
    text = (IMAGES / 'speed.svg').read_text(encoding='utf-8')
    for rows in series.values():
        for model, seconds in rows.items():
            assert f'>{model}<' in text
            assert f'>{round(seconds, 1):.1f}<' in text


def test_shapes_are_those_of_the_script(tmp_path, monkeypatch):
    out = tmp_path / 'shapes.webp'
    run(shapes_picture.main, out, monkeypatch=monkeypatch)
    with Image.open(out) as made, Image.open(IMAGES / 'shapes.webp') as kept:
        assert made.size == kept.size


def test_moving_pictures_of_a_few_frames(tmp_path, monkeypatch):
    model = 'example://minvis_shapes'
    given = [part for task in moving_pictures.TASKS for part in (f'--{task}', model)]
    run(moving_pictures.main, tmp_path, *given, '--frames', 3, monkeypatch=monkeypatch)
    names = {path.name for path in tmp_path.iterdir()}
    loops = {f'loop_{task}.webp' for task in moving_pictures.TASKS}
    assert names == {*loops, *(f'{task}.png' for task in moving_pictures.TASKS)} | {
        'tasks.webp',
        'tasks.png',
    }
    height, width = moving_pictures.OPTIONS.height, moving_pictures.OPTIONS.width
    for name, columns, rows in (('loop_instances.webp', 2, 1), ('tasks.webp', 2, 2)):
        with Image.open(tmp_path / name) as loop:
            assert loop.n_frames == 3
            gap = moving_pictures.GAP
            assert loop.size == (columns * (width + gap) - gap, rows * (height + gap) - gap)


def test_scripts_are_named_on_a_page():
    text = '\n'.join(page.read_text(encoding='utf-8') for page in PAGES)
    for module in (moving_pictures, shapes_picture, sketches, speed_chart):
        assert f'tools/misc/{Path(module.__file__).name}' in text
