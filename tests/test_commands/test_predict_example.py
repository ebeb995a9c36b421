"""mmvseg predict --example: the model and the clip that ship with the package."""

import hashlib
import importlib.util
import json
from unittest import mock

import numpy as np
import pytest
from helpers import REPOSITORY
from mmengine.logging import MMLogger

from mmvseg.apis import VideoSegInferencer
from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.commands.main import main
from mmvseg.datasets.shapes import THING_CLASSES, ShapesWorld
from mmvseg.engine.config import load_config
from mmvseg.errors import UserError
from mmvseg.examples import CHECKPOINT, CLIP, CONFIG, shown_checkpoint
from mmvseg.hub import find_checkpoint, find_model
from mmvseg.media import open_source


def run(*argv):
    """Exit status of a command line."""
    with mock.patch('sys.argv', ['mmvseg', *map(str, argv)]), pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


@pytest.fixture(scope='module')
def found(tmp_path_factory):
    """What is written from any folder."""
    folder = tmp_path_factory.mktemp('anywhere')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert run('predict', '--example', '--device', 'cpu', '--json', 'found.json') == 0
    return folder


def test_drawn_without_arguments(found):
    assert len(list(open_source(str(found / 'work_dirs/demo/shapes.mp4')))) == 48


def test_all_objects_of_the_clip_are_found_and_no_others(found):
    tracks = json.loads((found / 'found.json').read_text())
    world = ShapesWorld(_clip_tool().OPTIONS, _clip_tool().SEED)
    there = sorted(THING_CLASSES[label] for label in world.labels)
    assert sorted(track['category'] for track in tracks) == there
    assert min(track['score'] for track in tracks) > 0.8


def test_files_are_small_and_named_by_their_content():
    assert CHECKPOINT.stat().st_size < 6e6
    assert CLIP.stat().st_size < 4e5
    digest = hashlib.sha256(CHECKPOINT.read_bytes()).hexdigest()
    assert CHECKPOINT.stem.endswith(f'-{digest[:8]}')
    assert {path.suffix for path in CLIP.parent.iterdir() if path.is_file()} == {
        *('.py', '.mp4', '.safetensors')
    }


def test_checkpoint_tells_what_it_is_and_fills_the_model():
    meta = load_checkpoint_file(CHECKPOINT)['meta']
    assert meta['license'] == 'Apache-2.0'
    assert meta['dataset_meta']['classes'] == list(THING_CLASSES)
    noted = {}
    exec(meta['cfg'], noted)
    assert noted['model'] == load_config(CONFIG).model.to_dict()
    inferencer = VideoSegInferencer(CONFIG, CHECKPOINT, 'cpu')
    assert inferencer.classes == THING_CLASSES
    assert all(weight.dtype.itemsize == 4 for weight in inferencer.model.parameters())


def test_trained_on_videos_that_nothing_is_tested_on():
    config = load_config(CONFIG)
    assert config.train_dataloader.dataset.data_root == 'data/shapes_example/'
    text = (REPOSITORY / f'configs/shapes/{CONFIG}.py').read_text()
    assert '--out data/shapes_example --seed 1 ' in text  # the quickstart's have the seed 0
    assert _clip_tool().SEED[1] not in (0, 1)  # splits of data sets


def test_quickstart_starts_from_parts_of_it_and_its_own_random_weights():
    config = load_config('minvis_shapes_quickstart')
    assert config.load_from == 'example://minvis_shapes'
    assert config.load_parts == ['backbone', 'panoptic_head.pixel_decoder']
    assert config.model == load_config(CONFIG).model
    assert config.randomness.seed != load_checkpoint_file(CHECKPOINT)['meta']['seed']


def test_clip_can_be_made_again():
    tool = _clip_tool()
    world = ShapesWorld(tool.OPTIONS, tool.SEED)
    shown = open_source(str(CLIP))
    assert shown.fps == tool.FPS
    for index, _, image in shown:
        difference = image.astype(int) - world.render(index).image
        assert np.abs(difference).mean() < 6
    assert index + 1 == tool.OPTIONS.length


def test_its_name_does_wherever_a_checkpoint_is_asked_for():
    assert find_checkpoint('example://minvis_shapes') == CHECKPOINT
    config, checkpoint = find_model('example://minvis_shapes')
    assert checkpoint == CHECKPOINT
    assert config.model == load_config(CONFIG).model
    with pytest.raises(UserError, match='there is example://minvis_shapes only'):
        find_model('example://other')


def test_messages_call_it_by_its_name():
    with mock.patch.object(MMLogger.get_current_instance(), 'info') as log:
        VideoSegInferencer('example://minvis_shapes', device='cpu')
    assert log.call_args.args == ('example://minvis_shapes: all 298 tensors loaded',)
    assert shown_checkpoint('work/iter_1.pth') == 'work/iter_1.pth'


def test_other_input_is_refused(capsys):
    for arguments in (
        ['a.mp4'],
        ['--model', 'dvis_online_r50_ytvis19'],
        ['a.mp4', 'a.py', 'a.pth'],
    ):
        assert run('predict', '--example', *arguments) == 2
        assert '--example brings its own video and model' in capsys.readouterr().err


def test_arguments_are_needed_without_it(capsys):
    for arguments in ([], ['--model', 'dvis_online_r50_ytvis19']):
        assert run('predict', *arguments) == 2
        assert 'give INPUT, or --example' in capsys.readouterr().err


def _clip_tool():
    path = REPOSITORY / 'tools/misc/example_clip.py'
    spec = importlib.util.spec_from_file_location('example_clip', path)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool
