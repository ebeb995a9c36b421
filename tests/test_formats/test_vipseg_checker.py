import copy
import json

import cv2
import numpy as np
import pytest
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.formats.dataset_checker import check_dataset


def segment(segment_id, category_id, area, box):
    return dict(id=segment_id, category_id=category_id, iscrowd=0, area=area, bbox=box)


@pytest.fixture(scope='module')
def sound(tmp_path_factory):
    """Two videos of two frames, 20 x 30: floor left (200 pixels), a cup and void right."""
    root = tmp_path_factory.mktemp('vipseg')
    rgb = np.zeros((20, 30, 3), np.uint8)
    rgb[:, :10, 0] = 9
    rgb[4:8, 20:25] = (1, 2, 3)
    segments = [
        segment(9, 13, 200, [0, 0, 10, 20]),
        segment(1 + 2 * 256 + 3 * 65536, 40, 20, [20, 4, 5, 4]),
    ]
    videos, annotations = [], []
    for video in ('a', 'b'):
        images, frames = [], []
        for t in range(2):
            for folder, name in (('images', f'{t}.jpg'), ('panomasksRGB', f'{t}.png')):
                path = root / folder / video / name
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(rgb).save(path)
            images.append(dict(id=f'{t}', width=30, height=20, file_name=f'{t}.jpg'))
            info = copy.deepcopy(segments)
            frames.append(dict(image_id=f'{t}', file_name=f'{t}.png', segments_info=info))
        videos.append(dict(video_id=video, images=images))
        annotations.append(dict(video_id=video, annotations=frames))
    categories = [
        dict(id=40, name='cup', isthing=1, color=[1, 2, 3]),
        dict(id=13, name='floor', isthing=0, color=[3, 2, 1]),
    ]
    return root, dict(videos=videos, annotations=annotations, categories=categories)


@pytest.fixture
def find(sound, tmp_path):
    """Problems of a content with the sound pictures, or with ``pictures`` of a test's own."""
    root = sound[0]

    def _find(content, pictures=root, frames=True):
        ann_file = tmp_path / 'gt.json'
        ann_file.write_text(json.dumps(content))
        found = check_dataset(ann_file, pictures / 'images' if frames else None)
        return [str(p).removeprefix(f'{ann_file}: ') for p in found if not p.is_note]

    return _find


@pytest.fixture
def content(sound):
    return copy.deepcopy(sound[1])


def at(content, *path):
    for key in path:
        content = content[key]
    return content


def test_sound_data_has_no_problems(find, content, sound, tmp_path):
    assert find(content) == []
    ann_file = tmp_path / 'gt.json'
    steps = []
    other = tmp_path / 'masks'
    other.symlink_to(sound[0] / 'panomasksRGB')
    found = check_dataset(
        ann_file, sound[0] / 'images', steps.append, lambda: steps.append('step'), other
    )
    assert list(found) == []
    assert steps == [2, 'step', 'step']


def test_annotations_may_be_absent(content, tmp_path, sound):
    ann_file = tmp_path / 'gt.json'
    for absent in (None, [], ...):
        content['annotations'] = absent
        if absent is ...:
            del content['annotations']
        ann_file.write_text(json.dumps(content))
        (note,) = check_dataset(ann_file, sound[0] / 'images')
        assert note.is_note
        assert 'has no annotations' in str(note)


FRAME = ('annotations', 0, 'annotations', 1)
INFO = (*FRAME, 'segments_info')
CUP = 1 + 2 * 256 + 3 * 65536


@pytest.mark.parametrize(
    ('path', 'value', 'expected'),
    [
        (('categories', 0, 'isthing'), 2, 'categories[0].isthing: 2 is not 0 or 1'),
        (('categories', 0, 'color'), [1, 2, 300], 'categories[0].color: [1, 2, 300] is not'),
        (('categories', 1, 'id'), 40, 'categories[1]: duplicate id 40'),
        (('videos', 1), 5, 'videos[1]: 5 is not an object'),
        (('videos', 1, 'video_id'), 'a', 'video a, video_id: duplicate video id'),
        (('videos', 1, 'video_id'), 1.5, 'videos[1].video_id: 1.5 is not the name of a folder or'),
        (('videos', 1, 'video_id'), 'c', 'video b, annotations[1]: no such video'),
        (('videos', 1, 'video_id'), 'c', 'video c, annotations: has none'),
        (('videos', 0, 'images'), [], 'video a, images: is empty'),
        (('videos', 0, 'images'), 'ab', 'video a, images: is not a list'),
        (('videos', 0, 'images', 1), {}, 'video a, frame 1, images[1]: missing id, height, width'),
        (('videos', 0, 'images', 1, 'id'), '0', "video a, frame 1, id: '0' names two frames"),
        (('videos', 0, 'images', 1, 'file_name'), '0.jpg', "file_name: '0.jpg' names two frames"),
        (
            ('videos', 0, 'images', 1, 'file_name'),
            None,
            'images[1].file_name: None is not the name',
        ),
        (
            ('videos', 0, 'images', 1, 'width'),
            '30',
            "frame 1, images[1].width: '30' is not a number",
        ),
        (('videos', 0, 'images', 1, 'width'), 31, '20 x 31, but the frames before are 20 x 30'),
        (('videos', 0, 'images', 1, 'width'), 31, 'frame: 30x20 pixels, the json says 31x20'),
        (
            ('videos', 0, 'images', 1, 'width'),
            31,
            'mask: 30x20 pixels, the frames of the video have 31x20',
        ),
        (('annotations', 1), [], 'annotations[1]: [] is not an object'),
        (('annotations', 1, 'video_id'), 'a', 'annotations[1]: the video is annotated twice'),
        (('annotations', 1, 'annotations'), 3, 'video b, annotations: is not a list'),
        (
            ('annotations', 0, 'annotations'),
            [],
            'annotations: 0 entries, but the video has 2 frames',
        ),
        (FRAME, {}, 'video a, frame 1, annotations[1]: missing file_name, segments_info'),
        ((*FRAME, 'image_id'), '7', "frame 1, image_id: '7', but the image in this place is '1'"),
        ((*FRAME, 'file_name'), '0.png', "frame 1, file_name: '0.png', but the image"),
        ((*FRAME, 'file_name'), 4, 'frame 1, annotations[1].file_name: 4 is not the'),
        (INFO, {}, 'frame 1, segments_info: is not a list'),
        ((*INFO, 0), {}, 'segments_info[0]: missing id, category_id, iscrowd, area'),
        ((*INFO, 0, 'id'), 0, 'segment 0, segments_info[0].id: 0 is not an integer from 1'),
        ((*INFO, 0, 'id'), 2**24, 'segments_info[0].id: 16777216 is not an integer from 1'),
        ((*INFO, 0, 'id'), CUP, f'frame 1, segment {CUP}, id: listed twice'),
        ((*INFO, 0, 'category_id'), '13', "segments_info[0].category_id: '13' is not"),
        ((*INFO, 0, 'category_id'), 14, 'segment 9, category_id: unknown category 14'),
        ((*INFO, 0, 'category_id'), 40, 'segment 9, category_id: 40, but 13 in earlier frames'),
        ((*INFO, 1, 'category_id'), 13, f'segment {CUP}, id: stuff class 13 has the id 9 too'),
        ((*INFO, 0, 'iscrowd'), 3, 'segments_info[0].iscrowd: 3 is not 0 or 1'),
        ((*INFO, 0, 'iscrowd'), 1, 'segment 9, iscrowd: 1, but 0 in earlier frames'),
        ((*INFO, 0, 'isthing'), 1, 'segment 9, isthing: 1, but 0 in category 13'),
        ((*INFO, 0, 'area'), -1, 'segments_info[0].area: -1 is not a number of at least 0'),
        ((*INFO, 0, 'area'), 199, 'segment 9, area: 199, but the mask has 200 (the official VPQ'),
        ((*INFO, 0, 'bbox'), [0, 0, 1], 'segments_info[0].bbox: [0, 0, 1] is not [x, y, '),
        ((*INFO, 0, 'bbox'), [2, 0, 8, 20], 'bbox: [2, 0, 8, 20], but in the mask it is [0, 0, 10'),
        ((*INFO, 0, 'id'), 8, 'segment 8, segments_info: no pixel of '),
        ((*INFO, 0, 'id'), 8, '1.png: video a, frame 1, mask: ids that the json does not list: 9 '),
    ],
)
def test_each_rule(find, content, path, value, expected):
    at(content, *path[:-1])[path[-1]] = value
    found = find(content)
    assert any(expected in problem for problem in found), found


def test_boxes_one_pixel_short_pass(find, content):
    for video in content['annotations']:
        for frame in video['annotations']:
            frame['segments_info'][0]['bbox'] = [0, 0, 9, 19]
    assert find(content) == []


def test_a_further_id_of_stuff_is_told_once_a_video(find, content):
    for video in content['annotations']:
        for frame in video['annotations']:
            frame['segments_info'][1]['category_id'] = 13
    assert len(find(content)) == 2


def test_each_picture(find, content, sound, tmp_path):
    for folder in ('images', 'panomasksRGB'):
        for path in (sound[0] / folder).rglob('*.*'):
            copied = tmp_path / path.relative_to(sound[0])
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_bytes(path.read_bytes())
    a, b = (tmp_path / 'panomasksRGB' / video for video in 'ab')
    (tmp_path / 'images/a/0.jpg').unlink()
    (tmp_path / 'images/a/1.jpg').write_bytes(b'\xff\xd8nothing')
    (a / '0.png').unlink()
    (a / '1.png').write_bytes((a / '1.png').read_bytes()[:70])
    grey = cv2.imread(str(b / '0.png'), cv2.IMREAD_GRAYSCALE)
    cv2.imwrite(str(b / '0.png'), grey)
    (b / '1.png').write_text('{}')
    found = find(content, tmp_path)
    assert found[0] == f'{tmp_path}/images/a/0.jpg: video a, frame 0, frame: missing file'
    assert (
        found[1] == f'{a}/0.png: video a, frame 0, mask: cannot be read (No such file or directory)'
    )
    assert 'truncated JPEG' in found[2]
    assert '1.png: video a, frame 1, mask: not a readable image' in found[3]
    assert found[4].endswith('three 8-bit channels (RGB), this is grey 8 bit')
    assert '1.png: video b, frame 1, mask: not a readable image (not a PNG' in found[5]
    assert len(found) == 6
    assert find(content, tmp_path, frames=False) == []


@pytest.mark.parametrize('bits', ['palette', 'rgba', '16'])
def test_other_pngs(find, content, sound, tmp_path, bits):
    for folder in ('images', 'panomasksRGB'):
        (tmp_path / folder).symlink_to(sound[0] / folder)
    path = tmp_path / 'masks' / 'a' / '0.png'
    path.parent.mkdir(parents=True)
    rgb = np.asarray(Image.open(sound[0] / 'panomasksRGB/a/0.png'))
    if bits == '16':
        cv2.imwrite(str(path), rgb.astype(np.uint16))
    else:
        Image.fromarray(rgb).convert(dict(palette='P', rgba='RGBA')[bits]).save(path)
    ann_file = tmp_path / 'gt.json'
    ann_file.write_text(json.dumps(content))
    found = check_dataset(ann_file, tmp_path / 'images', masks=tmp_path / 'masks')
    assert any(str(path) in str(p) and 'three 8-bit channels (RGB)' in p.rule for p in found)


def places(content, path=()):
    """Paths of all values within a content."""
    entries = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in entries:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


WRONG = dict(
    null=None, true=True, large=10**400, inf=1e400, minus=-1, nul='x\0', long='x' * 5000, list=[[]]
)


@pytest.mark.parametrize('value', WRONG.values(), ids=WRONG)
def test_wrong_values_anywhere_are_told_without_a_traceback(content, tmp_path, sound, value):
    content['videos'], content['annotations'] = content['videos'][:1], content['annotations'][:1]
    images, masks = sound[0] / 'images', sound[0] / 'panomasksRGB'
    for path in list(places(content)):
        broken = copy.deepcopy(content)
        at(broken, *path[:-1])[path[-1]] = value
        ann_file = tmp_path / 'gt.json'
        ann_file.write_text(json.dumps(broken))
        try:
            found = list(check_dataset(ann_file, images, masks=masks))
        except UserError:
            continue
        # any text can be a name, both lists may be absent, and boxes may be a pixel off
        legal = dict(name=str, color=type(None), bbox=type(None), isthing=bool)
        legal = legal.get(path[-1], type(None) if path[-1] == 'image_id' else None)
        assert found or type(value) is legal or (value == -1 and 'bbox' in path), path


def test_files_without_lists(content, tmp_path):
    ann_file = tmp_path / 'gt.json'
    ann_file.write_text(json.dumps(content | dict(categories='text')))
    with pytest.raises(
        UserError,
        match=r'gt\.json: .*not a VIPSeg file .Expected `array`, got `str` - at `.*categories',
    ):
        list(check_dataset(ann_file, None))
    ann_file.write_text(json.dumps(content | dict(annotations='text')))
    assert 'annotations: is not a list' in str(next(check_dataset(ann_file, None)))
