from types import SimpleNamespace

import pytest

from mmvseg.engine.categories import (
    check_classes,
    classes_of,
    noted_classes,
    sync_num_classes,
)
from mmvseg.engine.config import load_config
from mmvseg.errors import UserError


def test_dataset_decides_the_number_of_classes_everywhere_in_the_model(toy_config):
    cfg = load_config(toy_config)
    cfg.model.extra = [dict(num_classes=7), dict(num_classes=2)]
    changes = sync_num_classes(cfg)
    assert changes == [
        'model.head.num_classes: 7 -> 2 (from the dataset)',
        'model.extra[0].num_classes: 7 -> 2 (from the dataset)',
    ]
    assert cfg.model.head.num_classes == 2
    assert sync_num_classes(cfg) == []


def test_classes_of_dataset_configs(toy_config):
    dataset = load_config(toy_config).train_dataloader.dataset
    assert classes_of(dataset)['classes'] == ('red', 'green')
    assert classes_of(dict(type='RepeatDataset', times=2, dataset=dataset))['classes'] == (
        'red',
        'green',
    )
    assert classes_of(dict(type='ConcatDataset', datasets=[dataset]))['classes'] == ('red', 'green')
    coco = dict(type='CocoClipDataset', version='ovis', ann_file='absent.json')
    joint = dict(type='JointClipDataset', datasets=dict(video=dataset, other=dataset))
    assert classes_of(joint)['classes'] == ('red', 'green')
    assert len(classes_of(coco)['classes']) == 25
    chosen = dict(dataset, metainfo=dict(classes=('green',)))
    assert classes_of(chosen)['classes'] == ('green',)
    published = dict(type='YouTubeVISDataset', version='2019', ann_file='absent.json')
    assert len(classes_of(published)['classes']) == 40
    assert len(classes_of(dict(type='CocoDataset', ann_file='absent.json'))['classes']) == 80


def test_parts_must_number_the_same_classes_alike(toy_config):
    dataset = load_config(toy_config).train_dataloader.dataset
    swapped = dict(dataset, metainfo=dict(classes=['green', 'red']))
    with pytest.raises(UserError, match=r"give 1 metainfo=dict\(classes=\['red', 'green'\]\)"):
        classes_of(dict(type='ConcatDataset', datasets=[dataset, swapped]))
    coco = dict(type='CocoClipDataset', version='ovis', ann_file='absent.json')
    joint = dict(type='JointClipDataset', datasets=dict(video=dataset, coco=coco))
    with pytest.raises(UserError, match='of video and coco differ: only in video: red, green;'):
        classes_of(joint)


@pytest.mark.parametrize('kind', ['YouTubeVISDataset', 'VIPSegDataset', 'CocoDataset'])
def test_classes_as_a_text(toy_config, kind):
    dataset = dict(load_config(toy_config).train_dataloader.dataset, type=kind)
    with pytest.raises(UserError, match=r"is a text \('red'\).*: classes=\['red'\]"):
        classes_of(dict(dataset, metainfo=dict(classes='red')))


def test_noted_classes():
    def note(**noted):
        return noted_classes(dict(meta=dict(dataset_meta=noted)))

    assert note(classes=['red', 'green'], palette=[]) == dict(classes=('red', 'green'), palette=[])
    assert note(classes='red') == dict(classes=('red',))
    assert note(palette=[]) == note(classes=()) == noted_classes(dict(meta=None)) == {}


def test_a_tested_model_keeps_the_classes_of_its_checkpoint(toy_config):
    cfg = load_config(toy_config)
    cfg.model.extra = dict(num_things=5)
    noted = dict(classes=('red', 'green', 'blue'), thing_classes=('red',))
    changes = sync_num_classes(cfg, 'test_dataloader', dict(meta=dict(dataset_meta=noted)))
    assert changes == [
        'model.head.num_classes: 7 -> 3 (from the checkpoint)',
        'model.extra.num_things: 5 -> 1 (from the checkpoint)',
    ]
    assert sync_num_classes(cfg, 'test_dataloader', dict(meta={})) == [
        'model.head.num_classes: 3 -> 2 (from the dataset)',
        'model.extra.num_things: 1 -> 2 (from the dataset)',
    ]


@pytest.mark.parametrize(
    ('classes', 'message'),
    [
        (('red', 'blue'), 'only in the checkpoint: blue; only in the data: green'),
        (('red',), r'checkpoint a\.pth \(1\) and of the data train\.json \(2\).*data: green'),
        (('green', 'red'), 'another order, from index 0 on'),
    ],
)
def test_classes_of_checkpoint_and_data(classes, message):
    dataset = SimpleNamespace(metainfo=dict(classes=('red', 'green')), ann_file='train.json')
    checkpoint = dict(meta=dict(dataset_meta=dict(classes=classes)))
    with pytest.raises(UserError, match=message):
        check_classes(checkpoint, 'a.pth', dataset)
    check_classes(dict(meta=dict(dataset_meta=dict(classes=('red', 'green')))), 'a.pth', dataset)
    check_classes(dict(state_dict={}), 'a.pth', dataset)
