"""Reading files of VIPSeg's form: what breaks it has the same words for all who read it."""

import numpy as np
import pytest
from panoptic_files import edit_json, listed, write_truth

from mmvseg.datasets import VIPSegDataset
from mmvseg.errors import UserError, printable
from mmvseg.formats.dataset_checker import check_dataset
from mmvseg.formats.problems import Level
from mmvseg.formats.vipseg import has_annotations, read_categories, read_vipseg


@pytest.fixture
def folder(tmp_path):
    """Ground truth of two videos of two frames."""
    ids = np.array([[1, 1, 2], [0, 2, 2]])
    frames = [(ids, listed(ids, {1: 0, 2: 7}))] * 2
    write_truth(tmp_path / 'gt', dict(a=frames, b=frames))
    return tmp_path


def frame_of(content, video=1, frame=1):
    return content['annotations'][video]['annotations'][frame]


def image_of(content, video=1, frame=1):
    return content['videos'][video]['images'][frame]


@pytest.mark.parametrize(
    ('edit', 'message'),
    [
        (lambda c: c.update(annotations=5), 'annotations: is not a list'),
        (lambda c: c['videos'][1].update(images=5), 'video b, images: is not a list'),
        (
            lambda c: image_of(c).update(height=[4]),
            'video b, frame 1, images[1].height: [4] is not a number of pixels from 1 to 65535',
        ),
        (lambda c: image_of(c).update(file_name=7), 'images[1].file_name: 7 is not the name of a'),
        (
            lambda c: frame_of(c)['segments_info'][0].update(id=2**70),
            f'segment {2**70}, segments_info[0].id: {2**70} is not an integer from 1 to 16777215',
        ),
        (
            lambda c: image_of(c).update(file_name='a\0.jpg'),
            r"video b, frame 1, file_name: 'a\x00.jpg' is a name that no file can have",
        ),
        *(
            (
                lambda c, name=name: image_of(c).update(file_name=name),
                f'video b, frame 1, file_name: {name!r} leaves the folder of the frames',
            )
            for name in ('../secret/0.png', '/etc/0.png', 'x/../../0.png', 'C:/0.png')
        ),
        (
            lambda c: frame_of(c).update(file_name='../a/0001.png'),
            "video b, frame 1, file_name: '../a/0001.png' leaves the folder of the frames",
        ),
        (lambda c: c['videos'][1].update(video_id='..'), "video_id: '..' leaves the folder"),
        (
            lambda c: c['videos'][1].update(video_id='\x1b[31m/..'),
            r"video \x1b[31m/.., video_id: '\x1b[31m/..' leaves the folder",
        ),
        (lambda c: c['videos'][1].update(video_id='a'), 'video a, video_id: duplicate video id'),
        (lambda c: c['videos'].pop(), 'video b, annotations[1]: no such video'),
        (
            lambda c: image_of(c).update(file_name='0000.png'),
            "video b, frame 1, file_name: '0000.png' names two frames of the video",
        ),
        (
            lambda c: frame_of(c)['segments_info'][0].update(area=-1),
            'segments_info[0].area: -1 is not a number of at least 0',
        ),
    ],
)
def test_a_fault_has_the_same_words_for_all(folder, edit, message):
    path = folder / 'gt/panoptic_gt_val.json'
    edit_json(path, edit)
    faults = [str(p) for p in check_dataset(path, None) if p.level is Level.FAULT]
    assert faults[0].startswith(f'{path}: ')
    assert message in printable(faults[0])
    dataset = VIPSegDataset(
        ann_file=str(path), data_prefix=dict(img=str(folder), mask=str(folder)), lazy_init=True
    )
    for read in (dataset.load_data_list, lambda: read_vipseg(path, folder)):
        with pytest.raises(UserError) as caught:
            read()
        assert str(caught.value).startswith(faults[0])


def test_other_encodings_and_nesting(folder):
    path = folder / 'gt/panoptic_gt_val.json'
    text = path.read_text()
    for encoding in ('utf-8-sig', 'utf-16'):
        path.write_text(text, encoding=encoding)
        assert len(read_vipseg(path, folder).videos) == 2
    for field in ('videos', 'info'):
        path.write_text(f'{{"{field}": {"[" * 100_000 + "]" * 100_000}, {text[1:]}')
        for read in (read_vipseg, has_annotations, read_categories):
            with pytest.raises(UserError, match=r'gt_val\.json: not valid json .nested too deep'):
                read(path)


def test_video_ids_may_be_numbers(folder):
    path = folder / 'gt/panoptic_gt_val.json'
    for name in ('videos', 'annotations'):
        edit_json(path, lambda content, name=name: content[name][1].update(video_id=12))
    assert [*read_vipseg(path).videos] == ['a', '12']
    edit_json(path, lambda content: content['videos'][0].update(video_id='12'))
    with pytest.raises(UserError, match='video 12, video_id: duplicate video id'):
        read_vipseg(path)


def test_maps_are_named_like_the_annotation_with_png(folder):
    path = folder / 'gt/panoptic_gt_val.json'
    (folder / 'gt/panomasksRGB/b/x').mkdir()
    edit_json(path, lambda content: frame_of(content).update(file_name='x/0001.jpg'))
    video = read_vipseg(path, 'masks').videos['b']
    masks = [frame.mask.as_posix() for frame in video.frames]
    assert masks == ['masks/b/0000.png', 'masks/b/x/0001.png']
    assert video.frame_paths('frames')[1] == 'frames/b/0001.jpg'
