"""Whatever happens to a COCO file, training and checker agree, and none ends in a traceback."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from mutations import mutated

from mmvseg.datasets import CocoClipDataset, load_coco_names
from mmvseg.errors import UserError
from mmvseg.formats.dataset_checker import check_dataset
from mmvseg.formats.problems import Level

#: What training says of sound files that it has no use for.
NO_USE = (
    'nothing to train on',
    'no object can be trained on',
    'no categories named',
    'not a COCO instance file',  # without 'images' it is read as videos by the checker
)


def make_content():
    categories = [dict(id=5 + i, name=name) for i, name in enumerate(load_coco_names('ovis'))]
    images = [dict(id=i, height=40, width=50, file_name=f'{i}.png') for i in (7, 3)]
    square = [4, 5, 12, 5, 12, 13, 4, 13]
    place = dict(category_id=5, bbox=[4, 5, 8, 8], area=64)
    annotations = [
        dict(id=1, image_id=7, segmentation=[square, [1, 2]], iscrowd=0, **place),
        dict(id=2, image_id=3, segmentation=[square], iscrowd=0, **place),
        dict(
            id=3,
            image_id=3,
            segmentation=dict(size=[40, 50], counts=[165, 8, 1827]),
            iscrowd=1,
            **place | dict(bbox=[4, 5, 1, 8], area=8),
        ),
    ]
    return dict(images=images, annotations=annotations, categories=categories)


def train(path):
    dataset = CocoClipDataset(
        ann_file=str(path),
        version='ovis',
        clip=dict(num_frames=2, consecutive=True),
        lazy_init=True,
    )
    dataset.full_init()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated(make_content()))
def test_training_and_checker_agree(content):
    with TemporaryDirectory() as folder:
        path = Path(folder, 'coco.json')
        path.write_text(json.dumps(content))
        try:
            found = check_dataset(path, None)
            faults = [str(problem) for problem in found if problem.level is Level.FAULT]
        except UserError as error:
            faults = [str(error)]
        try:
            train(path)
        except UserError as error:
            refused = str(error)
            told = any(words in refused for words in NO_USE)
            assert told or refused.startswith(faults[0])
        else:
            assert not faults


def test_the_file_is_sound(tmp_path):
    path = tmp_path / 'coco.json'
    path.write_text(json.dumps(make_content()))
    assert [problem.field for problem in check_dataset(path, None)] == ['iscrowd']
    train(path)
