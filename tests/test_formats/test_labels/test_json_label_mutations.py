"""Whatever happens to a json file of labels, there is one message, and what is read is sound."""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from label_reading import block, code, read_labels, runs
from mutations import mutated

from mmvseg.errors import UserError
from mmvseg.formats.rle import rle_areas

A, B = block(0, 0, 4, 4), block(2, 5, 7, 12)
SIZE = dict(height=8, width=12)
CATEGORIES = [dict(id=0, name='project'), dict(id=1, name='car', supercategory='thing')]
OUTLINE = [5, 2, 12, 2, 12, 7, 5, 7]


def annotations(**fields):
    ways = [code(A), runs(B), [OUTLINE]]
    return [
        dict(id=i, image_id=i, category_id=1, iscrowd=i % 2, segmentation=way, **fields)
        for i, way in enumerate(ways)
    ]


def images(name):
    return [dict(id=i, file_name=name.format(i), **SIZE) for i in range(3)]


def tao():
    numbered = [one | dict(video_id=4, frame_index=30 * one['id']) for one in images('v/{}.jpg')]
    return dict(
        videos=[dict(id=4, name='v', neg_category_ids=[0], not_exhaustive_category_ids=[])],
        images=numbered,
        tracks=[dict(id=2, category_id=1, video_id=4)],
        annotations=annotations(track_id=2),
        categories=CATEGORIES,
    )


def cvat():
    found = annotations(attributes=dict(track_id=2, occluded=False), bbox=[5, 2, 7, 5])
    return dict(images=images('v/{}.jpg'), annotations=found, categories=CATEGORIES)


def roboflow():
    names = images('v_mp4-{:04d}_jpg.rf.abc.jpg')
    return dict(images=names, annotations=annotations(track_id=2), categories=CATEGORIES)


def tubes():
    video = dict(id=0, file_names=['v\\0.jpg', 'v\\1.jpg', 'v\\2.jpg'], **SIZE)
    masks = [[code(A), None, [OUTLINE]], [runs(A), runs(A & ~A), code(B)]]
    objects = [
        dict(id=i, video_id=0, category_id=1, segmentations=mask) for i, mask in enumerate(masks)
    ]
    pairs = [dict(video_id=0, category_id=0, num_masklets=0)]
    return dict(videos=[video], annotations=objects, categories=CATEGORIES, video_np_pairs=pairs)


def burst():
    sequence = dict(
        seq_name='v',
        dataset='Src',
        annotated_image_paths=['0.jpg', '1.jpg'],
        track_category_ids={'1': 1, '2': 1},
        segmentations=[
            {'1': dict(rle=code(A)['counts'], is_gt=False)},
            {'2': dict(rle=code(B)['counts'])},
        ],
        neg_category_ids=[0],
        **SIZE,
    )
    return dict(sequences=[sequence], categories=CATEGORIES, split='val')


def scalabel():
    outline = dict(vertices=[[5, 2], [12, 2], [12, 7], [5, 7]], types='LLCC', closed=True)
    shapes = [dict(rle=code(A)), dict(poly2d=[outline]), dict(poly2d=[outline], rle=None)]
    frames = [
        dict(
            name=f'{i}.jpg',
            videoName='v',
            frameIndex=i,
            size=SIZE,
            labels=[dict(id='1', category='car', attributes=dict(crowd=False), **shape)],
        )
        for i, shape in enumerate(shapes)
    ]
    return dict(frames=frames, config=dict(imageSize=SIZE, categories=[dict(name='car')]))


FORMS: dict[Callable, tuple[str, str]] = {
    tao: ('coco', 'a.json'),
    cvat: ('coco', 'a.json'),
    tubes: ('coco', 'a.json'),
    burst: ('coco', 'a.json'),
    scalabel: ('bdd100k', 'a.json'),
    roboflow: ('roboflow', '_annotations.coco.json'),
}
every_form = pytest.mark.parametrize('form', FORMS, ids=lambda form: form.__name__)


def read(name, folder, **options):
    """What is read, or the message that says why nothing is."""
    try:
        return read_labels(name, folder, **options)
    except UserError as error:
        return str(error)


def check(found):
    """What was read fits together."""
    for video in found.videos.values():
        for labelled in video.objects:
            assert len(labelled.rles) == len(video.frames)
            shown = [rle for rle in labelled.rles if rle is not None]
            assert all(rle['size'] == [video.height, video.width] for rle in shown)
            assert rle_areas(shown).min() > 0
            assert found.ids is None or labelled.label in found.ids


@every_form
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_broken_files_are_refused_or_what_is_sound_is_read(form, data):
    name, file = FORMS[form]
    content = data.draw(mutated(form()))
    with TemporaryDirectory() as folder:
        Path(folder, file).write_text(json.dumps(content))
        strict, lenient = read(name, folder), read(name, folder, skip_bad=True)
        if isinstance(strict, str):
            assert folder in strict
            assert folder in lenient if isinstance(lenient, str) else lenient.left_out
        else:
            check(strict)
        if not isinstance(lenient, str):
            check(lenient)
            assert isinstance(strict, str) == bool(lenient.left_out)


@every_form
def test_files_are_sound_before(form, tmp_path):
    name, file = FORMS[form]
    (tmp_path / file).write_text(json.dumps(form()))
    found = read_labels(name, tmp_path)
    assert sum(len(video.objects) for video in found.videos.values()) >= 1
    check(found)
