"""An index of tiny models, and a server that has files with the names of published ones."""

import io
import json
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import yaml
from file_server import Served, serve_hub
from helpers import REPOSITORY, reference_dir
from mmengine.config import Config

from mmvseg.commands.main import main
from mmvseg.model_index import find_entry, finding
from mmvseg.testing.parity import dvis_video, load_case, tevit_config

RUNTIME = REPOSITORY / 'configs/_base_/default_runtime.py'
#: Where the index says that the files are; a mirror leads to the server of the test.
HUB = 'https://hub.example'
CLASSES = ('person', 'car', 'dog', 'cat', 'bird')
DATA = """
_base_ = ['{runtime}']
test_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type='WindowSampler'),
    dataset=dict(type='YouTubeVISDataset', data_root='{root}', ann_file='videos.json',
                 data_prefix=dict(img='frames'), window_size=3, test_mode=True,
                 pipeline=[dict(type='LoadClip'), dict(type='ResizeClip', scale=(96, 64)),
                           dict(type='PackClip')]))
test_evaluator = dict(type='YouTubeVISMetric', ann_file='{root}/videos.json')
test_cfg = dict(type='VideoTestLoop')
"""
COLLECTION = {
    'Name': 'Toys',
    'Metadata': {'Architecture': ['small']},
    'Paper': {'Title': 'On Toys', 'URL': 'https://arxiv.org/abs/0000.00000'},
    'README': 'toys.md',
    'Weights License': {
        'Name': 'CC BY-NC 4.0',
        'Non-Commercial': True,
        'Note': 'For play alone.',
    },
}


def published(name, with_optimizer=True):
    """A checkpoint as the authors of a model write it, of a recorded case; its bytes."""
    weights = load_case(reference_dir() / name).weights
    content = dict(model=weights, iteration=np.int64(3))
    if with_optimizer:
        momentum = {key: torch.zeros_like(value) for key, value in weights.items()}
        content['optimizer'] = dict(state=momentum, param_groups=[])
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def write_index(root):
    """An index of toys in a folder; the path of ``model-index.yml``."""
    dvis = dvis_video.model_config(load_case(reference_dir() / 'dvis/dvis_offline_vis'))
    case = load_case(reference_dir() / 'tevit/tevit_predict_msgshift')
    tevit = tevit_config.model_config(case.config['model'], case.config['case']['T'])
    browser = {'Kind': 'browser', 'Shares': ['https://pan.baidu.com/s/1toy?pwd=toys']}
    direct = {'Weights': f'{HUB}/dvis/model_final.pth'}
    models = [
        _model(root, 'dvis_toy', dvis, direct),
        _model(root, 'tevit_toy', tevit, {'Weights': f'{HUB}/tevit/model_final.pth'}),
        _model(root, 'shared_toy', dvis, {'Weights File': browser}),
        _model(root, 'unpublished_toy', dvis, None),
        _model(root, 'image_toy', dvis, direct, task='image'),
    ]
    categories = [dict(id=index + 1, name=name) for index, name in enumerate(CLASSES)]
    (root / 'videos.json').write_text(
        json.dumps(dict(videos=[], annotations=[], categories=categories))
    )
    (root / 'toys.md').touch()
    meta = dict(Collections=[COLLECTION], Models=models)
    (root / 'metafile.yml').write_text(yaml.safe_dump(meta))
    path = root / 'model-index.yml'
    path.write_text('Import: [metafile.yml]')
    return path


def _model(root, name, model, weights, task='vis'):
    Config(dict(model=model)).dump(root / f'{name}.py')
    with open(root / f'{name}.py', 'a') as file:
        file.write(DATA.format(root=root, runtime=RUNTIME))
    page = {'Weights Page': 'https://github.com/toys/toys'} if weights else {}
    return {
        'Name': name,
        'In Collection': 'Toys',
        'Config': f'{name}.py',
        'Metadata': {
            'Task': task,
            'Backbone': 'Toy',
            'Queries': 10,
            'Parameters': 1 if 'tevit' in name else 2,
            'Training Data': ['Toys'],
            'Iterations': 1,
            'Batch Size': 1,
        },
        **(weights or {}),
        **page,
    }


@contextmanager
def toy_hub(root, monkeypatch):
    """The server of the toys' files, to which the index leads; the cache is in the folder, too."""
    root.mkdir()
    index = write_index(root)
    monkeypatch.setattr(finding, 'index_file', lambda: index)
    monkeypatch.setenv('MMVSEG_CACHE', str(root / 'cache'))
    files = {
        '/dvis/model_final.pth': Served(published('dvis/dvis_offline_vis'), tag='"1"'),
        '/tevit/model_final.pth': Served(published('tevit/tevit_predict_msgshift'), tag='"1"'),
    }
    with serve_hub(files) as hub:
        monkeypatch.setenv('MMVSEG_MIRROR', f'{HUB}={hub.address}')
        yield hub


def set_weights_file(index, name, **values):
    """Change what the index says of the file of a model; the entry."""
    path = index.parent / 'metafile.yml'
    meta = yaml.safe_load(path.read_text())
    (model,) = (model for model in meta['Models'] if model['Name'] == name)
    model['Weights File'] = model.get('Weights File', {}) | values
    path.write_text(yaml.safe_dump(meta))
    finding._read.cache_clear()
    return find_entry(name)


def run_command(*args):
    """Exit status of ``mmvseg ARGS``, in this process."""
    with mock.patch('sys.argv', ['mmvseg', *map(str, args)]):
        try:
            main()
        except SystemExit as stop:
            return stop.code or 0
    return 0


def files_in(folder):
    """Names of the files below a folder, hidden ones, too."""
    return sorted(path.name for path in Path(folder).rglob('*') if path.is_file())
