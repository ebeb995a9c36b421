"""The inferencer with panoptic and semantic models, and what it knows of classes."""

import json

import numpy as np
import pytest
from map_squares import META, SEGMENTS, write_map_checkpoint, write_map_config
from squares import write_checkpoint, write_config, write_frames

from mmvseg.apis import VideoSegInferencer
from mmvseg.datasets import Category
from mmvseg.datasets.metainfo import to_metainfo
from mmvseg.errors import UserError
from mmvseg.structures import VideoInstances, VideoPanoptic, VideoSemantic


@pytest.fixture
def folder(tmp_path):
    write_frames(tmp_path / 'frames')
    write_map_checkpoint(tmp_path / 'maps.pth')
    return tmp_path


def build(folder, task, live=False, **kwargs):
    path = write_map_config(folder / 'maps.py', task, live)
    return VideoSegInferencer(path, folder / 'maps.pth', 'cpu', **kwargs)


@pytest.mark.parametrize(('task', 'kind'), [('vps', VideoPanoptic), ('vss', VideoSemantic)])
def test_result_of_a_video_and_of_its_frames(folder, task, kind):
    inferencer = build(folder, task, live=True)
    assert inferencer.task == task
    sample = inferencer(folder / 'frames')
    assert sample.video_length == 7
    assert type(sample.pred) is kind
    assert len(sample.pred.maps) == 7
    pairs = list(inferencer.live(folder / 'frames'))
    assert [frame.index for frame, _ in pairs] == list(range(7))
    for frame, result in pairs:
        assert type(result) is kind
        np.testing.assert_array_equal(result.maps[0], sample.pred.maps[frame.index])
    if task == 'vps':
        assert sample.pred.segments == SEGMENTS


def test_classes_of_the_checkpoint_reach_the_model(folder):
    inferencer = build(folder, 'vps')
    assert inferencer.classes == META['classes']
    assert inferencer.category_ids == META['category_ids']
    assert inferencer.palette == META['palette']
    assert inferencer.num_things == inferencer.model.num_things == 2


def test_instances_are_all_things(folder):
    write_config(folder / 'squares.py')
    write_checkpoint(folder / 'squares.pth')
    inferencer = VideoSegInferencer(folder / 'squares.py', folder / 'squares.pth', 'cpu')
    assert (inferencer.task, inferencer.num_things) == ('vis', 3)
    assert type(inferencer(folder / 'frames').pred) is VideoInstances


@pytest.mark.parametrize('palette', [None, 'random', [(1, 2, 3)]])
def test_colours_of_a_checkpoint_without_usable_ones(folder, palette):
    write_map_checkpoint(folder / 'maps.pth', palette=palette)
    inferencer = build(folder, 'vps')
    assert len(set(inferencer.palette)) == 4
    assert (
        inferencer.palette
        == to_metainfo([Category(0, name) for name in META['classes']])['palette']
    )


def write_categories(folder, names):
    """A data set of these classes, the first two of things; returns its place in the config."""
    categories = [
        dict(id=i, name=name, isthing=int(i < 2), color=[9, 9, 10 + i])
        for i, name in enumerate(names)
    ]
    (folder / 'categories.json').write_text(json.dumps(categories))
    return {'test_dataloader.dataset.ann_file': str(folder / 'val.txt')}


def test_what_the_checkpoint_leaves_out_comes_from_the_data(folder):
    write_map_checkpoint(folder / 'maps.pth', palette=None, thing_classes=None)
    options = write_categories(folder, META['classes'])
    inferencer = build(folder, 'vps', cfg_options=options)
    assert inferencer.palette == tuple((9, 9, 10 + i) for i in range(4))
    assert inferencer.num_things == 2


def test_data_of_other_classes_say_nothing(folder):
    write_map_checkpoint(folder / 'maps.pth', palette=None, thing_classes=None)
    options = write_categories(folder, ['a', 'b', 'c', 'd'])
    with pytest.raises(UserError, match=r'maps\.pth does not say which of its classes are things'):
        build(folder, 'vps', cfg_options=options)
    inferencer = build(folder, 'vss', cfg_options=options)  # has no use for it
    assert inferencer.classes == META['classes']
    assert (9, 9, 10) not in inferencer.palette


def test_data_in_another_order_are_asked_by_name(folder):
    unsaid = dict(palette=None, thing_classes=None, category_ids=None)
    write_map_checkpoint(folder / 'maps.pth', **unsaid)
    options = write_categories(folder, ['green', 'red', 'floor', 'wall'])
    inferencer = build(folder, 'vps', cfg_options=options)
    assert inferencer.classes == META['classes']
    assert inferencer.category_ids == (1, 0, 3, 2)
    assert inferencer.palette == tuple((9, 9, 10 + i) for i in (1, 0, 3, 2))
    assert inferencer.num_things == 2
