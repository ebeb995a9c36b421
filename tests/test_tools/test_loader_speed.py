"""tools/analysis/loader_speed.py: clips of made data through the pipelines of configs."""

import json
import sys
from unittest import mock

import pytest
from helpers import REPOSITORY

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import loader_speed as tool
import made_clips

from mmvseg.engine.config import load_config
from mmvseg.errors import UserError

CONFIGS = REPOSITORY / 'configs'


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp('made')


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(made_clips, 'LENGTH', 6)
    monkeypatch.setattr('gc.collect', lambda: 0)  # mmengine's, of all that the tests have made


def test_a_row_for_each_config_and_data_set(folder, capsys, monkeypatch):
    monkeypatch.setattr(tool, 'keep_freed_memory', mock.Mock())  # for good, in this process
    names = ('tevit/tevit_msgshift', 'dvis/dvis_online_r50_ytvis19')
    paths = [str(CONFIGS / f'{name}.py') for name in names]
    options = '--size 72x128 --image-size 48x64 --videos 1 --clips 2 --repeats 1 --data'
    with (
        mock.patch('sys.argv', ['loader_speed.py', *paths, *options.split(), str(folder)]),
        pytest.raises(SystemExit) as stop,
    ):
        tool.main()
    assert stop.value.code == 0
    text, speeds, steps = capsys.readouterr().out.split('\n\n')
    assert 'videos_q90: frames of 72x128' in text
    assert 'images_q90: frames of 48x64' in text
    assert [row.split('|')[1:3] for row in speeds.splitlines()[2:]] == [
        [' tevit_msgshift          ', ' 5      '],
        [' dvis_online_r50_ytvis19 ', ' 5      '],
    ]
    assert [row.split('|')[2].strip() for row in steps.splitlines()[2:]] == [
        *('video', 'video', 'coco')
    ]
    assert all('PackClip' in row for row in steps.splitlines()[2:])


def test_data_sets_count_as_often_as_they_are_drawn_from(folder):
    cfg = load_config(CONFIGS / 'minvis/minvis_r50_ytvis19.py')
    dataset = made_clips.made_dataset(cfg, folder, (72, 128), (48, 64), 1)
    times = dict(video=dict(record=0.5, LoadClip=0.5), coco=dict(record=0.25, LoadClip=0.05))
    name, frames, milliseconds, rate = tool.speed_row('a/minvis.py', dataset, times)
    mean = (0.75 * 1.0 + 1.0 * 0.3) / 1.75
    assert (name, frames) == ('minvis', 1)
    assert (milliseconds, rate) == (f'{1000 * mean:.1f}', f'{1 / mean:.2f}')


def test_the_fastest_run_of_each_step_counts(folder, monkeypatch):
    cfg = load_config(CONFIGS / 'tevit/tevit_msgshift.py')
    dataset = made_clips.made_dataset(cfg, folder, (72, 128), (48, 64), 1)
    runs = [[0, 1, 2, 3, 7, 9, 9, 10, 11, 14], [0, 1, 4, 4, 5, 5, 5, 6, 6, 9]]
    now = iter(runs[0] + runs[1])
    monkeypatch.setattr(tool.time, 'process_time', lambda: next(now))
    seconds = tool.measure_clips(dataset, 1, 2)
    # record: 14 - (1 + 4 + 0 + 1) and 9 - (3 + 1 + 0 + 0)
    assert seconds == dict(record=5, LoadClip=1, ResizeClip=1, FlipClip=0, PackClip=0)


def test_only_instances_are_measured(folder):
    cfg = load_config(CONFIGS / 'minvis/minvis_r50_vipseg.py')
    with pytest.raises(UserError, match='VIPSegDataset is not measured'):
        made_clips.made_dataset(cfg, folder)


def test_quality_is_that_of_the_frames_also_after_a_run_that_was_ended(tmp_path):
    def frames(quality):
        root = tmp_path / str(quality)
        made_clips.make_shapes(root, (48, 64), 2, 1, quality)
        return [path.read_bytes() for path in made_clips.frame_files(root)]

    best, small = frames(95), frames(30)
    assert len(best) == 2
    assert all(len(a) > len(b) for a, b in zip(best, small, strict=True))
    stats = tmp_path / '30/stats.json'
    stats.write_text(json.dumps(json.loads(stats.read_text()) | dict(complete=False)))
    assert frames(30) == small
