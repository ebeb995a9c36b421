import argparse

import pytest
import toy
from mmengine.config import Config

from mmvseg.engine.config import add_cfg_options, config_errors, load_config
from mmvseg.errors import UserError
from mmvseg.registry import MODELS


def build_model(**changes):
    head = dict(type='ToyHead', num_classes=2) | changes
    cfg = Config(dict(model=dict(type='ToySegmentor', head=head)), filename='toy.py', cfg_text='-')
    with config_errors(cfg):
        return MODELS.build(cfg.model)


def test_unknown_type_names_the_closest():
    message = r"toy\.py, model\.head\.type: there is no model 'ToyHed'; did you mean ToyHead"
    with pytest.raises(UserError, match=message):
        build_model(type='ToyHed')


def test_closest_type_may_belong_to_a_parent_registry():
    message = r"there is no model 'ResNett'; did you mean ResNet"
    with pytest.raises(UserError, match=message):
        build_model(type='ResNett')


def test_unknown_argument_names_key_and_closest():
    message = (
        r"model\.head\.num_class: ToyHead has no argument 'num_class'; did you mean num_classes"
    )
    with pytest.raises(UserError, match=message):
        build_model(num_class=3)


def test_missing_argument():
    cfg = Config(dict(model=dict(type='ToySegmentor')), filename='toy.py', cfg_text='-')
    with (
        pytest.raises(UserError, match=r"toy\.py, model: ToySegmentor needs 'head'"),
        config_errors(cfg),
    ):
        MODELS.build(cfg.model)


def test_errors_of_the_program_keep_their_traceback():
    with pytest.raises(TypeError), config_errors(Config()):
        len(3)
    with pytest.raises(KeyError), config_errors(Config()):
        {}['a']


def test_missing_file_names_the_closest(tmp_path, monkeypatch):
    (tmp_path / 'configs/tevit').mkdir(parents=True)
    (tmp_path / 'configs/tevit/tevit_r50.py').touch()
    monkeypatch.chdir(tmp_path)
    message = r'no such file; did you mean configs/tevit/tevit_r50\.py'
    with pytest.raises(UserError, match=message):
        load_config('configs/tevit/tevit_r51.py')


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a = (', 'SyntaxError'),
        ("_base_ = 'gone.py'", 'a file of its _base_ is missing'),
        ('a = b', "NameError: name 'b'"),
        ('a = 1 / 0', r'broken\.py: ZeroDivisionError'),
        ('a = open("/absent/file")', r'broken\.py: a file'),
        ("custom_imports = dict(imports=['absent_package'])", r'broken\.py: ImportError'),
        ('raise RuntimeError("no")', r'broken\.py: RuntimeError: no'),
    ],
)
def test_broken_config(tmp_path, text, message):
    path = tmp_path / 'broken.py'
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        load_config(path)


def test_options_change_values_and_refuse_unknown_sections(toy_config):
    cfg = load_config(toy_config, {'train_cfg.max_iters': 3, 'load_from': 'a.pth'})
    assert (cfg.train_cfg.max_iters, cfg.load_from) == (3, 'a.pth')
    message = 'no such key; did you mean train_cfg'
    with pytest.raises(UserError, match=message):
        load_config(toy_config, {'train_cgf.max_iters': 3})


def test_checkpoint_in_place_of_the_config(tmp_path):
    (tmp_path / 'a.pth').write_bytes(b'PK')
    for name in ('a.pth', 'absent.safetensors'):
        with pytest.raises(UserError, match='the order is CONFIG CHECKPOINT'):
            load_config(tmp_path / name)


@pytest.mark.parametrize('option', ['load_from', '=3', 'a=[1,2'])
def test_option_without_a_value(option, capsys):
    parser = argparse.ArgumentParser()
    add_cfg_options(parser)
    assert parser.parse_args(['--cfg-options', 'a=1', 'b.c=x=y']).cfg_options == {
        'a': 1,
        'b.c': 'x=y',
    }
    with pytest.raises(SystemExit):
        parser.parse_args(['--cfg-options', option])
    assert '--cfg-options: ' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('key', 'closest'),
    [('randomness.sead', 'seed'), ('optim_wrapper.clip_grad.max_nrom', 'max_norm')],
)
def test_unknown_argument_of_a_function(toy_config, tmp_path, key, closest):
    cfg = load_config(toy_config, {key: 1, 'train_cfg.max_iters': 1})
    message = f'{key}: there is no such option .*did you mean {closest}'
    with pytest.raises(UserError, match=message), config_errors(cfg):
        toy.make_runner(toy_config, tmp_path, **{key: 1}).train()


def test_wrong_calls_of_the_program_keep_their_traceback(toy_config):
    cfg = load_config(toy_config)
    with pytest.raises(TypeError), config_errors(cfg):
        toy.write_config(model=1)
