import json

import pytest

from mmvseg.errors import UserError
from mmvseg.formats.dataset_checker import check_dataset


def problems_of(ann_file, frames=True):
    found = check_dataset(ann_file, ann_file.parent / 'frames' if frames else None)
    return [str(problem) for problem in found if not problem.is_note]


def test_sound_data_has_no_problems(content, write, shapes_dir):
    steps = []
    ann_file = write(content)
    found = check_dataset(
        ann_file, ann_file.parent / 'frames', steps.append, lambda: steps.append('step')
    )
    assert list(found) == []
    assert steps == [6] + ['step'] * 6
    assert list(check_dataset(shapes_dir / 'val.json', shapes_dir / 'val/JPEGImages')) == []


def set_(*path):
    """A change of the content: the last entry of ``path`` is the new value."""
    *keys, last, value = path

    def change(content):
        place = content
        for key in keys:
            place = place[key]
        if value is ...:
            del place[last]
        else:
            place[last] = value

    return change


FIRST = ('annotations', 0)
PLACE = 'video 10, annotation 100,'


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        (set_('categories', 0, 'id', 3), 'categories[1]: duplicate id 3'),
        (set_('categories', 1, 'name', 'cup'), "categories[1]: duplicate name 'cup'"),
        (set_('categories', 0, {}), 'categories[0]: needs an id and a name'),
        (set_('categories', 0, 'name', [1]), 'categories[0]: id is not an integer or name'),
        (set_('videos', 0, 'id', 11), 'video 11, id: duplicate video id'),
        (set_('videos', 0, 'id', 'x'), "videos[0].id: 'x' is not an integer"),
        (set_('videos', 0, 'width', ...), 'videos[0]: missing width'),
        (set_('videos', 0, 'height', 0), 'video 10, height: 0 is not a number of pixels'),
        (set_('videos', 0, 'length', 9), 'video 10, length: 9, but there are 4 file_names'),
        (set_('videos', 0, 'file_names', []), 'video 10, file_names: is empty'),
        (set_('videos', 0, 'file_names', 'abcd'), 'video 10, file_names: is not a list'),
        (set_('videos', 0, 'file_names', ['a', 'a', 'b', 'c']), 'names a frame twice'),
        (set_(*FIRST, 'id', 101), 'video 10, annotation 101, id: duplicate annotation id'),
        (set_(*FIRST, 'id', 0), 'annotation 0, id: 0 is read as "unmatched"'),
        (set_(*FIRST, 'id', None), 'id: None is not an integer'),
        (set_(*FIRST, 'video_id', 77), 'video 77, annotation 100, video_id: no such video'),
        (set_(*FIRST, 'video_id', [1]), 'video_id: [1] is not an integer'),
        (set_(*FIRST, 'category_id', 9), f'{PLACE} category_id: unknown category 9'),
        (set_(*FIRST, 'iscrowd', 2), f'{PLACE} iscrowd: 2 is neither'),
        (set_(*FIRST, 'iscrowd', ...), f'{PLACE} annotations[0]: missing iscrowd'),
        (set_('annotations', 0, 'text'), 'annotations[0]: missing id'),
        (set_(*FIRST, 'areas', [1]), f'{PLACE} areas: 1 entries, the video has 4 frames'),
        (set_(*FIRST, 'bboxes', None), f'{PLACE} bboxes: NoneType entries'),
        (set_(*FIRST, 'segmentations', [None] * 4), 'the object is absent in every frame'),
        (set_(*FIRST, 'bboxes', 1, None), f'{PLACE} frame 1, bboxes: null although segm'),
        (set_(*FIRST, 'segmentations', 2, 'size', [60, 40]), 'frame 2, segmentations: RLE size'),
        (set_(*FIRST, 'segmentations', 2, 'counts', '12'), 'RLE runs do not add up'),
        (set_(*FIRST, 'segmentations', 2, 'counts', 'zz'), 'RLE counts'),
        (set_(*FIRST, 'segmentations', 2, 'counts', [1]), 'RLE counts add up to 1'),
        (set_(*FIRST, 'segmentations', 2, [[1, 2, 3, 4]]), 'at least 6 coordinates'),
        (set_(*FIRST, 'bboxes', 3, [50, 1, 20, 5]), 'frame 3, bboxes: box [50, 1, 20, 5] reaches'),
        (set_(*FIRST, 'bboxes', 3, [5, 1, 0, 5]), 'has no extent'),
        (set_(*FIRST, 'bboxes', 3, [5, 1, 4]), 'is not [x, y, width, height]'),
        (set_(*FIRST, 'bboxes', 3, [5, 1, 4, float('nan')]), 'is not [x, y, width, height]'),
        (set_(*FIRST, 'areas', 3, 0), 'frame 3, areas: 0 is not a number above 0'),
        (set_(*FIRST, 'areas', 3, 'big'), "areas: 'big' is not a number"),
    ],
)
def test_each_rule(content, write, change, expected):
    ann_file = write(content)
    change(content)
    ann_file.write_text(json.dumps(content))
    found = problems_of(ann_file, frames=False)
    assert any(expected in problem for problem in found), found
    assert all(problem.startswith(str(ann_file)) for problem in found)


def test_each_frame(content, write, tmp_path):
    ann_file = write(content)
    frames = tmp_path / 'frames/video_0'
    (frames / '00000.jpg').unlink()
    (frames / '00001.jpg').write_bytes((frames / '00001.jpg').read_bytes()[:300])
    (frames / '00002.jpg').write_bytes(b'')
    content['videos'][1]['height'] = 41
    content['annotations'] = None
    ann_file.write_text(json.dumps(content))
    found = problems_of(ann_file)
    assert len(found) == 6
    assert found[0] == f'{frames}/00000.jpg: video 10, frame 0, frame: missing file'
    assert 'truncated' in found[1]
    assert 'not a readable image' in found[2]
    assert '40 x 60 pixels, the json says 41 x 60' in found[3]
    assert problems_of(ann_file, frames=False) == []


def test_all_problems_are_listed(content, write):
    content['annotations'][0]['category_id'] = 9
    content['annotations'][1]['areas'][0] = -3
    content['annotations'][3]['id'] = 100
    content['videos'][0]['length'] = 5
    ann_file = write(content)
    assert len(problems_of(ann_file)) == 4


def test_other_files(tmp_path):
    path = tmp_path / 'x.json'
    path.write_text('[]')
    with pytest.raises(UserError, match='not a YouTube-VIS file'):
        list(check_dataset(path, None))
