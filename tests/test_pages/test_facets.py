"""What the page of a data set filters and counts, computed by node where there is one."""

import json
import shutil
import subprocess

import pytest
from browse_scenes import item, video, videos, write
from page_scenes import read_data

from mmvseg.pages.rendering import TEMPLATES

NODE = shutil.which('node')
pytestmark = pytest.mark.skipif(NODE is None, reason='node is not installed')


def run(code, given):
    """What ``code`` makes of ``given`` with the functions of the script."""
    script = (TEMPLATES / 'browse/facets.js').read_text()
    tail = f'const given = {json.dumps(given)};\nconsole.log(JSON.stringify((() => {{{code}}})()));'
    ended = subprocess.run([NODE, '-'], input=f'{script}\n{tail}', capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_syntax():
    texts = {path.name: path.read_text() for path in (TEMPLATES / 'browse').glob('*.js')}
    code = """
    const vm = require('node:vm');
    return Object.entries(given).map(([filename, text]) => new vm.Script(text, {filename}) && 1);
    """
    assert len(texts) == sum(run(code, texts)) == 4
    assert all(text.startswith("'use strict';\n// ") for text in texts.values())


BINS = 'const {labels, bin} = %s(given); return [labels, given.map(bin)];'


@pytest.mark.parametrize(
    ('values', 'labels', 'places'),
    [
        ([], ['0'], []),
        ([4], ['4'], [0]),
        ([2, 5, 3], ['2', '3', '4', '5'], [0, 3, 1]),
        ([0, 36], [f'{n}-{n + 4}' for n in range(0, 35, 5)] + ['35-36'], [0, 7]),
        ([12, 20, 24], [*(f'{n}-{n + 1}' for n in range(12, 24, 2)), '24'], [0, 4, 6]),
        ([1, 24], ['0-4', '5-9', '10-14', '15-19', '20-24'], [0, 4]),
        ([3] * 60 + [4, 500], ['3', '4', '5 or more'], [*[0] * 60, 1, 2]),
        ([3] * 9 + [500], None, [*[0] * 9, 10]),
    ],
)
def test_bins_of_whole_numbers(values, labels, places):
    found, bins = run(BINS % 'wholeBins', values)
    assert bins == places
    assert labels is None or found == labels
    assert max(bins, default=0) < len(found) <= 14


def test_sides():
    labels, bins = run(BINS % 'sideBins', [0, 255, 256, 128**2 - 1, 128**2, 256**2])
    assert labels == ['under 16', '16 to 32', '32 to 64', '64 to 128', '128 to 256', '256 to 512']
    assert bins == [0, 0, 1, 3, 4, 5]
    assert run(BINS % 'sideBins', []) == [[], []]


def test_gaps():
    labels, bins = run('return [GAPS, given.map(gapBin)];', [0, 1, 2, 3, 4, 7, 8, 15, 16, 999])
    assert [labels[place] for place in bins] == [
        *('none', '1', '2-3', '2-3', '4-7', '4-7', '8-15', '8-15', '16 or more', '16 or more')
    ]


def test_occlusion():
    labels, bins = run(BINS % 'occlusionBins', [0, 0.1, 0.25, 0.3, 0.5, 0.51, None])
    assert [labels[place] for place in bins] == [
        *('0', 'up to 0.25', 'up to 0.25', '0.25 to 0.5', '0.25 to 0.5', 'over 0.5', 'not given')
    ]
    assert 'not given' not in run(BINS % 'occlusionBins', [0.2])[0]


def test_rare_names_are_together():
    names = [f'name {n}' for n in range(20) for _ in range(n + 1)]
    labels, bins = run(BINS % 'nameBins', names)
    assert labels == [f'name {n}' for n in range(19, 8, -1)] + ['others']
    assert [bins[0], bins[-1]] == [11, 0]


def site(tmp_path, shown):
    write(tmp_path, shown)
    return read_data(tmp_path / 'dataset.js')[1]


FOUND = """
const facets = makeFacets(given.site);
const chosen = Object.fromEntries(Object.entries(given.chosen).map(([key, label]) => {
  return [key, facets.find((facet) => facet.key === key).labels.indexOf(label)];
}));
const {videos} = given.site;
const counts = facets.map((facet) => {
  const numbers = binCounts(facet, videos, facets, chosen, given.text ?? '');
  return [facet.key, Object.fromEntries(facet.labels.map((label, n) => [label, numbers[n]]))];
});
const shown = videos.filter((video) => fitting(video, facets, chosen, given.text ?? ''));
return {names: shown.map((video) => video.name), counts: Object.fromEntries(counts)};
"""


@pytest.mark.parametrize(
    ('chosen', 'names'),
    [
        ({}, ['street', 'yard', 'empty']),
        (dict(objects='0'), ['empty']),
        (dict(frames='40'), ['empty']),
        ({'class': 'dog'}, ['street', 'yard']),
        ({'class': 'dog', 'side': '128 to 256'}, ['yard']),  # of one object, not of two
        ({'class': 'cat', 'side': '128 to 256'}, ['street']),
        ({'class': 'fox'}, []),
        (dict(track='4'), ['street']),
        (dict(gap='2-3'), ['street']),
        (dict(problems='problems'), ['yard']),
        (dict(size='72 \u00d7 128'), ['empty']),
    ],
)
def test_filters(tmp_path, chosen, names):
    assert run(FOUND, dict(site=site(tmp_path, videos()), chosen=chosen))['names'] == names


def test_filter_by_name(tmp_path):
    data = site(tmp_path, videos())
    assert run(FOUND, dict(site=data, chosen={}, text='TREE'))['names'] == ['street']


def test_filters_by_length_and_occlusion(tmp_path):
    shown = [
        video('a', [item(1, 0, occlusion=0.0)], length=10),
        video('b', [item(2, 0, occlusion=0.6)], length=40),
    ]
    data = site(tmp_path, shown)
    for chosen, name in (
        (dict(occlusion='0'), 'a'),
        (dict(occlusion='over 0.5'), 'b'),
        (dict(frames='10-14'), 'a'),
        (dict(frames='40'), 'b'),
    ):
        assert run(FOUND, dict(site=data, chosen=chosen))['names'] == [name]


def test_counts_go_by_the_other_filters(tmp_path):
    data = site(tmp_path, videos())
    counts = run(FOUND, dict(site=data, chosen={}))['counts']
    assert counts['class'] == dict(cat=2, dog=2, fox=0)
    assert counts['objects'] == {'0': 1, '1': 1, '2': 0, '3': 1}
    assert counts['problems'] == {'no problems': 2, 'problems': 1}
    assert 'occlusion' not in counts
    counts = run(FOUND, dict(site=data, chosen={'class': 'dog'}))['counts']
    assert counts['class'] == dict(cat=2, dog=2, fox=0)  # what another choice would give
    assert counts['side'] == {'16 to 32': 1, '32 to 64': 0, '64 to 128': 0, '128 to 256': 1}
    assert counts['objects'] == {'0': 0, '1': 1, '2': 0, '3': 1}
    counts = run(FOUND, dict(site=data, chosen={'class': 'dog'}, text='yard'))['counts']
    assert counts['class'] == dict(cat=0, dog=1, fox=0)


@pytest.mark.parametrize(
    ('order', 'names'),
    [
        ('file', ['b 10', 'b 9', 'a']),
        ('name', ['a', 'b 9', 'b 10']),
        ('problems', ['b 9', 'b 10', 'a']),
        ('objects', ['a', 'b 10', 'b 9']),
        ('long', ['b 9', 'a', 'b 10']),
    ],
)
def test_orders(order, names):
    entries = [
        dict(name='b 10', faults=0, objects=[], length=1),
        dict(name='b 9', faults=2, objects=[], length=9),
        dict(name='a', faults=0, objects=[0], length=2),
    ]
    code = 'return ordered(given.entries, given.order).map((video) => video.name);'
    assert run(code, dict(entries=entries, order=order)) == names
