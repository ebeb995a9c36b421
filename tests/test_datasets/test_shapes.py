import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from mmvseg.datasets.shapes import (
    STUFF_CLASSES,
    THING_CLASSES,
    ShapesOptions,
    ShapesRequest,
    ShapesWorld,
    write_shapes,
)
from mmvseg.datasets.shapes.writer import _Statistics
from mmvseg.errors import UserError

TINY = ShapesRequest(ShapesOptions(height=32, width=40, length=3), train=1, val=1)


def all_files(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob('*') if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_same_arguments_same_files(tmp_path):
    for name in 'ab':
        write_shapes(tmp_path / name, TINY)
    assert all_files(tmp_path / 'a') == all_files(tmp_path / 'b')
    write_shapes(tmp_path / 'c', replace(TINY, seed=1))
    first, other = (all_files(tmp_path / name) for name in 'ac')
    frame = 'train/JPEGImages/shapes_00000/00000.jpg'
    assert first[frame] != other[frame]


def test_splits_and_videos_differ():
    options = ShapesOptions(length=1)
    images = [ShapesWorld(options, seed).render(0).image for seed in ([0, 0, 0], [0, 0, 1], [0, 1])]
    assert not np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])


def test_masks_are_the_painted_pixels():
    world = ShapesWorld(ShapesOptions(length=10), seed=[4])
    for t in (0, 5, 9):
        frame = world.render(t)
        front = np.full(frame.instances.shape, -1)
        for index, mask in enumerate(frame.full_masks):
            front[mask] = index
        assert np.array_equal(front, frame.instances)
        assert frame.stuff.max() < len(STUFF_CLASSES)
    # Without its objects the same world shows its background where they were, and only there.
    bare = ShapesWorld(ShapesOptions(length=10), seed=[4])
    bare.objects = []
    changed = (bare.render(9).image != world.render(9).image).any(axis=-1)
    assert not changed[frame.instances < 0].any()
    assert changed[frame.instances >= 0].mean() > 0.95


def test_frames_may_be_drawn_in_any_order():
    world = ShapesWorld(ShapesOptions(length=4), seed=[1])
    forwards = [world.render(t).image for t in range(4)]
    backwards = [world.render(t).image for t in reversed(range(4))][::-1]
    assert np.array_equal(forwards, backwards)


@pytest.mark.parametrize('length', [1, 2, 50])
def test_any_length(length):
    world = ShapesWorld(ShapesOptions(length=length, difficulty=1), seed=[2])
    assert world.render(length - 1).full_masks.shape[0] == len(world.labels)


def test_annotations_match_frames(shapes_dir):
    content = json.loads((shapes_dir / 'val.json').read_text())
    assert [c['name'] for c in content['categories']] == list(THING_CLASSES)
    for annotation in content['annotations']:
        video = content['videos'][annotation['video_id'] - 1]
        rows = zip(
            annotation['segmentations'], annotation['bboxes'], annotation['areas'], strict=True
        )
        for segmentation, box, area in rows:
            assert (segmentation is None) == (box is None) == (area is None)
            if segmentation is not None:
                assert coco_mask.area(segmentation) == area > 0
                assert coco_mask.toBbox(segmentation).tolist() == box
        assert len(annotation['areas']) == video['length'] == 6
    image = cv2.imread(str(shapes_dir / 'val/JPEGImages' / content['videos'][0]['file_names'][0]))
    assert image.shape == (48, 64, 3)


def test_class_maps_match_annotations(shapes_dir):
    content = json.loads((shapes_dir / 'val.json').read_text())
    stuff = json.loads((shapes_dir / 'val_stuff.json').read_text())
    kinds = {category['id']: category['isthing'] for category in stuff['categories']}
    assert len(kinds) == len(THING_CLASSES) + len(STUFF_CLASSES)
    for t, name in enumerate(content['videos'][0]['file_names']):
        path = shapes_dir / 'val/class_maps' / Path(name).with_suffix('.png')
        classes = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        expected = np.zeros(classes.shape, int)
        for annotation in content['annotations']:
            code = annotation['segmentations'][t] if annotation['video_id'] == 1 else None
            if code is not None:
                expected[coco_mask.decode(code) == 1] = annotation['category_id']
        is_thing = np.vectorize(kinds.get)(classes) == 1
        assert np.array_equal(np.where(is_thing, classes, 0), expected)


def test_difficulty_shows_in_the_statistics(tmp_path):
    results = {}
    for difficulty in (0.0, 1.0):
        options = ShapesOptions(height=32, width=40, difficulty=difficulty)
        request = ShapesRequest(options, train=15, val=0)
        results[difficulty] = write_shapes(tmp_path / str(difficulty), request)['train']
    for key in ('instances', 'crossings', 're_entries', 'mean_occlusion'):
        assert results[0.0][key] < results[1.0][key]
    assert results[1.0]['share_of_videos_with_full_occlusion'] > 0.25
    stats = json.loads((tmp_path / '1.0/stats.json').read_text())
    assert stats['complete']
    assert stats['splits']['train'] == results[1.0]


def test_statistics_of_a_staged_video():
    """Object 0 is crossed and hidden by object 1, shows again, leaves and comes back."""
    script = [(5, 20), (8, 10), (10, 10), (5, 20), (-9, 20), (5, 20)]
    statistics = _Statistics()
    statistics.begin(2)
    for small, large in script:
        full = np.zeros((2, 8, 40), bool)
        full[0, 2:6, max(small, 0) : max(small + 4, 0)] = True
        full[1, 1:7, large : large + 6] = True
        instances = np.where(full[1], 1, np.where(full[0], 0, -1))
        visible = np.array([(instances == index).sum() for index in range(2)])
        frame = type('Frame', (), dict(full_masks=full))
        statistics.add(frame, visible)
    summary = statistics.summary([])
    assert summary['frames'] == 6
    assert summary['crossings'] == 1
    assert summary['share_of_frames_with_full_occlusion'] == round(1 / 6, 4)
    assert summary['reappearances_after_full_occlusion'] == 1
    assert summary['re_entries'] == 1
    # Half of object 0 is hidden in one frame, all of it in another; it is inside in 5 of 6.
    assert summary['mean_occlusion'] == round(1.5 / 11, 4)


def test_finished_set_is_reused_and_others_refused(tmp_path):
    write_shapes(tmp_path / 'set', TINY)
    frame = tmp_path / 'set/train/JPEGImages/shapes_00000/00000.jpg'
    stamp = frame.stat().st_mtime_ns
    write_shapes(tmp_path / 'set', TINY)
    assert frame.stat().st_mtime_ns == stamp
    with pytest.raises(UserError, match='seed 0 instead of 5'):
        write_shapes(tmp_path / 'set', replace(TINY, seed=5))
    write_shapes(tmp_path / 'set', replace(TINY, seed=5, train=0), overwrite=True)
    assert not frame.exists()


def test_unfinished_set_is_made_anew(tmp_path):
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shapes(tmp_path / 'set', replace(TINY, seed=7), on_video=stop)
    write_shapes(tmp_path / 'set', TINY)
    write_shapes(tmp_path / 'fresh', TINY)
    assert all_files(tmp_path / 'set') == all_files(tmp_path / 'fresh')


def test_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / 'train.json').write_text('{}')
    with pytest.raises(UserError, match='holds no Shapes set'):
        write_shapes(tmp_path, TINY)
    assert (tmp_path / 'train.json').read_text() == '{}'
