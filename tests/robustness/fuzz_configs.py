"""Broken configs, options of the command line and addresses of weights."""

import json
import os
import pickle
from typing import Any

import torch
import yaml
from fuzz_bytes import cut, damage
from fuzz_case import Case, Expect, kind
from fuzz_json import change, holder
from fuzz_server import Outcome
from mutations import VALUES, places
from unpickled import Payload

RUNS = {
    'toy.py': ('train', 'test', 'test_vis', 'demo_toy', 'print_py'),
    'toy.json': ('train_json', 'test_json', 'print_json'),
    'toy.yaml': ('train_yaml', 'test_vis_yaml', 'print_yaml'),
}
#: Numbers that are honoured at their cost: a training of 2^31 iterations is none that hangs.
COSTLY = ('max_iters', 'num_workers', 'batch_size', 'width', 'scale', 'num_classes', 'prefetch')
SMALL = [
    *VALUES,
    float('nan'),
    float('inf'),
    -1.5,
    'a\0b',
    '²',
    '\x1b[31mESC',
    {'type': 'x'},
    [None],
]
WORDS = [
    *('None', 'True', '0', '-1', '1.5', 'x', '', '[]', '{}', '()', '[1,2', "{'a':1}", 'dict(a=1)'),
    *("[dict(type='x')]", '[[1,2],[3]]', '(1,)', '"a b"', "'", '"', ',', '=', '[,]', '((((', 'a,b'),
    *(
        '[' * 3000,
        '9' * 5000,
        '1e400',
        'nan',
        '\x1b[31mESC',
        '²',
        'a\nb',
        '__import__("os")',
        'lambda',
    ),
    *('{{x}}', '$HOME', '~', '{"a": {"b": [1, {"c": 2}]}}', '[1, "a b", (2, 3)]', 'four', '1_000'),
]


def load(case: Case, name: str) -> Any:
    """The toy config as plain values."""
    return json.loads((case.folder / name).with_suffix('.json').read_text())


def store(case: Case, name: str, content: Any) -> None:
    """Write plain values as a config of any kind."""
    path = case.folder / name
    if name.endswith('.json'):
        text = json.dumps(content)
    elif name.endswith('.yaml'):
        text = yaml.safe_dump(content)
    else:
        pairs = content.items() if isinstance(content, dict) else [('model', content)]
        lines = [f'{key} = {value!r}' for key, value in pairs if str(key).isidentifier()]
        text = "nan, inf = float('nan'), float('inf')\n" + '\n'.join(lines)
    case.put(path, text.encode(errors='surrogatepass'))


@kind
def config_values(case: Case) -> None:
    """Values are dropped, doubled, moved or of another type."""
    name = case.rng.choice([*RUNS])
    case.use(case.rng.choice(RUNS[name]))
    content = load(case, name)
    found = [
        place
        for place in places(content)
        if place[-1] not in COSTLY and holder(content, place)[place[-1]] != 4
    ]
    for _ in range(case.rng.choice((1, 1, 2))):
        place = case.rng.choice(found)
        try:
            change(case.rng, content, place, SMALL)
        except (KeyError, IndexError, TypeError):  # the first change has moved it
            continue
    case.note = f'{name}: {place}'
    case.outputs = ()  # work_dir and others may be changed, too
    store(case, name, content)


@kind
def config_bytes(case: Case) -> None:
    """Characters are changed, lines lost."""
    name = case.rng.choice([*RUNS])
    # a changed config may ask for anything that configs can ask for, except by reading it
    case.use({'toy.py': 'print_py', 'toy.json': 'print_json', 'toy.yaml': 'print_yaml'}[name])
    path = case.folder / name
    data, case.note = damage(case.rng, path.read_bytes())
    if name == 'toy.json' and case.rng.random() < 0.3:
        data, case.note, case.expect = (
            cut(case.rng, path.read_bytes().strip()),
            'cut',
            Expect.REFUSED,
        )
    case.put(path, data)


BASE = "_base_ = './toy.py'\n"
SECTIONS = (
    *(
        'model',
        'train_dataloader',
        'default_hooks',
        'optim_wrapper',
        'train_cfg',
        'test_dataloader',
    ),
    *('param_scheduler', 'randomness', 'log_processor', 'visualizer', 'env_cfg', 'custom_hooks'),
    *('custom_imports', 'load_from', 'resume', 'default_scope', 'work_dir', 'val_evaluator'),
)
PYTHON = [
    *('1 / 0', 'x = y', 'import absent_module', 'def f(:', '\tx=1\n  y=2', '"' * 3, '', '\0'),
    *("_base_ = './absent.py'", "_base_ = './x.py'", '_base_ = 7', "_base_ = ['.']"),
    *('raise ValueError("no")', 'assert False', '# -*- coding: nonsense -*-', '\ufeff' + BASE),
    *('x = ' + '(' * 300, '_base_ = None', 'model = dict()', BASE + 'x = {{_base_.absent}}'),
    *(f'{BASE}{key} = {value}' for key in SECTIONS for value in ('7', '[]', 'None', "'x'")),
    BASE + "custom_imports = dict(imports=['absent'])",
    BASE + 'custom_imports = dict(imports=7)',
    BASE + 'model = dict(_delete_=True)',
    BASE + 'model = dict(type=7)',
    BASE + 'custom_hooks = [dict()]',
]
YAML = [
    '!!python/object/apply:os.mkdir [witness]',
    'a: !!python/object/new:os.mkdir [witness]',
    'a: !!python/name:os.mkdir ""',
    'a: !!python/object/apply:subprocess.check_output [[mkdir, witness]]',
    'a: &a [x,x,x,x,x,x,x,x,x]\n'
    + ''.join(
        f'{new}: &{new} [{",".join([f"*{old}"] * 9)}]\n'
        for old, new in zip('abcdefgh', 'bcdefghi', strict=True)
    ),
    *('a: &a [*a]', '- 1', '7', '', '{', 'a: b: c', '\ta: 1', '? [1]\n: 2', '1: 2', '~: 1'),
    *('a: 0o7\nb: 1_000\nc: 12:30:45', 'a: 2020-01-01', '%YAML 9.9\n---\na: 1'),
    *('a: "\\ud800"', 'a: ' + '[' * 5000),
]
JSON = [
    *('[]', '7', '', '{', 'null', '{"a": NaN}', '{"model": 7}', '{"_base_": 7}', '{"text": 1}'),
    *('{"_base_": "./x.json"}', '{"_base_": "./absent.py"}', '{"filename": "x"}', '{"": 1}'),
    *('{"_base_": "./toy.py", "model": null}', '{"pretty_text": 1}', '{"a.b": 1}', '{"a b": 1}'),
    *('{"a": ' + '[' * 100000, '{"a": ' * 3000 + '1' + '}' * 3000),
]


@kind
def config_texts(case: Case) -> None:
    """Python that raises, yaml that unfolds, inheritance that goes nowhere."""
    texts = {'x.py': PYTHON, 'x.yaml': YAML, 'x.json': JSON}
    name = case.rng.choice([*texts])
    text = case.rng.choice(texts[name])
    command = case.rng.choice(('train', 'test', 'test_vis', 'demo_toy', 'print_py', 'convert'))
    case.use(command)
    case.swap('small.py' if command == 'convert' else 'toy.py', name)
    case.outputs, case.note = (), f'{name}: {text[:60]!r}'
    if '!!python' in text:
        case.expect = Expect.REFUSED
    case.put(case.folder / name, text.encode(errors='surrogatepass'))
    if command == 'convert':
        case.scene.copy('vis', case.folder)


@kind
def cfg_options(case: Case) -> None:
    """Sections become scalars, brackets do not close, keys are of nothing."""
    case.use(case.rng.choice(('train', 'test', 'test_vis', 'demo_toy', 'print_py')))
    content = load(case, 'toy.json')
    keys = ['.'.join(map(str, place)) for place in places(content) if place[-1] not in COSTLY]
    given = []
    for _ in range(case.rng.choice((1, 1, 2))):
        key = case.rng.choice([*keys, *content, *content])
        if case.rng.random() < 0.2:
            key = case.rng.choice((f'{key}.x', f'{key}.0', f'{key}.-1', f'.{key}', f'{key}..x', ''))
        given.append(f'{key}={case.rng.choice(WORDS)}')
    if '--cfg-options' in case.args:
        case.args += given
    else:
        case.args += ['--cfg-options', *given]
    case.outputs, case.note = (), ' '.join(given)[:100]


TEXTS = [
    *(
        'a b',
        'my runs/with space',
        ' x',
        'a,b',
        'a, b',
        'a[0]',
        '(a)',
        '{a}',
        'a{b}',
        "it's",
        'a=b',
    ),
    *(
        '100%',
        'a"b',
        '[x',
        'x]',
        'C:\\x y\\z',
        'é ü',
        '~/x',
        'a;b',
        'x#y',
        '1,2 x',
        'My Drive/runs (1)',
    ),
]


@kind
def texts_of_options(case: Case) -> None:
    """A text given as the value of an option is kept as it is."""
    case.use('print_py')
    text = case.rng.choice(TEXTS)
    key = case.rng.choice(('work_dir', 'load_from', 'experiment_name'))
    case.args += ['--cfg-options', f'{key}={text}']
    case.note = f'{key}={text}'

    def kept(case: Case, outcome: Outcome) -> str | None:
        values: dict[str, Any] = {}
        exec(outcome.out, values)  # what print_config prints of the scene's config
        found = values.get(key)
        # what reads as a list in Python may be one
        return None if found == text or not isinstance(found, str) else f'{text!r} became {found!r}'

    case.check = kept


LITERALS = {
    "[dict(type='MultiStepLR', milestones=[2], gamma=0.1)]": [
        dict(type='MultiStepLR', milestones=[2], gamma=0.1)
    ],
    "{'max_norm': 1.0}": dict(max_norm=1.0),
    'dict(max_norm=1.0)': dict(max_norm=1.0),
    '[1, 2]': [1, 2],
    '(1, 2)': (1, 2),
    "['a b', 'c,d']": ['a b', 'c,d'],
    '[[1, 2], [3, 4]]': [[1, 2], [3, 4]],
    "{'a': {'b': [1, 2]}}": dict(a=dict(b=[1, 2])),
}


@kind
def literals_of_options(case: Case) -> None:
    """A list or dictionary is read as Python reads it, or refused."""
    case.use('print_py')
    text = case.rng.choice([*LITERALS])
    case.args += ['--cfg-options', f'optim_wrapper.extra={text}']
    case.note = text

    def same(case: Case, outcome: Outcome) -> str | None:
        values: dict[str, Any] = {}
        exec(outcome.out, values)
        found = values['optim_wrapper'].get('extra')
        return None if found == LITERALS[text] else f'{text} became {found!r}'

    case.check = same


@kind
def wrong_types_of_options(case: Case) -> None:
    """Known keys are given values of a type that they cannot have."""
    case.use('train')
    given = case.rng.choice(
        [
            *(
                'train_dataloader.batch_size=0',
                'train_dataloader.batch_size=-1',
                'model.width=four',
            ),
            *('train_dataloader.batch_size=x', 'train_dataloader.num_workers=-1'),
            *('train_dataloader.num_workers=x', 'train_cfg.max_iters=x', 'train_cfg.max_iters=-5'),
            *('optim_wrapper.optimizer.lr=x', 'optim_wrapper.optimizer.lr=-1', 'model=7'),
            *(
                'default_hooks=7',
                'default_hooks.checkpoint=7',
                'default_hooks.checkpoint.interval=x',
            ),
            *('param_scheduler.0.milestones=x', 'param_scheduler.7.gamma=1', 'randomness.seed=x'),
            *('train_dataloader.dataset.clip.num_frames=0', 'train_dataloader.dataset=x'),
            *('train_dataloader.dataset.clip=x', 'train_dataloader.dataset.pipeline=x'),
            *('model.head.num_classes=x', 'model.data_preprocessor.mean=x'),
            *('train_dataloader.dataset.ann_file=7', 'train_dataloader.dataset.data_root=7'),
            *('train_cfg.val_interval=x', 'log_level=x', 'default_hooks.logger.interval=x'),
            *('train_dataloader.sampler=7', 'load_from=absent.pth', 'load_from=data', 'model.x=1'),
        ]
    )
    case.args.append(given)
    case.note, case.expect = given, Expect.REFUSED


@kind
def weights_by_address(case: Case) -> None:
    """Schemes of addresses: a payload in a cache of downloads, servers that are not there."""
    case.use(case.rng.choice(('train', 'train', 'demo_toy', 'test')))
    packed = pickle.dumps(dict(state_dict={}, evil=Payload(case.witness)))
    caches = ('torch/hub/checkpoints', 'torch/checkpoints', 'mmengine', 'mmvseg', 'openmmlab')
    names = ('resnet50_caffe.pth', 'resnet50_msra-5891d200.pth', 'vgg11.pth', 'x.pth')
    names += ('resnet50_msra-5ebac35c.pth', 'vgg11_batch256_imagenet_20210208-4271cd6c.pth')
    for cache in caches:
        folder = case.folder / 'cache' / cache
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).write_bytes(packed)
    address = case.rng.choice(
        [
            *('openmmlab://detectron2/resnet50_caffe', 'open-mmlab://detectron2/resnet50_caffe'),
            *('mmcls://vgg11', 'mmcls://vgg11'),
            *('openmmlab://detectron2/resnet50_caffe', 'open-mmlab://detectron2/resnet50_caffe'),
            *('mmcls://vgg11', 'openmmlab://nothing', 'torchvision://resnet50', 'pavi://x/y.pth'),
            *(
                's3://a/x.pth',
                'petrel://a/x.pth',
                'modelzoo://resnet50',
                'jhu://resnet50',
                'nothing://x',
            ),
            *(
                'http://127.0.0.1:9/x.pth',
                'https://127.0.0.1:9/x.pth',
                'file://x.pth',
                'ftp://127.0.0.1:9/x',
            ),
            *(
                'mmdet://x',
                'local:x',
                'http://',
                'http:///x',
                'openmmlab://',
                '://',
                'http://[/x.pth',
            ),
        ]
    )
    inits = "model.head.init_cfg={'type':'Pretrained','checkpoint':'" + address + "'}"
    given = case.rng.choice((f'load_from={address}', inits)) if case.name == 'train' else inits
    if '--cfg-options' not in case.args:
        case.args.append('--cfg-options')
    case.args.append(given)
    case.note = given
    case.outputs = ()
    if case.name == 'train':
        case.expect = Expect.REFUSED


def cache_environment(case: Case) -> None:
    """Point the caches of downloads into the case's folder; called in the fork."""
    cache = str(case.folder / 'cache')
    os.environ.update(XDG_CACHE_HOME=cache, TORCH_HOME=f'{cache}/torch', HOME=cache)
    for name in ('MMENGINE_HOME', 'OPENMMLAB_HOME'):
        os.environ[name] = f'{cache}/mmengine'
    torch.hub.set_dir(f'{cache}/torch/hub')
