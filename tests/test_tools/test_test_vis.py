import json
import signal
import subprocess
import sys
import zipfile

import pytest
import torch
import toy
from helpers import REPOSITORY
from tool import run_tool

from mmvseg.checkpoints.files import load_checkpoint_file, save_checkpoint_file
from mmvseg.evaluation.instance_rules import YouTubeVISRules
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import read_results
from mmvseg.structures import VideoInstances


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('vis')
    toy.write_videos(folder / 'data')
    metric = f"dict(type='YouTubeVISMetric', ann_file='{folder}/data/train.json')"
    config = toy.write_config(folder, f'test_evaluator = {metric}\n')
    torch.manual_seed(0)
    model = toy.make_runner(config, folder / 'init').model
    meta = dict(dataset_meta=dict(classes=toy.CLASSES))
    save_checkpoint_file(dict(meta=meta, state_dict=model.state_dict()), folder / 'toy.pth')
    content = json.loads((folder / 'data/train.json').read_text())
    content['annotations'] = None
    (folder / 'data/unannotated.json').write_text(json.dumps(content))
    return folder


@pytest.fixture
def run(folder, tmp_path, capsys, monkeypatch):
    """Run a tool on the toy; status, what it printed and the folder of results."""
    monkeypatch.chdir(tmp_path)

    def run(*args, tool='test_vis', config='toy.py', checkpoint='toy.pth', out='out', **options):
        base = [str(folder / config), str(folder / checkpoint)]
        base += ['--out', str(tmp_path / out), *args]
        options = {'work_dir': tmp_path / 'work'} | options
        given = [f'{key.replace("__", ".")}={value}' for key, value in options.items()]
        status = run_tool(tool, *base, '--cfg-options', *given)
        return status, capsys.readouterr(), tmp_path / out

    return run


def test_writes_results_zip_and_numbers(run):
    status, shown, out = run()
    assert status == 0
    entries = json.loads((out / 'results.json').read_text())
    assert {entry['video_id'] for entry in entries} == {1, 2, 3}
    assert [len(entry['segmentations']) for entry in entries] == [5] * 6
    with zipfile.ZipFile(out / 'submission.zip') as archive:
        assert archive.namelist() == ['results.json']
        assert archive.read('results.json') == (out / 'results.json').read_bytes()
    assert 0 < json.loads((out / 'metrics.json').read_text())['AP'] <= 1
    assert 'AP50' in shown.out
    assert 'submission.zip' in shown.out


def test_some_of_the_classes_are_scored_alone(run, folder):
    checkpoint = load_checkpoint_file(folder / 'toy.pth')
    head = checkpoint['state_dict']
    for name in ('head.fc_cls.weight', 'head.fc_cls.bias'):
        head[name] = head[name][1:]
    checkpoint['meta']['dataset_meta']['classes'] = ('green',)
    save_checkpoint_file(checkpoint, folder / 'green.pth')
    chosen = dict(test_dataloader__dataset__metainfo__classes="('green',)")
    status, shown, out = run(checkpoint='green.pth', **chosen)
    assert status == 0
    assert '1 of 2 categories are left out of the numbers' in shown.err
    assert shown.err.rstrip().endswith('red')
    assert 0 < json.loads((out / 'metrics.json').read_text())['AP'] <= 1


def test_the_config_of_the_training_stays(run, folder):
    """A test in the folder of a training, where its checkpoints and its config lie."""
    before = (folder / 'toy.py').read_text()
    assert run(work_dir=folder)[0] == 0
    assert (folder / 'toy.py').read_text() == before


def test_no_zip(run):
    _, _, out = run('--no-zip')
    assert not (out / 'submission.zip').exists()


def test_window_and_half_precision_count_as_another_run(run):
    first = (run()[2] / 'results.json').read_bytes()
    for args in (['--window', '3'], ['--fp16'], ['--precision', 'bf16']):
        status, shown, _ = run(*args)
        assert status == 1
        assert 'another run (config differ)' in shown.err
    assert (run('--window', '3', out='b')[2] / 'results.json').read_bytes() != b''
    half = (run('--fp16', out='c')[2] / 'results.json').read_bytes()
    assert half != first
    assert (run('--precision', 'auto', out='d')[2] / 'results.json').read_bytes() == half
    status, shown, _ = run('--precision', 'fp16', '--device', 'cpu', out='e')
    assert status == 1
    assert 'needs a GPU; use bf16 on a CPU' in shown.err


def test_json_without_annotations_is_announced_first(run, folder):
    json_file = str(folder / 'data/unannotated.json')
    status, shown, out = run('--json', json_file, '--root', str(folder / 'data/JPEGImages'))
    assert status == 0
    assert shown.err.index('has no annotations') < shown.err.index('test: ')
    assert (out / 'results.json').is_file()
    assert not (out / 'metrics.json').exists()


def write_part(folder, file, videos):
    """Some of the videos with their annotations."""
    content = json.loads((folder / 'data/train.json').read_text())
    content['videos'] = [v for v in content['videos'] if v['id'] in videos]
    content['annotations'] = [a for a in content['annotations'] if a['video_id'] in videos]
    (folder / 'data' / file).write_text(json.dumps(content))
    return str(folder / 'data' / file)


def test_a_metric_with_ground_truth_of_its_own(run, folder):
    short, long = write_part(folder, 'short.json', [1, 3]), write_part(folder, 'long.json', [2])
    metric = dict(type='YouTubeVIS2022Metric', short=short, long=long)
    (folder / 'own.py').write_text(
        f"_base_ = './toy.py'\ntest_evaluator = dict(_delete_=True, **{metric})\n"
    )
    arguments = ['--json', str(folder / 'data/unannotated.json'), '--root']
    arguments += [str(folder / 'data/JPEGImages')]
    status, _, out = run(*arguments, config='own.py')
    assert status == 0
    numbers = json.loads((out / 'metrics.json').read_text())
    assert numbers['AP'] == (numbers['short_AP'] + numbers['long_AP']) / 2
    assert numbers['short_AP'] != numbers['long_AP']
    status, _, measured = run(*arguments, config='own.py', tool='test', out='numbers.json')
    assert status == 0
    measured = json.loads(measured.read_text())
    assert measured == {f'youtube_vis_2022/{name}': value for name, value in numbers.items()}


def test_several_metrics_of_one_file(run, folder):
    ann_file = str(folder / 'data/train.json')
    metrics = [dict(type=f'{name}Metric', ann_file=ann_file) for name in ('YouTubeVIS', 'DAVIS')]
    (folder / 'both.py').write_text(f"_base_ = './toy.py'\ntest_evaluator = {metrics}\n")
    status, shown, out = run(config='both.py')
    assert status == 0
    numbers = json.loads((out / 'metrics.json').read_text())
    assert {'AP', 'J&F'} < {*numbers}
    assert 'AP50' in shown.out
    assert 'J&F' in shown.out
    status, _, out = run(config='both.py', tool='test', out='numbers.json')
    assert status == 0
    measured = json.loads(out.read_text())
    assert {name.partition('/')[2]: value for name, value in measured.items()} == pytest.approx(
        numbers
    )
    assert measured['davis/J&F'] > 0


def test_root_and_json_are_used(run, folder):
    for args in (['--root', 'absent'], ['--json', 'absent.json']):
        status, shown, _ = run(*args)
        assert status == 1
        assert 'absent' in shown.err
    same = run('--root', str(folder / 'data/JPEGImages'), out='b')
    assert same[0] == 0


def test_killed_run_continues_with_the_same_results(run, folder, tmp_path):
    code = (
        'import os, runpy, signal, sys\n'
        'from mmvseg.formats.results_writer import ResultsWriter\n'
        'add = ResultsWriter.add\n'
        'def killed(self, video, result):\n'
        '    if self.partial_path.exists():\n'
        '        self.partial_path.open("a").write("{half")\n'
        '        os.kill(os.getpid(), signal.SIGKILL)\n'
        '    add(self, video, result)\n'
        'ResultsWriter.add = killed\n'
        'runpy.run_path(sys.argv[0], run_name="__main__")\n'
    )
    prelude = f'import sys; sys.path[:0] = {[str(REPOSITORY / "tests"), str(REPOSITORY)]}\n'
    tool = str(REPOSITORY / 'tools/test_vis.py')
    prelude += f'sys.argv = [{tool!r}, *sys.argv[1:]]\n'
    command = [sys.executable, '-c', prelude + code, folder / 'toy.py', folder / 'toy.pth']
    ended = subprocess.run([*command, '--out', tmp_path / 'out'], capture_output=True, text=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert (tmp_path / 'out/results.partial.rank0.jsonl').is_file()
    status, shown, out = run()
    assert status == 0
    assert 'holds 1 of 3 videos' in shown.out + shown.err
    whole = run(out='whole')[2]
    assert (out / 'results.json').read_bytes() == (whole / 'results.json').read_bytes()
    assert (out / 'metrics.json').read_bytes() == (whole / 'metrics.json').read_bytes()


def test_complete_run_is_not_repeated_unless_asked(run):
    _, _, out = run()
    before = (out / 'results.json').stat().st_mtime_ns
    status, shown, _ = run()
    assert status == 0
    assert 'complete already' in shown.err
    assert (out / 'results.json').stat().st_mtime_ns == before
    run('--restart')
    assert (out / 'results.json').stat().st_mtime_ns != before


def test_classes_of_the_checkpoint_must_be_the_datas(run, folder):
    checkpoint = load_checkpoint_file(folder / 'toy.pth')
    checkpoint['meta']['dataset_meta']['classes'] = ('red', 'blue')
    save_checkpoint_file(checkpoint, folder / 'blue.pth')
    status, shown, _ = run(checkpoint='blue.pth')
    assert status == 1
    assert 'train.json: has classes that the model was not trained on: green' in shown.err
    assert "metainfo=dict(classes=['red'])" in shown.err
    assert 'Traceback' not in shown.err


def test_other_number_of_classes_without_names(run, folder):
    state = load_checkpoint_file(folder / 'toy.pth')['state_dict']
    state['head.fc_cls.weight'], state['head.fc_cls.bias'] = torch.zeros(9, 4), torch.zeros(9)
    save_checkpoint_file(state, folder / 'nine.pth')
    status, shown, _ = run(checkpoint='nine.pth')
    assert status == 1
    assert '(9, 4) in the checkpoint, (2, 4) in the model' in shown.err
    assert run('--allow-missing', 'head', checkpoint='nine.pth')[0] == 0


@pytest.mark.parametrize('tool', ['test', 'test_vis'])
def test_missing_checkpoint_and_wrong_device(run, tool):
    status, shown, _ = run(tool=tool, checkpoint='absent.pth')
    assert (status, shown.err.count('error: ')) == (1, 1)
    assert 'absent.pth: no such file' in shown.err
    status, shown, _ = run('--device', 'cuda:99', tool=tool)
    assert status == 1
    assert '--device cuda:99' in shown.err


def test_hooks_of_a_training_do_not_disturb(run):
    early = "[dict(type='EarlyStoppingHook',monitor='youtube_vis/AP')]"
    best = dict(default_hooks__checkpoint__save_best='youtube_vis/AP')
    assert run(tool='test', custom_hooks=early, **best)[0] == 0


def test_test_writes_the_same_numbers(run, folder):
    status, _, out = run(tool='test', out='numbers.json')
    assert status == 0
    measured = json.loads(out.read_text())
    expected = json.loads((run()[2] / 'metrics.json').read_text())
    assert measured == {f'youtube_vis/{name}': value for name, value in expected.items()}
    json_file = str(folder / 'data/unannotated.json')
    status, shown, _ = run('--json', json_file, tool='test')
    assert status == 1
    assert 'no annotations, so nothing can be measured' in shown.err


def test_nothing_predicted_is_no_error(run, monkeypatch):
    monkeypatch.setattr(VideoInstances, 'to_youtube_vis', lambda *args: [])
    status, shown, out = run()
    assert status == 0
    assert json.loads((out / 'results.json').read_text()) == []
    assert (out / 'submission.zip').is_file()
    assert 'nothing was predicted' in shown.err
    assert not (out / 'metrics.json').exists()


@pytest.mark.parametrize('frames', ['0', '-2', 'x'])
def test_window_has_to_be_positive(run, frames):
    status, shown, _ = run('--window', frames)
    assert status == 2
    assert 'is not a whole number of at least 1' in shown.err


def test_places_that_cannot_be_written(run, tmp_path, monkeypatch):
    (tmp_path / 'file').touch()
    status, shown, _ = run(out='file/out')
    assert (status, shown.err.count('file/out')) == (1, 1)
    assert 'Traceback' not in shown.err
    monkeypatch.setattr('mmvseg.engine.VideoRunner.test', lambda self: pytest.fail('tested'))
    assert run(tool='test', out='file/a.json')[0] == 1


def write_data(folder, name, change):
    content = json.loads((folder / 'data/train.json').read_text())
    change(content)
    (folder / 'data' / name).write_text(json.dumps(content))
    return str(folder / 'data' / name)


@pytest.mark.parametrize('tool', ['test', 'test_vis'])
def test_classes_in_another_order_are_mapped_by_name(run, folder, tool):
    def swap(content):  # order and ids
        content['categories'] = [dict(id=5, name='green'), dict(id=1, name='red')]
        for annotation in content['annotations']:
            annotation['category_id'] = {1: 1, 2: 5}[annotation['category_id']]

    swapped = write_data(folder, 'swapped.json', swap)
    whole, out = (run(*args, tool=tool, out=f'{len(args)}') for args in ([], ['--json', swapped]))
    assert out[0] == 0
    assert 'swapped.json lists the classes in another order' in out[1].out + out[1].err
    if tool == 'test':
        assert json.loads(whole[2].read_text()) == json.loads(out[2].read_text())
        return
    assert (whole[2] / 'metrics.json').read_bytes() == (out[2] / 'metrics.json').read_bytes()
    expected = json.loads((whole[2] / 'results.json').read_text())
    for entry in expected:
        entry['category_id'] = {1: 1, 2: 5}[entry['category_id']]
    assert json.loads((out[2] / 'results.json').read_text()) == expected


def test_fewer_classes_are_tested_alone(run, folder):
    def leave_out_red(content):
        content['categories'] = content['categories'][1:]
        content['annotations'] = [a for a in content['annotations'] if a['category_id'] == 2]

    green = write_data(folder, 'green.json', leave_out_red)
    status, shown, out = run('--json', green)
    assert status == 0
    assert 'green.json has 1 of the 2 classes of the model' in shown.out + shown.err
    entries = json.loads((out / 'results.json').read_text())
    assert {entry['category_id'] for entry in entries} == {2}
    whole = run(out='whole')[2]
    of_all = json.loads((whole / 'results.json').read_text())
    assert entries == [entry for entry in of_all if entry['category_id'] == 2]
    measured = json.loads((out / 'metrics.json').read_text())
    rules = YouTubeVISRules(read_youtube_vis(folder / green))
    assert measured == rules.score(read_results(out / 'results.json'), 'results', [2]).numbers
    assert 0 < measured['AP'] <= 1
