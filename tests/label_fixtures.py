"""Files that labelling tools wrote, and what an import must make of them."""

import json
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from pycocotools import mask as coco_mask

from mmvseg.apis.import_labels import ImportRequest, import_labels
from mmvseg.formats.dataset_checker import check_dataset
from mmvseg.formats.labels.classes import read_classes
from mmvseg.formats.labels.sources import nfc

FOLDER = Path(__file__).parent / 'data' / 'label_formats'


def unpacked(name, folder):
    """A fixture on the disk: its ``src`` folder, what it should become, what is known of it."""
    with zipfile.ZipFile(FOLDER / f'{name}.zip') as archive:
        archive.extractall(folder)
    facts = json.loads((folder / 'fixture.json').read_text())
    expected = json.loads((folder / 'expected.json').read_text())
    return SimpleNamespace(**facts | dict(folder=folder, src=folder / 'src', expected=expected))


def import_request(fixture, out, **more):
    """The import of a fixture, with the options that belong to it."""
    given = iter(fixture.options)
    options, special = {}, {}
    for name in given:
        if name == '--classes':
            special['classes'] = read_classes(fixture.folder / next(given))
        elif name == '--frames':
            options['frames'] = fixture.folder / next(given)
        else:
            special[name.removeprefix('--').replace('-', '_')] = True
    options |= dict(source=fixture.src, out=out, format=fixture.importer, special=special) | more
    return ImportRequest(**options)


def imported(request):
    """What an import writes, as json."""
    import_labels(request)
    return json.loads((request.out / 'annotations.json').read_text())


def tubes(content):
    """Masks of all objects by video and class: lists of ``[T]`` lists of codes or None."""
    names = {video['id']: nfc(video['name']) for video in content['videos']}
    classes = {category['id']: nfc(category['name']) for category in content['categories']}
    found = {}
    for entry in content['annotations']:
        key = names[entry['video_id']], classes[entry['category_id']]
        found.setdefault(key, []).append(entry['segmentations'])
    return found


def tube_iou(one, other):
    """Intersection over union of two tubes, (T,) codes or None each."""
    common = union = 0
    for a, b in zip(one, other, strict=True):
        a, b = (rle and coco_mask.decode([rle])[..., 0] > 0 for rle in (a, b))
        if a is None or b is None:
            union += sum(mask.sum() for mask in (a, b) if mask is not None)
        else:
            common, union = common + (a & b).sum(), union + (a | b).sum()
    return common / union if union else 1.0


def assert_same(content, expected, min_iou):
    """Videos, classes and objects are those that are expected, in the same frames."""
    lengths = {nfc(video['name']): len(video['file_names']) for video in content['videos']}
    assert lengths == {nfc(v['name']): len(v['file_names']) for v in expected['videos']}
    assert all(entry['iscrowd'] == 0 for entry in content['annotations'])
    ours, theirs = tubes(content), tubes(expected)
    assert {key: len(value) for key, value in ours.items()} == {
        key: len(value) for key, value in theirs.items()
    }
    for key, wanted in theirs.items():
        rest = list(ours[key])
        for tube in wanted:
            ious = [tube_iou(tube, other) for other in rest]
            best = int(np.argmax(ious))
            assert ious[best] >= min_iou, (key, ious)
            shown = [rle is not None for rle in rest[best]]
            assert shown == [rle is not None for rle in tube], key
            del rest[best]


def problems(out, with_frames=True):
    """What the checker says of an import."""
    found = check_dataset(out / 'annotations.json', out / 'frames' if with_frames else None)
    return [str(problem) for problem in found]
