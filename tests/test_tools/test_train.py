import errno
import json
import re
import sys

import pytest
import torch
import toy
from tool import run_tool

from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.locks import folder_lock


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp('train')
    toy.write_videos(folder / 'data')
    return toy.write_config(folder, "val_evaluator = dict(type='MeanScore')\n")


@pytest.fixture
def train(config, tmp_path, capsys):
    """Run tools/train.py for two iterations; status, what it printed and its work dir."""

    def run(*args, **options):
        options = {'train_cfg.max_iters': 2} | {k.replace('__', '.'): v for k, v in options.items()}
        work_dir = tmp_path / 'work'
        given = ['--cfg-options', *(f'{key}={value}' for key, value in options.items())]
        base = [str(config), '--work-dir', str(work_dir)]
        if not {'--resume', '--work-dir'} & set(args):
            base.append('--overwrite')
        status = run_tool('train', *base, *args, *given)
        return status, capsys.readouterr(), work_dir

    return run


def last(work_dir):
    return load_checkpoint_file((work_dir / 'last_checkpoint').read_text())


def test_trains_and_validates(train):
    status, shown, work_dir = train(train_cfg__val_interval=2)
    assert status == 0
    assert 'model.head.num_classes: 7 -> 2 (from the dataset)' in shown.err
    assert 'video_1: 0.' in shown.out + shown.err
    assert last(work_dir)['meta']['iter'] == 2


def test_resume_without_path_continues_from_the_last_checkpoint(train):
    status, shown, work_dir = train('--resume', '--no-validate')
    assert status == 0
    assert 'no checkpoint in' in shown.err
    status, shown, work_dir = train('--resume', '--no-validate', train_cfg__max_iters=4)
    assert status == 0
    assert 'at iteration 2' in shown.out + shown.err
    assert 'Iter(train) [1/4]' not in shown.out + shown.err
    assert last(work_dir)['meta']['iter'] == 4


def test_resume_with_path(train, tmp_path):
    _, _, work_dir = train('--no-validate')
    (work_dir / 'iter_2.pth').rename(tmp_path / 'moved.pth')  # its folder holds none now
    path = str(tmp_path / 'moved.pth')
    status, shown, _ = train('--no-validate', '--resume', path, train_cfg__max_iters=3)
    assert status == 0
    assert 'moved.pth at iteration 2' in shown.out + shown.err


def test_starting_again_does_not_overwrite_a_run(train, tmp_path):
    _, _, work_dir = train('--no-validate')
    first = (work_dir / 'iter_2.pth').read_bytes()
    again = ('--no-validate', '--seed', '7', '--work-dir', str(work_dir))
    status, shown, _ = train(*again)
    assert status == 1
    for way in ('--resume', 'give another --work-dir', '--overwrite'):
        assert way in shown.err
    assert 'num_classes' not in shown.err  # before anything is built
    status, shown, _ = train(*again, '--resume', str(work_dir / 'iter_2.pth'))
    assert status == 0
    elsewhere = tmp_path / 'elsewhere.pth'
    elsewhere.write_bytes(first)
    status, shown, _ = train(*again, '--resume', str(elsewhere))
    assert status == 1
    assert f'a training continued from {elsewhere} would overwrite' in shown.err
    assert (work_dir / 'iter_2.pth').read_bytes() == first
    start = {'load_from': work_dir / 'iter_2.pth'}
    status, shown, _ = train(*again, '--overwrite', **start)
    assert status == 1
    assert (
        f'{work_dir}/iter_2.pth is what this training starts from; move it elsewhere' in shown.err
    )
    (work_dir / '.iter_7.pth.part').write_bytes(b'left by a killed run')
    status, shown, _ = train(*again, '--overwrite')
    assert status == 0
    assert (work_dir / 'iter_2.pth').read_bytes() != first
    assert sorted(p.name for p in work_dir.glob('.*')) == []


def test_resume_without_pointer_continues_from_the_newest_whole_checkpoint(train):
    options = {'train_cfg.max_iters': 4, 'default_hooks.checkpoint.max_keep_ckpts': 2}
    _, _, work_dir = train('--no-validate', **options)
    (work_dir / 'last_checkpoint').unlink()
    (work_dir / 'iter_9.pth').write_bytes((work_dir / 'iter_4.pth').read_bytes()[:-500])
    options['train_cfg.max_iters'] = 6
    status, shown, _ = train('--no-validate', '--resume', **options)
    assert status == 0
    assert 'iter_9.pth: ' in shown.err
    assert f'continuing from {work_dir}/iter_4.pth' in shown.err
    assert last(work_dir)['meta']['iter'] == 6
    assert (work_dir / 'iter_4.pth').exists()


def test_two_runs_do_not_share_a_work_dir(train, tmp_path):
    with folder_lock(tmp_path / 'work', ''):
        status, shown, _ = train('--no-validate')
    assert status == 1
    assert f'{tmp_path}/work: another run writes there' in shown.err
    assert shown.err.count('error: ') == 1


@pytest.mark.parametrize('kind', ['file/work', 'file', '/dev/null', '/dev/null/work'])
def test_work_dirs_that_cannot_be(train, tmp_path, kind):
    (tmp_path / 'file').touch()
    status, shown, _ = train('--no-validate', '--work-dir', str(tmp_path / kind))
    assert status == 1
    assert 'cannot be written or read' in shown.err
    assert shown.err.count('error: ') == 1


@pytest.mark.parametrize('failing', ['mmengine.config.Config.dump', 'logging.FileHandler.flush'])
def test_a_full_disk_is_one_message(train, monkeypatch, failing):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(failing, full)
    status, shown, work_dir = train('--no-validate')
    assert status == 1
    assert f'error: {work_dir}: cannot be written or read (No space left on device)' in shown.err
    assert 'Traceback' not in shown.err


def test_a_missing_package_of_a_back_end_is_one_message(config, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'wandb', None)
    path = config.parent / 'wandb.py'
    backend = "visualizer = dict(vis_backends=[dict(type='WandbVisBackend')], name='with_wandb')"
    path.write_text(f'{config.read_text()}{backend}\n')
    assert (
        run_tool('train', str(path), '--no-validate', '--work-dir', str(config.parent / 'w')) == 1
    )
    shown = capsys.readouterr().err
    assert 'error: visualizer.vis_backends: WandbVisBackend needs a package that is not' in shown
    assert 'pip install wandb' in shown


def test_no_validate(train):
    _, shown, _ = train('--no-validate', train_cfg__val_interval=1)
    assert 'video_1' not in shown.out + shown.err


def test_seed_decides_the_run(train):
    weights = []
    for seed in ('1', '1', '2'):
        _, _, work_dir = train('--no-validate', '--seed', seed)
        weights.append(last(work_dir)['state_dict']['backbone.weight'])
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_bf16_differs_from_fp32(train):
    weights = []
    for args in ((), ('--amp',), ('--amp', 'bf16')):
        _, _, work_dir = train('--no-validate', *args)
        weights.append(last(work_dir)['state_dict']['head.fc_cls.weight'])
    assert not torch.equal(weights[0], weights[1])
    assert torch.equal(weights[1], weights[2])
    torch.testing.assert_close(weights[0], weights[1], atol=0.05, rtol=0)


def test_auto_scale_lr(train):
    status, shown, _ = train('--no-validate', '--auto-scale-lr')
    assert status == 1
    assert 'no auto_scale_lr.base_batch_size' in shown.err
    _, _, work_dir = train('--no-validate', '--auto-scale-lr', auto_scale_lr__base_batch_size=8)
    assert last(work_dir)['optimizer']['param_groups'][0]['initial_lr'] == 0.01 * 2 / 8


@pytest.mark.parametrize(
    ('args', 'options', 'message'),
    [
        (['--amp', 'fp16'], {}, '--amp fp16: needs a GPU'),
        (['--device', 'cuda:99'], {}, '--device cuda:99: '),
        (['--resume', 'absent.pth'], {}, 'checkpoint absent.pth: no such file'),
        ([], {'load_from': 'absent.pth'}, 'checkpoint absent.pth: no such file'),
        ([], {'model.head.type': 'ToyHed'}, 'did you mean ToyHead'),
        ([], {'model.widht': 3}, "ToySegmentor has no argument 'widht'; did you mean width"),
        ([], {'train_dataloader.dataset.ann_file': 'b.json'}, 'b.json does not exist'),
        (
            [],
            {'train_dataloader.dataset.metainfo.classes': 'red'},
            "metainfo.classes is a text ('red'); a list of names is needed: classes=['red']",
        ),
        (
            [],
            {'train_dataloader.dataset.metainfo.CLASSES': "['red']"},
            'metainfo.CLASSES: nothing reads it; write classes',
        ),
        (
            [],
            {'train_dataloader.dataset.data_prefix.img': 'frames'},
            'train_dataloader.dataset.data_prefix.img: ',
        ),
        (['--launcher', 'pytorch'], {}, 'tools/dist_train.sh'),
    ],
)
def test_mistakes_get_one_message(train, monkeypatch, args, options, message):
    if '--amp' in args and torch.cuda.is_available():
        pytest.skip('there is a GPU')
    for name in ('RANK', 'LOCAL_RANK', 'WORLD_SIZE'):
        monkeypatch.delenv(name, raising=False)
    status, shown, _ = train('--no-validate', *args, **options)
    assert status == 1
    assert message in shown.err
    assert 'Traceback' not in shown.err
    assert shown.err.count('error: ') == 1


def test_validation_without_annotations_is_refused_at_the_start(train, config):
    (config.parent / 'data/empty.json').write_text(
        '{"videos": [], "annotations": null, "categories": [{"id": 1, "name": "red"}]}'
    )
    option = {'val_dataloader.dataset.ann_file': 'empty.json'}
    status, shown, _ = train(**option)
    assert status == 1
    assert 'no annotations to validate against; use --no-validate' in shown.err
    assert train('--no-validate', **option)[0] == 0


def test_pickled_checkpoint_needs_the_flag(train, tmp_path):
    _, _, work_dir = train('--no-validate')
    checkpoint = last(work_dir)
    torch.save(dict(state_dict=checkpoint['state_dict'], by=toy.ToyHead), tmp_path / 'old.pth')
    load_from = str(tmp_path / 'old.pth')
    status, shown, _ = train('--no-validate', load_from=load_from)
    assert status == 1
    assert '--allow-pickle' in shown.err
    assert train('--no-validate', '--allow-pickle', load_from=load_from)[0] == 0


def test_unfilled_module_needs_the_flag(train, tmp_path):
    _, _, work_dir = train('--no-validate')
    state = {k: v for k, v in last(work_dir)['state_dict'].items() if not k.startswith('head')}
    torch.save(state, tmp_path / 'backbone.pth')
    load_from = str(tmp_path / 'backbone.pth')
    status, shown, _ = train('--no-validate', load_from=load_from)
    assert status == 1
    assert '--allow-missing head' in shown.err
    assert train('--no-validate', '--allow-missing', 'head', load_from=load_from)[0] == 0


def with_metric(config, ann_file):
    return {
        'val_evaluator.type': 'YouTubeVISMetric',
        'val_evaluator.ann_file': config.parent / 'data' / ann_file,
        'val_dataloader.dataset.ann_file': ann_file,
    }


def write_data(config, name, change):
    content = json.loads((config.parent / 'data/train.json').read_text())
    change(content)
    (config.parent / 'data' / name).write_text(json.dumps(content))


def test_validation_data_in_another_order_give_the_same_numbers(train, config, tmp_path):
    write_data(config, 'swapped.json', lambda content: content['categories'].reverse())
    numbers = []
    for name in ('train.json', 'swapped.json'):
        status, shown, _ = train(
            '--seed',
            '1',
            '--work-dir',
            str(tmp_path / name),
            train_cfg__max_iters=30,
            **with_metric(config, name),
        )
        assert status == 0
        text = shown.out + shown.err
        numbers.append(re.findall(r'(youtube_vis/\w+): ([\d.]+)', text))
        said = 'swapped.json lists the classes in another order' in text
        assert said == (name == 'swapped.json')
    assert 0 < float(dict(numbers[0])['youtube_vis/AP']) <= 1
    assert numbers[0] == numbers[1]


def test_validation_data_with_other_classes_stop_at_the_start(train, config):
    def add_blue(content):
        content['categories'].append(dict(id=3, name='blue'))

    write_data(config, 'blue.json', add_blue)
    status, shown, _ = train(**with_metric(config, 'blue.json'))
    assert status == 1
    assert 'blue.json: has classes that the model was not trained on: blue' in shown.err
    assert 'Iter(train)' not in shown.out + shown.err
    some = {'val_dataloader.dataset.metainfo.classes': '[green,red]'}
    status, shown, _ = train(**with_metric(config, 'blue.json'), **some)
    assert status == 0
    assert '1 of 3 categories are left out of the numbers' in shown.out + shown.err
