import pytest
from mmengine.config import Config

from mmvseg.engine.launch import check_amp, check_data
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
