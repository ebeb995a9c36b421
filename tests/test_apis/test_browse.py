"""The page of a data set: what the command reads, draws, keeps, and what it refuses."""

import json
import os
import shutil
import signal
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import pytest
from page_scenes import encode, read_data

from mmvseg.commands import main
from mmvseg.media.images import read_image
from mmvseg.progress import ProgressReport
from mmvseg.visualization import track_color
from mmvseg.visualization.thumbnails import sheet_size, tile_size

SIZE, LENGTH = (80, 120), 6


def square(x, y=20, side=40):
    """A mask as json holds it."""
    mask = np.zeros(SIZE, np.uint8)
    mask[y : y + side, x : x + side] = 1
    code = encode(mask)
    return dict(size=list(SIZE), counts=code['counts'].decode())


def annotation(number, video_id, category_id, xs):
    masks = [None if x is None else square(x) for x in xs]
    return dict(id=number, video_id=video_id, category_id=category_id, segmentations=masks)


def make_content():
    """Two videos; in the first a cat with a gap, and a dog that is there in the first frame."""
    videos = [
        dict(id=n, width=SIZE[1], height=SIZE[0], file_names=names(f'video_{n}')) for n in (3, 8)
    ]
    annotations = [
        annotation(70, 3, 2, [0, 10, None, 30, 40, 50]),
        annotation(71, 3, 5, [80, *[None] * 5]),
        annotation(72, 8, 5, [60] * 6),
    ]
    categories = [dict(id=2, name='cat'), dict(id=5, name='dog')]
    return dict(videos=videos, categories=categories, annotations=annotations)


def names(folder):
    return [f'{folder}/{frame}.png' for frame in range(LENGTH)]


def write_frame(name, value=40, size=SIZE):
    path = Path('frames', name)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), value, np.uint8))


def write_json(content, name='train.json'):
    Path(name).write_text(json.dumps(content))


@pytest.fixture
def content(tmp_path, monkeypatch):
    """A data set in the working folder: ``train.json`` and ``frames``."""
    monkeypatch.chdir(tmp_path)
    made = make_content()
    for video in made['videos']:
        for name in video['file_names']:
            write_frame(name)
    write_json(made)
    return made


def run(*options, root='frames', ann='train.json'):
    argv = ['mmvseg', 'data', 'browse', ann, '--out', 'page', *map(str, options)]
    argv += ['--root', root] if root else []
    with mock.patch('sys.argv', argv), pytest.raises(SystemExit) as ended:
        main.main()
    return ended.value.code or 0


def site():
    return read_data(Path('page/dataset.js'))[1]


def video(number=0):
    return site()['videos'][number]


def problems(number=0):
    return [f'{place}: {rule}' for _, place, rule in video(number)['problems']]


def sheets():
    return {path.name: path.stat().st_mtime_ns for path in Path('page/sheets').iterdir()}


def tile(number=0, place=0, count=LENGTH):
    """A frame on the sheet of a video, at the size of a tile."""
    sheet = read_image(Path('page/sheets', video(number)['sheet'][0]))
    assert sheet.shape[:2] == sheet_size(count, SIZE)
    height, width = tile_size(SIZE)
    columns = round(sheet.shape[1] / width)
    y, x = place // columns * (height + 2), place % columns * (width + 2)
    return sheet[y : y + height, x : x + width].astype(int)


def color_at(pixels, x, y=40):
    """Colour at a place of the frame."""
    height, width = tile_size(SIZE)
    return pixels[round((y + 0.5) / SIZE[0] * height), round((x + 0.5) / SIZE[1] * width)]


def close(color, other):
    return np.abs(np.array(color) - np.array(other)).max() < 25


def drawn(value, number):
    """Colour of a mask on grey."""
    return [0.55 * value + 0.45 * channel for channel in track_color(number)]


def test_videos_with_their_objects(content, capsys):
    assert run() == 0
    assert capsys.readouterr().out == 'page/index.html: 2 videos\n'
    first, second = site()['videos']
    assert (first['name'], first['page'], first['length']) == ('video_3', 'video_3', LENGTH)
    assert site()['classes'] == ['cat', 'dog']
    assert first['objects'] == [
        [70, 0, 1600.0, None, 0, 0, 1, 3, 5],
        [71, 1, 1600.0, None, 0, 0, 0],
    ]
    assert first['problems'] == second['problems'] == []
    assert close(color_at(tile(), 20), drawn(40, 0))
    assert close(color_at(tile(), 100), drawn(40, 1))
    assert close(color_at(tile(), 20, 5), [40] * 3)
    assert close(color_at(tile(place=2), 20), [40] * 3)
    assert close(color_at(tile(place=5), 70), drawn(40, 0))
    assert close(color_at(tile(1, 3), 80), drawn(40, 0))
    assert first['sheet'][1:] == [*sheet_size(LENGTH, SIZE)][::-1]


def test_frames(content):
    write_frame('video_3/5.png', 200)
    assert run('--frames', 2) == 0
    assert video()['sheet'][1:] == [*sheet_size(2, SIZE)][::-1]
    assert close(color_at(tile(count=2), 20, 5), [40] * 3)
    assert close(color_at(tile(place=1, count=2), 20, 5), [200] * 3)


def test_without_root_objects_are_on_grey(content):
    assert run(root=None) == 0
    grey = color_at(tile(), 60, 5)
    assert len({*grey.tolist()}) == 1
    assert close(color_at(tile(), 20), drawn(grey[0], 0))
    text = Path('page/index.html').read_text()
    assert 'none given: the objects are drawn on grey' in text
    assert 'No frames were opened.' in text


def test_broken_frames_are_grey_and_named(content, capsys):
    Path('frames/video_3/1.png').unlink()
    write_frame('video_3/2.png', size=(40, 60))
    broken = Path('frames/video_3/4.png')
    broken.write_bytes(broken.read_bytes()[:60])
    assert run() == 0
    assert '2 videos, 3 problems' in capsys.readouterr().out
    found = problems()
    assert found[:2] == ['frame 1: missing file', 'frame 2: 60x40 pixels, the json says 120x80']
    assert found[2].startswith('frame 4: not a readable image')
    assert problems(1) == []
    grey = color_at(tile(place=2), 20, 5)
    assert not close(grey, [40] * 3)
    assert close(color_at(tile(place=1), 20), drawn(grey[0], 0))
    assert run() == 0  # the sheets are there already
    assert problems() == found


def test_no_check_opens_the_frames_on_the_sheets_alone(content):
    Path('frames/video_3/1.png').unlink()
    write_frame('video_3/5.png', size=(40, 60))
    assert run('--no-check', '--frames', 2) == 0
    assert problems() == ['frame 5: 60x40 pixels, the json says 120x80']
    assert 'Only the frames on the sheets were opened.' in Path('page/index.html').read_text()
    assert run('--frames', 2) == 0
    assert len(problems()) == 2
    assert 'All frames were opened.' in Path('page/index.html').read_text()


def test_faulty_files_are_shown_as_far_as_they_are_sound(content, capsys):
    content['annotations'][0]['segmentations'][0]['counts'] = '###'
    content['annotations'][1]['bboxes'] = [[0, 0, 1, 1], *[None] * 5]
    content['annotations'] += [
        annotation(73, 8, 77, [60] * 6),
        annotation(74, 8, 2, [60] * 5),
        annotation(75, 99, 2, [60] * 5),
        'nonsense',
    ]
    content['videos'].append(dict(id=9, width=9, height=9, file_names=[]))
    write_json(content)
    assert run() == 0
    assert [video['name'] for video in site()['videos']] == ['video_3', 'video_8']
    assert [item[0] for item in video()['objects']] == [71]
    assert [item[0] for item in video(1)['objects']] == [72]
    assert problems()[0].startswith('annotation 70, frame 0, segmentations: the run-length code')
    assert problems()[1].startswith('annotation 71, frame 0, bboxes: box [0, 0, 1, 1] does not fit')
    assert problems(1)[0].startswith('annotation 73, category_id: unknown category 77')
    assert problems(1)[1].startswith('annotation 74, segmentations: 5 entries')
    text = Path('page/index.html').read_text()
    assert 'Problems in 2 videos' in text
    assert '<b>video 9, file_names:</b> is empty: a video without frames' in text
    assert '<b>video 99, annotation 75, video_id:</b>' in text
    assert '<b>annotations[6]:</b>' in text


def test_what_the_checker_says_is_all_there(content, capsys):
    Path('frames/video_8/0.png').unlink()
    content['annotations'][0]['iscrowd'] = 1
    content['videos'][0]['length'] = 7
    write_json(content)
    run()
    shown = [*problems(), *problems(1)]
    capsys.readouterr()
    argv = ['mmvseg', 'check', 'train.json', 'frames']
    with mock.patch('sys.argv', argv), pytest.raises(SystemExit):
        main.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == 'train.json: 2 problems: 1 in length, 1 in frame'
    assert shown == ['length: 7, but there are 6 file_names', 'frame 0: missing file']
    text = Path('page/index.html').read_text()
    for line in lines[:-1]:
        rule = line.split(': ')[-1]
        assert rule in text or any(rule in one for one in shown)
    assert '1 of 3 are crowds' in text


def test_occlusion_is_the_score_of_ovis(content):
    levels = ['no_occlusion', 'severe_occlusion', None, 'slight_occlusion', *['no_occlusion'] * 2]
    content['annotations'][0]['occlusion'] = levels
    write_json(content)
    run()
    assert [item[3] for item in video()['objects']] == [round((0.75 + 0.25 + 0) / 3, 3), None]


def test_images_of_coco_are_videos_of_one_frame(content):
    mask = square(10)
    images = [dict(id=1, width=SIZE[1], height=SIZE[0], file_name='video_3/0.png')]
    entry = dict(id=5, image_id=1, category_id=2, segmentation=mask, iscrowd=0)
    write_json(dict(images=images, annotations=[entry], categories=content['categories']))
    assert run() == 0
    assert video()['length'] == 1
    assert close(color_at(tile(count=1), 30), drawn(40, 0))


def test_files_without_annotations(content):
    del content['annotations']
    write_json(content)
    assert run() == 0
    assert video()['objects'] == []
    text = Path('page/index.html').read_text()
    assert 'The file has no annotations.' in text


def test_sheets_that_are_right_are_kept(content, capsys):
    run()
    before = sheets()
    assert run() == 0
    assert capsys.readouterr().out.endswith('2 videos, 2 sheets kept\n')
    assert sheets() == before
    write_frame('video_3/1.png', 99)
    os.utime('frames/video_3/1.png', ns=(0, 0))
    assert run() == 0
    assert capsys.readouterr().out.endswith('2 videos, 1 sheet kept\n')
    after = sheets()
    assert [name for name in after if name in before] == [video(1)['sheet'][0]]
    assert len(after) == 2  # the old one is gone
    assert close(color_at(tile(place=1), 100), [99] * 3)
    content['annotations'][2]['segmentations'][3] = None
    write_json(content)
    run()
    assert video(1)['sheet'][0] not in after
    assert close(color_at(tile(1, 3), 80), [40] * 3)


def test_only_sheets_are_taken_away(content):
    run()
    own = Path('page/sheets/notes.txt')
    own.write_text('mine')
    Path('page/sheets/.x-0123456789abcdef.webp.part').write_text('of a killed run')
    kept = sheets()
    run('--first', 1)
    assert sheets() == kept
    run()
    assert sheets().keys() == kept.keys() - {'.x-0123456789abcdef.webp.part'}


def test_some_videos(content):
    assert run('--video', 'video_8') == 0
    assert [one['name'] for one in site()['videos']] == ['video_8']
    assert run('--video', 3, '--video', 8, '--first', 1) == 0
    assert [one['name'] for one in site()['videos']] == ['video_3']
    assert not problems()


def test_names_never_lead_elsewhere(content):
    folder = '"><b>..'
    shutil.move('frames/video_3', f'frames/{folder}')
    content['videos'][0]['file_names'] = names(folder)
    write_json(content)
    assert run() == 0
    assert video()['name'] == folder
    assert video()['page'] == 'b'
    assert video()['sheet'][0].startswith('b-')
    assert folder not in Path('page/index.html').read_text()


def test_frames_outside_of_root(content):
    shutil.move('frames/video_3', 'outside')
    content['videos'][0]['file_names'] = names('../outside')
    write_json(content)
    shutil.move('frames/video_8', 'video_8')
    Path('frames/video_8').symlink_to(Path('video_8').absolute())
    assert run() == 0
    assert "file_names: '../outside/0.png' leaves the folder" in problems()[0]
    assert problems(1)[0] == 'frame 0: a link leads out of the folder'
    assert not close(color_at(tile(), 20, 5), [40] * 3)
    assert run('--allow-outside-root') == 0
    assert problems() == problems(1) == []
    assert close(color_at(tile(), 20, 5), [40] * 3)


def test_frames_of_16_bits(content):
    for name in content['videos'][0]['file_names']:
        cv2.imwrite(f'frames/{name}', np.full((*SIZE, 3), 1000, np.uint16))
    run()
    dark = color_at(tile(), 20, 5)
    assert '6 frames of 16 bits, with values up to 1000' in Path('page/index.html').read_text()
    run()
    assert '6 frames of 16 bits, with values up to 1000' in Path('page/index.html').read_text()
    run('--range', 0, 2000)
    assert close(dark, [1000 >> 8] * 3)
    assert close(color_at(tile(), 20, 5), [127] * 3)


def test_a_wish_to_stop_keeps_what_is_done(content, capsys, monkeypatch):
    advance = ProgressReport.advance

    def stop_after_one(report, steps=1):
        advance(report, steps)
        if report.unit == 'videos':
            os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(ProgressReport, 'advance', stop_after_one)
        assert run() == 130
    assert '1 of 2 videos are on the page; the same command goes on' in capsys.readouterr().err
    assert [one['name'] for one in site()['videos']] == ['video_3']
    assert run() == 0
    assert len(site()['videos']) == 2


@pytest.mark.parametrize(
    ('break_it', 'options', 'message'),
    [
        (lambda: None, dict(root='nowhere'), '--root nowhere: no such folder'),
        (lambda: None, dict(ann='absent.json'), 'absent.json: cannot be read'),
        (lambda: Path('train.json').write_text('[]'), {}, 'not a YouTube-VIS file'),
        (lambda: write_json(dict(make_content(), videos=[])), {}, 'holds no video that can be'),
        (
            lambda: write_json(dict(videos=[dict(images=[])], categories=[], annotations=[])),
            {},
            'in the form of VIPSeg',
        ),
        (
            lambda: (Path('page').mkdir(), Path('page/index.html').write_text('mine')),
            {},
            '--out page: holds an index.html that is not of mmvseg data browse',
        ),
        (lambda: Path('page').write_text(''), {}, 'page'),
    ],
)
def test_what_is_refused(content, capsys, break_it, options, message):
    break_it()
    assert run(**options) == 1
    error = capsys.readouterr().err
    assert message in error
    assert not Path('page/dataset.js').exists()


def test_unknown_videos_are_named(content, capsys):
    assert run('--video', 'video_4') == 1
    assert 'train.json: no video video_4 among its 2, e.g. 3 (video_3)' in capsys.readouterr().err


def test_sheets_take_no_frames_place(content, capsys):
    Path('page').mkdir()
    shutil.move('frames', 'page/sheets')
    assert run(root='page/sheets') == 1
    assert '--out page/sheets: holds the input of this run' in capsys.readouterr().err


def test_range_of_values_is_checked(content, capsys):
    assert run('--range', 9, 3) == 1
    assert 'the range of values 9 3' in capsys.readouterr().err
