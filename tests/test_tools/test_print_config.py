import toy
from mmengine.config import Config
from tool import run_tool


def test_prints_what_the_config_inherits_and_the_options(tmp_path, capsys):
    path = toy.write_config(tmp_path)
    assert run_tool('misc/print_config', str(path), '--cfg-options', 'train_cfg.max_iters=3') == 0
    printed = capsys.readouterr().out
    cfg = Config.fromstring(printed, '.py')
    assert cfg.train_cfg.max_iters == 3
    assert cfg.default_scope == 'mmvseg'  # of default_runtime.py


def test_unknown_key_and_file(tmp_path, capsys):
    path = toy.write_config(tmp_path)
    assert run_tool('misc/print_config', str(path), '--cfg-options', 'modle.width=3') == 1
    assert 'did you mean model' in capsys.readouterr().err
    assert run_tool('misc/print_config', str(tmp_path / 'tooy.py')) == 1
    assert 'did you mean' in capsys.readouterr().err
