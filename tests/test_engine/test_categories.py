from types import SimpleNamespace

import pytest

from mmvseg.engine.categories import check_classes, classes_of, sync_num_classes
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
    joint = dict(type='JointClipDataset', datasets=dict(video=dataset, coco=coco))
    assert classes_of(joint)['classes'] == ('red', 'green')
    assert len(classes_of(coco)['classes']) == 25
    chosen = dict(dataset, metainfo=dict(classes=('green',)))
    assert classes_of(chosen)['classes'] == ('green',)
    published = dict(type='YouTubeVISDataset', version='2019', ann_file='absent.json')
    assert len(classes_of(published)['classes']) == 40
    assert len(classes_of(dict(type='CocoDataset', ann_file='absent.json'))['classes']) == 80


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
