"""The scripts of pages that need no browser, run by node where there is one."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from page_scenes import encode
from pycocotools import mask as coco_mask

from mmvseg.pages.rendering import TEMPLATES

ASSETS = TEMPLATES / 'assets'
NODE = shutil.which('node')
pytestmark = pytest.mark.skipif(NODE is None, reason='node is not installed')


def run(names, code, given):
    """What ``code`` makes of ``given`` with the functions of some scripts."""
    scripts = '\n'.join((ASSETS / f'{name}.js').read_text() for name in names)
    tail = f'const given = {json.dumps(given)};\nconsole.log(JSON.stringify((() => {{{code}}})()));'
    ended = subprocess.run([NODE, '-'], input=f'{scripts}\n{tail}', capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_syntax():
    texts = {path.name: path.read_text() for path in ASSETS.glob('*.js')}
    code = """
    const vm = require('node:vm');
    return Object.entries(given).map(([filename, text]) => new vm.Script(text, {filename}) && 1);
    """
    assert len(texts) > 5
    assert sum(run([], code, texts)) == len(texts)
    assert all(text.startswith("'use strict';\n// ") for text in texts.values())


def masks():
    rng = np.random.default_rng(0)
    yield np.zeros((7, 5), np.uint8)
    yield np.ones((7, 5), np.uint8)
    for size in ((1, 9), (9, 1), (33, 41), (300, 400)):
        for share in (0.02, 0.5, 0.98):
            yield (rng.random(size) < share).astype(np.uint8)
    big = np.zeros((1500, 2000), np.uint8)
    big[700:1400, 3:1990] = 1
    yield big


def test_run_length_codes():
    dense = [*masks()]
    codes = [
        dict(counts=encode(mask)['counts'].decode(), height=mask.shape[0], pixels=mask.size)
        for mask in dense
    ]
    code = """
    return given.map(({counts, height, pixels}) => {
      const map = new Uint16Array(pixels);
      const top = paintMask(map, counts, 3, height);
      return {runs: decodeRuns(counts), top, ones: map.reduce((n, v) => n + (v === 3), 0),
              hash: map.reduce((sum, v, i) => (sum + (v ? 1 : 0) * (i % 9973)) % 1000003, 0)};
    });
    """
    for mask, found in zip(dense, run(['rle'], code, codes), strict=True):
        flat = mask.ravel(order='F')
        assert found['ones'] == flat.sum()
        assert sum(found['runs']) == mask.size
        bounds = np.cumsum(found['runs'])
        rebuilt = np.zeros(mask.size, np.uint8)
        for start, stop in zip(bounds[::2], bounds[1::2], strict=False):
            rebuilt[start:stop] = 1
        np.testing.assert_array_equal(rebuilt, flat)
        assert found['hash'] == (np.flatnonzero(flat) % 9973).sum() % 1000003
        rows = np.flatnonzero(mask.any(1))
        if len(rows):
            assert found['top']['y'] == rows[0]
            assert mask[rows[0], found['top']['x']]
        else:
            assert found['top'] is None


def test_codes_of_the_library_are_those_that_are_decoded():
    mask = encode(np.eye(50, dtype=np.uint8))
    runs = run(['rle'], 'return decodeRuns(given);', mask['counts'].decode())
    again = coco_mask.frPyObjects(dict(size=[50, 50], counts=runs), 50, 50)
    assert again['counts'] == mask['counts']


def video(name, errors, categories=('cat',)):
    return dict(name=name, categories=list(categories), errors=errors)


VIDEOS = [
    video('b 10', [[0, 'mask', 'cat', 1, 0.5], [1, 'false', 'dog', 2, 0.9]], ['cat', 'dog']),
    video('b 9', [[0, 'mask', 'cat', 2, 0.8], [0, 'false', 'cat', 1, 0.4]]),
    video('A', []),
]


@pytest.mark.parametrize(
    ('order', 'kinds', 'category', 'expected'),
    [
        ('cost', [], '', ['b 9', 'b 10', 'A']),
        ('cost', ['false'], '', ['b 9', 'b 10', 'A']),
        ('worse', [], '', ['b 10', 'A', 'b 9']),
        ('better', [], '', ['b 9', 'A', 'b 10']),
        ('worse', ['mask'], 'cat', ['A', 'b 10', 'b 9']),
        ('name', [], '', ['A', 'b 9', 'b 10']),
        ('file', [], '', ['b 10', 'b 9', 'A']),
    ],
)
def test_ranking(order, kinds, category, expected):
    code = """
    const names = (videos) => videos.map((video) => video.name);
    return names(ranked(given.videos, given.order, new Set(given.kinds), given.category));
    """
    given = dict(videos=VIDEOS, order=order, kinds=kinds, category=category)
    assert run(['ranking'], code, given) == expected


@pytest.mark.parametrize(
    ('text', 'category', 'kinds', 'expected'),
    [
        ('', '', [], ['b 10', 'b 9', 'A']),
        ('B', '', [], ['b 10', 'b 9']),
        ('', 'dog', [], ['b 10']),
        ('', '', ['false'], ['b 10', 'b 9']),  # of either file
        ('', 'cat', ['false'], ['b 9']),
        ('', '', ['missed'], []),
    ],
)
def test_filters(text, category, kinds, expected):
    code = """
    const filter = {text: given.text, category: given.category, kinds: new Set(given.kinds)};
    return given.videos.filter((video) => fits(video, filter, ['a', 'b'])).map((v) => v.name);
    """
    given = dict(videos=VIDEOS, text=text, category=category, kinds=kinds)
    assert run(['ranking'], code, given) == expected
