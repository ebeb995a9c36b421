import json

import pytest
from mmengine.config import Config

from mmvseg.engine.launch import annotation_file, check_amp, check_data, lacks_truth
from mmvseg.errors import UserError


def test_missing_files_of_a_part_of_a_joint_data_set_are_named(tmp_path):
    (tmp_path / 'train.json').write_text('{}')
    video = dict(data_root=str(tmp_path), ann_file='train.json')
    joint = dict(type='JointClipDataset', datasets=dict(video=video, coco=dict(video)))
    check_data(joint, 'train_dataloader.dataset')
    joint['datasets']['coco']['ann_file'] = 'instances.json'
    with pytest.raises(UserError, match=r'dataset\.datasets\.coco\.ann_file: .*instances\.json'):
        check_data(joint, 'train_dataloader.dataset')
    listed = dict(type='ConcatDataset', datasets=list(joint['datasets'].values()))
    with pytest.raises(UserError, match=r'dataset\.datasets\.1\.ann_file'):
        check_data(dict(type='RepeatDataset', dataset=listed), 'train_dataloader.dataset')


@pytest.mark.parametrize(
    ('kind', 'device', 'stops'),
    [
        ('AmpOptimWrapper', 'cpu', True),
        ('AmpOptimWrapper', 'cuda', False),
        ('BFloat16OptimWrapper', 'cpu', False),
        ('OptimWrapper', 'cpu', False),
    ],
)
def test_float16_needs_a_gpu(monkeypatch, kind, device, stops):
    monkeypatch.setattr('mmvseg.engine.launch.get_device', lambda: device)
    cfg = Config(dict(optim_wrapper=dict(type=kind)))
    if not stops:
        check_amp(cfg)
        return
    with pytest.raises(UserError, match='--amp bf16'):
        check_amp(cfg)


def test_folders_count_without_an_annotation_file(tmp_path):
    (tmp_path / 'images').mkdir()
    folders = dict(img_path='images', seg_map_path='maps')
    with pytest.raises(UserError, match=r'data_prefix\.seg_map_path: .*maps'):
        check_data(dict(data_root=str(tmp_path), data_prefix=folders), 'train_dataloader.dataset')
    (tmp_path / 'maps').mkdir()
    check_data(dict(data_root=str(tmp_path), data_prefix=folders), 'train_dataloader.dataset')


def test_a_metric_may_bring_the_ground_truth_that_the_data_lack(tmp_path):
    content = dict(
        videos=[dict(id=1, height=8, width=8, file_names=['a.jpg'])],
        categories=[dict(id=1, name='cup')],
    )
    (tmp_path / 'valid').mkdir()
    (tmp_path / 'valid/instances.json').write_text(json.dumps(content))
    data = dict(type='YouTubeVISDataset', data_root=str(tmp_path), ann_file='valid.json')
    # the file lies in the folder of its split
    assert annotation_file(data) == tmp_path / 'valid/instances.json'
    check_data(data, 'test_dataloader.dataset')
    usual = dict(type='YouTubeVISMetric', ann_file='valid.json')
    own = dict(type='YouTubeVIS2022Metric', short='short.json')
    assert lacks_truth(data, usual)
    assert lacks_truth(data, [usual])
    assert not lacks_truth(data, own)
    assert not lacks_truth(data, [usual, own])
