"""Damaged files of masks: a message, never a traceback, with and without leaving out."""

import json
import random
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from label_fixtures import import_request, unpacked
from mutations import mutated
from random_labels import read_labels

from mmvseg.apis.import_labels import import_labels
from mmvseg.errors import UserError
from mmvseg.formats.labels.report import ImportReport

FIXTURES = [
    'mots_png',
    'kitti_mots_txt',
    'davis',
    'youtube_vos',
    'id_masks',
    'sav_json',
    'sav_folders',
]


def damage(path, rng):
    """Bytes of a file changed, its end cut off, or another byte put in."""
    data = bytearray(path.read_bytes())
    if not data:
        return
    place = rng.randrange(len(data))
    kind = rng.randrange(4)
    if kind == 0:
        data[place] ^= 1 << rng.randrange(8)
    elif kind == 1:
        del data[place:]
    elif kind == 2:
        data[place:place] = bytes([rng.randrange(256)])
    else:
        data[place : place + 8] = rng.randbytes(8)
    path.unlink()
    path.write_bytes(data)


@pytest.mark.parametrize('name', FIXTURES)
def test_damaged_files_are_told(name, tmp_path):
    rng = random.Random(name)
    told = 0
    for round_ in range(6):
        fixture = unpacked(name, tmp_path / str(round_))
        files = sorted(path for path in fixture.src.rglob('*') if path.is_file())
        labels = [path for path in files if path.suffix in ('.txt', '.json', '.csv')]
        for path in rng.sample(files, 2) + rng.sample(labels, min(1, len(labels))):
            damage(path, rng)
        for skip_bad in (False, True):
            out = tmp_path / f'{round_}{skip_bad}'
            try:
                import_labels(import_request(fixture, out, skip_bad=skip_bad))
            except UserError:
                told += 1
    assert told


TABLES = {
    'sav_json': ('sam', 'crossing_manual.json'),
    'youtube_vos': ('davis', 'train/meta.json'),
    'id_masks': ('masks', 'classes.json'),
}


@pytest.fixture(scope='module', params=TABLES)
def with_json(request, tmp_path_factory):
    """A fixture, the json in it that is changed, and what it holds."""
    fixture = unpacked(request.param, tmp_path_factory.mktemp(request.param))
    file = fixture.src / TABLES[request.param][1]
    if request.param == 'id_masks':
        (fixture.src / 'classes.csv').unlink()
        classes = {str(1000 + number): f'class {number}' for number in range(12)}
        return fixture, file, {'crossing': classes, '': classes}
    return fixture, file, json.loads(file.read_text())


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_changed_json_is_told(with_json, data):
    fixture, file, content = with_json
    file.write_text(json.dumps(data.draw(mutated(content))))
    for skip_bad in (False, True):
        with suppress(UserError):
            read_labels(fixture.importer, fixture.src, ImportReport(skip_bad))
