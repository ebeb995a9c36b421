"""MOTS and DAVIS: objects as numbers of pixels, written and read back."""

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from PIL import Image
from pycocotools import mask as coco_mask
from random_labels import CLASSES, labelled_videos, meaning, objects_of, read_labels

from mmvseg.errors import UserError
from mmvseg.formats.label_exports.exporters import exporter
from mmvseg.formats.label_exports.options import Export, ExportOptions
from mmvseg.formats.labels.importers import recognise
from mmvseg.formats.labels.outlines import encode
from mmvseg.formats.labels.records import Frame, LabelClass, LabelledObject, LabelledVideo
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.labels.sources import Source, SourceFile
from mmvseg.media.images import write_image

FORMATS = ['mots', 'davis']
every_format = pytest.mark.parametrize('name', FORMATS)


def write(name, videos, out, classes=CLASSES, **options):
    """What the export has to say."""
    report = ImportReport()
    export = Export(list(classes), iter(videos), len(videos))
    exporter(name).write(export, Path(out), ExportOptions(**options), report)
    return report


def rows(*shown, height=4, width=5):
    """A mask of whole rows."""
    mask = np.zeros((height, width), bool)
    mask[list(shown)] = True
    return encode(mask)


def video(*objects, length=1, name='v'):
    """Objects of class x, each with its codes."""
    frames = [Frame(f'{place:05d}.jpg') for place in range(length)]
    labelled = [
        LabelledObject(str(track), 'x', list(rles)) for track, rles in enumerate(objects, start=1)
    ]
    return LabelledVideo(name, 4, 5, frames, labelled)


@every_format
@settings(max_examples=15, deadline=None)
@given(videos=labelled_videos())
def test_what_is_written_is_read_back(name, videos):
    with TemporaryDirectory() as out:
        report = write(name, videos, out)
        assert (report.notes, report.ignored) == ([], {})
        # without pictures the shortest videos look as if one frame alone were annotated
        options = dict(annotated_only=True) if name == 'davis' else {}
        _, found = read_labels(name, out, **options)
        assert [meaning(v) for v in found] == [meaning(v) for v in videos]


@every_format
@settings(max_examples=10, deadline=None)
@given(videos=labelled_videos(overlaps=True))
def test_the_first_is_in_front(name, videos):
    with TemporaryDirectory() as out:
        report = write(name, videos, out)
        options = dict(annotated_only=True) if name == 'davis' else {}
        _, found = read_labels(name, out, **options)
    hidden = lost = 0
    for before, after in zip(videos, found, strict=True):
        in_front = [encode(np.zeros((before.height, before.width)))] * len(before.frames)
        kept = []
        for labelled in before.objects:
            pairs = list(zip(labelled.rles, in_front, strict=True))
            cut = [rle and minus(rle, front) for rle, front in pairs]
            in_front = [both(rle, front) if rle else front for rle, front in pairs]
            lost += cut != labelled.rles
            hidden += not any(cut)
            kept += [replace(labelled, rles=cut)] if any(cut) else []
        assert objects_of(after) == objects_of(replace(before, objects=kept))
    assert len(report.notes) == (lost > 0)
    if lost:
        assert f'{lost} object' in report.notes[0]
        assert ('hidden altogether' in report.notes[0]) == (hidden > 0)


def minus(rle, front):
    mask = decode(rle) & ~decode(front)
    return encode(mask) if mask.any() else None


def both(rle, front):
    return encode(decode(rle) | decode(front))


def decode(rle):
    return coco_mask.decode([rle])[..., 0] > 0


@every_format
def test_classes_and_format_are_recognised(name, tmp_path):
    write(name, [video([rows(0)])], tmp_path)
    assert recognise(Source(tmp_path)) == name


def test_numbers_of_mots(tmp_path):
    objects = [LabelledObject(str(n), c.name, [rows(n)]) for n, c in enumerate(CLASSES)]
    objects.append(LabelledObject('4', 'x', [rows(3)]))
    write('mots', [LabelledVideo('a/b', 4, 5, [Frame('7.jpg')], objects)], tmp_path)
    assert (tmp_path / 'a/b/instances/labels.txt').read_text().splitlines() == [
        'traffic light',
        'Straße',
        'x',
    ]
    with Image.open(tmp_path / 'a/b/instances/7.png') as image:
        assert image.mode == 'I;16'
        assert np.asarray(image)[:, 0].tolist() == [1001, 2001, 3001, 3002]


def test_classes_of_one_name_are_one_line(tmp_path):
    classes = [LabelClass('y', 1), LabelClass('y', 2), LabelClass('x', 3), LabelClass('a\nb', 4)]
    write('mots', [video([rows(0)])], tmp_path, classes)
    assert (tmp_path / 'v/instances/labels.txt').read_text() == 'y\nx\na b'
    (_, found) = read_labels('mots', tmp_path)
    assert found[0].objects[0].label == 'x'


def test_files_of_davis(tmp_path):
    write('davis', [video([rows(0), None], [rows(1), rows(3)], length=2)], tmp_path)
    path = tmp_path / 'Annotations/480p/v/00000.png'
    with Image.open(path) as image:
        assert image.mode == 'P'
        assert np.asarray(image)[:, 0].tolist() == [1, 2, 0, 0]
        assert image.getpalette()[:12] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
    assert (tmp_path / 'ImageSets/2017/val.txt').read_text() == 'v\n'
    assert json.loads((tmp_path / 'meta.json').read_text()) == {
        'videos': {
            'v': {
                'objects': {
                    '1': {'category': 'x', 'frames': ['00000']},
                    '2': {'category': 'x', 'frames': ['00000', '00001']},
                }
            }
        }
    }


@pytest.mark.parametrize(('name', 'folder'), [('mots', 'v/images'), ('davis', 'JPEGImages/480p/v')])
def test_frames_are_copied_only_if_asked(name, folder, tmp_path):
    picture = tmp_path / 'picture.jpg'
    write_image(picture, np.zeros((4, 5, 3), np.uint8))
    shown = video([rows(0)])
    shown.frames = [Frame('00000.jpg', SourceFile(picture.name, picture))]
    write(name, [shown], tmp_path / 'without')
    assert not (tmp_path / 'without' / folder).exists()
    write(name, [shown], tmp_path / 'with', with_frames=True)
    assert (tmp_path / 'with' / folder / '00000.jpg').read_bytes() == picture.read_bytes()
    _, (found,) = read_labels(name, tmp_path / 'with')
    assert found.frames[0].picture is not None


@every_format
def test_crowds_have_no_place(name, tmp_path):
    crowd = video([rows(0)], [rows(0, 1)])
    crowd.objects[0].is_crowd = True
    report = write(name, [crowd], tmp_path)
    assert (report.ignored, report.notes) == ({'crowd': 1}, [])
    options = dict(annotated_only=True) if name == 'davis' else {}
    _, (found,) = read_labels(name, tmp_path, **options)
    assert objects_of(found) == objects_of(replace(crowd, objects=crowd.objects[1:]))


@pytest.mark.parametrize(('name', 'most'), [('mots', 999), ('davis', 254)])
def test_too_many_objects(name, most, tmp_path):
    objects = [[rows(0)]] * most
    write(name, [video(*objects)], tmp_path / 'most')
    message = f'video v: {most + 1} objects.* has numbers for {most}'
    with pytest.raises(UserError, match=message):
        write(name, [video(*objects, [rows(0)])], tmp_path / 'more')


def test_too_many_classes(tmp_path):
    classes = [LabelClass('x'), *(LabelClass(str(number)) for number in range(64))]
    write('mots', [video([rows(0)])], tmp_path / 'most', classes[:64])
    with pytest.raises(UserError, match='65 classes: MOTS has numbers for 64'):
        write('mots', [video([rows(0)])], tmp_path / 'more', classes)


@every_format
def test_frames_that_differ_in_their_suffix_alone(name, tmp_path):
    double = video([rows(0), rows(1)], length=2)
    double.frames = [Frame('0.jpg'), Frame('0.png')]
    with pytest.raises(UserError, match='video v: two frames are called 0 but for their suffix'):
        write(name, [double], tmp_path)
