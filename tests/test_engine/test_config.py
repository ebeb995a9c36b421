import pytest
import toy
from helpers import REPOSITORY
from mmengine.config import Config

from mmvseg.engine.config import config_errors, load_config, require
from mmvseg.errors import UserError
from mmvseg.registry import DATASETS, MODELS


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


def test_argument_of_a_base_class_is_found_in_the_config(toy_config):
    cfg = load_config(toy_config, {'train_dataloader.dataset.data_rot': 'x'})
    message = r'train_dataloader\.dataset\.data_rot: YouTubeVISDataset .*; did you mean data_root'
    with pytest.raises(UserError, match=message), config_errors(cfg):
        DATASETS.build(cfg.train_dataloader.dataset)


class OwnHead(toy.ToyHead):
    def __init__(self, own_weight=1.0, **kwargs):
        super().__init__(**kwargs)


@pytest.mark.parametrize(
    ('wrong', 'meant'), [('own_wieght', 'own_weight'), ('in_channel', 'in_channels')]
)
def test_arguments_of_an_own_class_are_those_of_its_base_too(wrong, meant):
    message = rf"model\.head\.{wrong}: OwnHead has no argument '{wrong}'; did you mean {meant}"
    with pytest.raises(UserError, match=message):
        build_model(type=OwnHead, **{wrong: 3})


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


def test_missing_file_names_the_closest_of_the_project_and_its_folder(tmp_path, monkeypatch):
    message = r'no such file; did you mean configs/tevit/tevit_r50\.py'
    with pytest.raises(UserError, match=message):
        load_config('configs/tevit/tevit_r51.py')
    (tmp_path / 'mine.py').touch()
    (tmp_path / 'private').mkdir()
    (tmp_path / 'private/mine_2.py').touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r'no such file; did you mean mine\.py ') as error:
        load_config('mine_1.py')
    assert 'mine_2' not in str(error.value)
    for name in ('a\0b.py', '\udcff.py', 'x' * 5000 + '.py'):
        with pytest.raises(UserError, match='no such file'):
            load_config(name)


def test_a_config_of_the_package_may_be_given_by_its_name(tmp_path, monkeypatch):
    by_path = load_config('configs/tevit/tevit_r50.py')
    monkeypatch.chdir(tmp_path)
    by_name = load_config('tevit_r50')
    assert by_name.filename == str(REPOSITORY / by_path.filename)
    assert by_name.to_dict() == by_path.to_dict()
    with pytest.raises(UserError, match=r'tevit_r51: no such file; did you mean tevit_r50 or'):
        load_config('tevit_r51')
    # of a path that is wrong here, the name is shorter than the way to the clone
    with pytest.raises(UserError, match=r'r50\.py: no such file; did you mean tevit_r50 or'):
        load_config('configs/tevit_r50.py')
    with pytest.raises(UserError, match='no such file'):
        load_config('default_runtime')  # a part of configs


def test_a_config_may_inherit_from_one_of_the_package_by_its_name(tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text("_base_ = 'minvis_shapes'\nmax_iters = 7\n")
    shipped = load_config('minvis_shapes')
    assert load_config(config).model == shipped.model
    (tmp_path / 'more.py').write_text("_base_ = ['mine.py']\n")
    assert load_config(tmp_path / 'more.py').max_iters == 7
    # data, too; and a file of the name comes first
    data = tmp_path / 'data.yaml'
    data.write_text('_base_: minvis_shapes\n')
    assert load_config(data).model == shipped.model
    (tmp_path / 'beside.yaml').write_text('_base_: absent_shapes\n')
    with pytest.raises(UserError, match=r"_base_ 'absent_shapes': no such file"):
        load_config(tmp_path / 'beside.yaml')


@pytest.mark.parametrize(
    ('base', 'meant'),
    [('dvis_online_r50_vspv', 'dvis_online_r50_vspw'), ('../basis/mine_1.py', '../basis/mine.py')],
)
def test_a_base_that_is_missing_names_the_closest(tmp_path, base, meant):
    for folder in ('basis', 'child'):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / 'mine.py').touch()
    config = tmp_path / 'child/own.py'
    config.write_text(f'_base_ = {base!r}')
    with pytest.raises(UserError, match=f"own.py: .*{base}': no such file; did you mean {meant}"):
        load_config(config)


def test_a_file_comes_before_a_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'tevit_r50').write_text('model = None')
    with pytest.raises(UserError, match='config tevit_r50: '):
        load_config('tevit_r50')


def test_counts_may_be_written_as_powers_of_ten(tmp_path):
    path = tmp_path / 'a.py'
    path.write_text('train_cfg = dict(max_iters=1e5, val_interval=5)')
    cfg = load_config(path, {'train_cfg.val_interval': 1e9})
    assert cfg.train_cfg == dict(max_iters=100_000, val_interval=10**9)
    assert type(cfg.train_cfg.max_iters) is int
    with pytest.raises(UserError, match=r'max_iters.* 1\.5 cannot replace: must be a whole number'):
        load_config(path, {'train_cfg.max_iters': 1.5})


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a = (', 'SyntaxError'),
        ("_base_ = 'gone.py'", r"its _base_ 'gone\.py': no such file"),
        ('a = b', "NameError: name 'b'"),
        ('a = 1 / 0', r'broken\.py: ZeroDivisionError'),
        ('a = open("/absent/file")', r'broken\.py: a file'),
        ("custom_imports = dict(imports=['absent_package'])", r'broken\.py: ImportError'),
        ('raise RuntimeError("no")', r'broken\.py: RuntimeError: no'),
        ('raise SystemExit', r'broken\.py: SystemExit'),
        ('a = ' + '[' * 5000, r'broken\.py: SyntaxError'),
        ('a = []\nfor _ in range(5000):\n    a = [a]', r'broken\.py: nested too deep'),
        ('a = ' + '9' * 5000, r'broken\.py: SyntaxError: .*5000 digits'),
        ('a = 1\0', r'broken\.py: SyntaxError'),
        ("_base_ = 'broken.py'", r'its _base_ leads back to itself'),
        ('model = 3', r'broken\.py, model: must be a section, dict\(\.\.\.\), and is 3'),
        ('default_hooks = dict(checkpoint=7)', r'default_hooks\.checkpoint: must be a section'),
        ('model = dict()', r'broken\.py, model: has no type'),
        (
            "train_dataloader = dict(dataset=dict(ann_file=3, type='A'))",
            r'ann_file: must be a text',
        ),
        ("test_dataloader = dict(dataset=['a'])", r"dataset: must be a section.* is \['a'\]"),
        (
            "val_evaluator = 'AP'",
            r"val_evaluator: must be a section or a list of such, and is 'AP'",
        ),
        ('train_cfg = dict(max_iters=-1)', r'train_cfg\.max_iters = -1: must be a whole number'),
        ('load_from = 3', r'load_from: must be a text, and is 3'),
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


def test_bytes_that_are_no_text(tmp_path):
    for suffix in ('.py', '.json', '.yaml'):
        path = tmp_path / f'bytes{suffix}'
        path.write_bytes(bytes(range(256)))
        with pytest.raises(UserError, match=rf'bytes\{suffix}: '):
            load_config(path)


BOMB = 'a0: &a0 [1]\n' + ''.join(
    f'a{i}: &a{i} [{", ".join([f"*a{i - 1}"] * 9)}]\n' for i in range(1, 9)
)


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('a: !!python/object/apply:pathlib.Path.touch [ran]', 'could not determine a constructor'),
        ('a: !!python/object/new:os.mkdir [ran]', 'could not determine a constructor'),
        (BOMB, 'aliases make more than 100000 values'),
        ('a: &a [*a]', 'a value contains itself'),
        ('a: ' + '[' * 500 + ']' * 500, 'nested too deep'),
        ('a: ' + '9' * 5000, '5000 digits'),
        ('[1, 2]', 'is no table of values by names'),
        ('', 'is no table of values by names'),
        ('1: 2', 'is no table of values by names'),
        ('a-b: 2', "'a-b' is no name of a section"),
        ('class: 2', "'class' is no name of a section"),
        ('_base_: data.yaml', 'leads back to itself'),
    ],
)
def test_configs_that_are_data_run_nothing_and_stay_small(tmp_path, monkeypatch, text, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'data.yaml').write_text(text)
    (tmp_path / 'child.yaml').write_text('_base_: data.yaml')
    (tmp_path / 'child.py').write_text("_base_ = 'data.yaml'")
    for name in ('data.yaml', 'child.yaml', 'child.py'):
        with pytest.raises(UserError, match=words):
            load_config(name)
    assert not (tmp_path / 'ran').exists()


def test_configs_that_are_data(tmp_path):
    (tmp_path / 'a.yaml').write_text('load_from: &x a.pth\nwork_dir: *x\n')
    (tmp_path / 'b.json').write_text('{"_base_": "a.yaml", "model": {"type": "A"}}')
    cfg = load_config(tmp_path / 'b.json', {'model.depth': 3})
    assert (cfg.load_from, cfg.work_dir, cfg.model) == ('a.pth', 'a.pth', dict(type='A', depth=3))


def test_a_config_written_as_yaml_is_read_alike(tmp_path):
    cfg = Config(dict(model=dict(type='A', scales=[(640, 360), ((1, 2), None)])))
    cfg.dump(tmp_path / 'a.yaml')
    assert load_config(tmp_path / 'a.yaml')._cfg_dict == cfg._cfg_dict


def test_what_a_tool_needs_is_named(tmp_path):
    (tmp_path / 'a.py').write_text("model = dict(type='A')\ntest_dataloader = dict(batch_size=1)")
    cfg = load_config(tmp_path / 'a.py')
    require(cfg, 'model')
    with pytest.raises(
        UserError, match=r'a\.py: has no test_dataloader\.dataset; is it the config'
    ):
        require(cfg, 'model', 'test_dataloader.dataset')


def test_values_that_a_part_does_not_take_name_the_part():
    message = r'model\.head: ToyHead cannot be built with num_classes=-1.*: RuntimeError: .*line \d'
    with pytest.raises(UserError, match=message):
        build_model(num_classes=-1)
