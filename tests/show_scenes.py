"""Two videos with squares, their truth and results, and runs of ``mmvseg show`` on them."""

import json
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from page_scenes import encode, read_data
from squares import square_frame, write_frames

from mmvseg.commands import main

LENGTH = 4
RED, GREEN = 0, 1


def coded(mask):
    code = encode(mask.astype(np.uint8))
    return dict(size=list(code['size']), counts=code['counts'].decode())


def tube(channel, absent=()):
    """The red or the green square."""
    return [
        None if index in absent else coded(square_frame(index)[..., channel] > 200)
        for index in range(LENGTH)
    ]


def write_json(name, content):
    Path(name).write_text(json.dumps(content))


def entry(video_id, category_id, score, masks):
    return dict(video_id=video_id, category_id=category_id, score=score, segmentations=masks)


def annotation(number, video_id, category_id, masks):
    return dict(id=number, video_id=video_id, category_id=category_id, segmentations=masks)


def write_scene():
    """Two videos in the working folder; in the first, a red cat is found, a green dog missed."""
    videos = []
    for video_id, name in ((3, 'first'), (8, 'second')):
        write_frames(Path('frames') / name, LENGTH)
        names = [f'{name}/{index:05d}.png' for index in range(LENGTH)]
        videos.append(dict(id=video_id, file_names=names, height=48, width=64, length=LENGTH))
    categories = [dict(id=2, name='cat'), dict(id=5, name='dog')]
    annotations = [
        annotation(70, 3, 2, tube(RED)),
        annotation(71, 3, 5, tube(GREEN)),
        annotation(72, 8, 5, tube(GREEN)),
    ]
    truth = dict(videos=videos, categories=categories)
    write_json('gt.json', truth | dict(annotations=annotations))
    write_json('bare.json', truth)
    found = [
        entry(8, 5, 0.4, tube(GREEN)),
        entry(3, 5, 0.1, tube(GREEN)),  # too low
        entry(3, 5, 0.3, tube(RED)),  # the same again, in another class
        entry(3, 2, 0.8, tube(RED, absent=[1])),
    ]
    write_json('results.json', found)


def run(*options, results='results.json'):
    argv = ['mmvseg', 'show', results, '--out', 'page', *map(str, options)]
    with mock.patch('sys.argv', argv), pytest.raises(SystemExit) as ended:
        main.main()
    return ended.value.code or 0


def run_with_truth(*options, ann='gt.json'):
    return run('--ann', ann, '--root', 'frames', *options)


def video_data(name='first'):
    return read_data(Path('page/videos', f'{name}.js'))[1]


def listed():
    return read_data(Path('page/videos.js'))[1]


def contents(folder):
    return {path: path.read_bytes() for path in Path(folder).rglob('*') if path.is_file()}


def predicted(score, track_id, channel, length=LENGTH):
    """An entry as ``mmvseg predict --json`` writes it."""
    masks = tube(channel)[:length]
    named = dict(category=('red', 'green')[channel], track_id=track_id)
    return (
        entry(1, 5 + channel, score, masks) | named | dict(seconds=[t / 5 for t in range(length)])
    )
