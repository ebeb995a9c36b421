import json
import math

import pytest

from mmvseg.errors import UserError
from mmvseg.formats.training_log import Curve, read_training_log


def start(work_dir, name, rows, config=None, tail=''):
    folder = work_dir / name / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text(''.join(json.dumps(row) + '\n' for row in rows) + tail)
    if config is not None:
        (folder / 'config.py').write_text(config)
    return folder / 'scalars.json'


def train(**losses_by_step):
    return [dict(loss=v, iter=int(k[1:]), step=int(k[1:])) for k, v in losses_by_step.items()]


def val(step, value):
    return dict(AP=value, time=0.5, step=step)


@pytest.fixture
def read(tmp_path):
    """The log of ``tmp_path``, and what was said on the way."""

    def run():
        said = []
        return read_training_log(tmp_path, said.append), said

    return run


def test_training_and_validation_apart(tmp_path, read):
    rows = [dict(lr=0.1, loss=3, time=2.0, iter=10, step=10), val(10, 0.25)]
    start(tmp_path, 'a', rows)
    log, said = read()
    assert [*log.train] == ['lr', 'loss', 'time']
    assert log.train['time'] == Curve([10], [2.0])
    assert log.val == dict(AP=Curve([10], [0.25]), time=Curve([10], [0.5]))
    assert (log.starts, said) == (['a'], [])


def test_what_is_no_number_is_no_curve(tmp_path, read):
    start(tmp_path, 'a', [dict(loss=1, note='x', flag=True, list=[1], epoch=3, iter=1, step=1)])
    assert [*read()[0].train] == ['loss']


def test_a_diverged_training(tmp_path, read):
    start(tmp_path, 'a', train(s1=1.0, s2=math.nan, s3=math.inf))
    values = read()[0].train['loss'].values
    assert values[0] == 1
    assert math.isnan(values[1])
    assert values[2] == math.inf


def test_a_continued_training_takes_the_place_of_what_it_repeats(tmp_path, read):
    start(tmp_path, '20260101_000000', [*train(s10=9, s20=8, s30=7, s40=6), val(20, 0.1)])
    start(tmp_path, '20260102_000000', [*train(s30=5), val(30, 0.2)], 'resume = True\n')
    log, _ = read()
    assert log.train['loss'] == Curve([10, 20, 30], [9, 8, 5])  # 40 was of what is given up
    assert log.val['AP'] == Curve([20, 30], [0.1, 0.2])
    assert log.starts == ['20260101_000000', '20260102_000000']


def test_a_training_that_began_anew_stands_alone(tmp_path, read):
    start(tmp_path, 'a', train(s10=9, s20=8))
    start(tmp_path, 'b', train(s20=5), 'model = dict(resume = 1)\nresume = False\n')
    log, _ = read()
    assert log.train['loss'] == Curve([20], [5])
    assert log.starts == ['b']


def test_the_config_is_not_run(tmp_path, read):
    start(tmp_path, 'a', train(s1=1), f'open({str(tmp_path / "ran")!r}, "w")\nresume = False\n')
    read()
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('tail', ['{"loss": 1, "iter": 2, "st', '{"loss": 1, "iter": 2}\n', '[]'])
def test_a_last_line_that_is_being_written_is_left_out_and_said(tmp_path, read, tail):
    path = start(tmp_path, 'a', train(s1=1), tail=tail)
    log, said = read()
    assert log.train['loss'].steps == [1]
    assert said == [f'{path}: line 2 is not complete (yet), left out']


def test_a_whole_last_line_needs_no_end(tmp_path, read):
    start(tmp_path, 'a', train(s1=1), tail=json.dumps(train(s2=2)[0]))
    log, said = read()
    assert (log.train['loss'].steps, said) == ([1, 2], [])


def test_a_damaged_line_amid_others(tmp_path):
    path = start(tmp_path, 'a', train(s1=1), tail='{"loss": \n{"loss": 2, "iter": 3, "step": 3}\n')
    with pytest.raises(UserError, match=rf'{path}: line 2 is no object with "step".*remove'):
        read_training_log(tmp_path, print)


def test_a_validation_alone_is_no_start(tmp_path, read):
    start(tmp_path, 'a', train(s1=1, s2=2))
    path = start(tmp_path, 'b', [val(0, 0.5)], 'resume = False\n')
    log, said = read()
    assert log.starts == ['a']
    assert log.train['loss'].steps == [1, 2]
    assert said == [f'{path}: has no values of training (yet), left out']


def test_folders_without_a_log(tmp_path):
    for folder in (tmp_path, tmp_path / 'absent'):
        with pytest.raises(UserError, match=r'no TIMESTAMP/vis_data/scalars\.json.*give the wo'):
            read_training_log(folder, print)
    start(tmp_path, 'a', [])
    with pytest.raises(UserError, match='has logged nothing yet'):
        read_training_log(tmp_path, lambda message: None)
