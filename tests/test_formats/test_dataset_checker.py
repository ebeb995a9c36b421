import json

import cv2
import numpy as np
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
    assert '60x40 pixels, the json says 60x41' in found[3]
    assert problems_of(ann_file, frames=False) == []


@pytest.mark.parametrize('dtype', [np.uint16, np.float32])
def test_frames_of_more_than_8_bits(content, write, tmp_path, dtype):
    ann_file = write(content)
    names = content['videos'][0]['file_names']
    for name in names:
        values = np.full((40, 60), 3000, dtype)
        done, data = cv2.imencode('.tif', values)  # told from a JPEG by its content
        assert done
        (tmp_path / 'frames' / name).write_bytes(data)
    found = [str(problem) for problem in check_dataset(ann_file, tmp_path / 'frames')]
    if dtype == np.uint16:
        assert found == [
            f'note: {ann_file}: frame: {len(names)} frames of 16 bits, with values up to 3000, '
            'divided by 256, which leaves them dark; value_range=(0, 4095) of the first step of '
            'the pipelines (LoadClip or its like) makes them bright'
        ]
    else:
        assert len(found) == len(names)
        assert 'holds float32 values' in found[0]


def test_all_problems_are_listed(content, write):
    content['annotations'][0]['category_id'] = 9
    content['annotations'][1]['areas'][0] = -3
    content['annotations'][2].update(bboxes=[[1, 2], 'x', None], iscrowd='0')  # several in one
    content['annotations'][3]['id'] = 100
    content['videos'][0]['length'] = 5
    assert [problem.partition(': ')[2] for problem in problems_of(write(content))] == [
        'video 10, length: 5, but there are 4 file_names',
        'video 10, annotation 100, category_id: unknown category 9; the object is left out',
        'video 10, annotation 101, frame 0, areas: -3 is not above 0; training goes by the mask, '
        'which has 120',
        'video 11, annotation 102, frame 0, bboxes: [1, 2] is not [x, y, width, height] or null',
        "video 11, annotation 102, frame 1, bboxes: 'x' is not [x, y, width, height] or null",
        "video 11, annotation 102, iscrowd: '0' is not 0 or 1",
        'video 11, annotation 100, id: duplicate annotation id',
    ]


def test_lists_of_classes_that_contradict_the_file(content, write):
    content['videos'][0] |= dict(neg_category_ids=[7, 8], not_exhaustive_category_ids=[3, 9])
    content['videos'][1] |= dict(neg_category_ids=[], not_exhaustive_category_ids=[7])
    assert [found.partition('json: ')[2] for found in problems_of(write(content), False)] == [
        'video 10, neg_category_ids: unknown categories 8',
        'video 10, not_exhaustive_category_ids: unknown categories 9',
        'video 10, annotation 100, category_id: category 7 is said to be absent from the video',
    ]


def test_objects_of_first_frames_alone_are_noted(content, write):
    for annotation in content['annotations']:
        for key in ('segmentations', 'bboxes', 'areas'):
            annotation[key][1:] = [None] * (len(annotation[key]) - 1)
    (note,) = check_dataset(write(content), None)
    assert note.is_note
    assert 'annotations: all lie in the first frames of their videos, so nothing' in str(note)
    content['annotations'][3]['segmentations'][0] = None
    content['annotations'][3]['segmentations'][1] = content['annotations'][2]['segmentations'][0]
    assert not any(
        'first frames' in str(problem) for problem in check_dataset(write(content), None)
    )


def test_other_files(tmp_path):
    path = tmp_path / 'x.json'
    path.write_text('[]')
    with pytest.raises(UserError, match='not a YouTube-VIS file'):
        list(check_dataset(path, None))
