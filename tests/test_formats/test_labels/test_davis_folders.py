"""DAVIS, YouTube-VOS, MOSE and SAM 2: where the masks are, what they mean, what is refused."""

import json
from functools import partial

import numpy as np
import pytest
import random_labels
from label_reading import shown
from PIL import Image
from random_labels import read_labels

from mmvseg.errors import UserError
from mmvseg.formats.labels.importers import recognise
from mmvseg.formats.labels.records import LabelClass
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.labels.sources import Source
from mmvseg.media.images import write_image

SIZE = 6, 8
#: Of a palette, in another order than its indices.
COLORS = [255 - n // 3 for n in range(768)]


def mask(path, *values, mode='P'):
    """A PNG with a row of each value, from the top."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = np.zeros(SIZE, bool if mode == '1' else np.uint8)
    for row, value in enumerate(values):
        ids[row] = value
    image = Image.fromarray(ids)
    if mode == 'P':
        image.putpalette(COLORS)
    image.convert(mode).save(path)


def masks(folder, count, *values, step=1, **more):
    for place in range(0, count * step, step):
        mask(folder / f'{place:05d}.png', *values, **more)


def pictures(folder, count, size=SIZE, step=1):
    folder.mkdir(parents=True, exist_ok=True)
    for place in range(0, count * step, step):
        write_image(folder / f'{place:05d}.jpg', np.zeros((*size, 3), np.uint8))


refused = partial(random_labels.refused, 'davis')


# ------------------------------------------------------------------------------ layouts


@pytest.mark.parametrize('resolution', ['', '480p', 'Full-Resolution', 'small'])
def test_folders_of_a_resolution(tmp_path, resolution):
    for name in 'ab':
        masks(tmp_path / 'Annotations' / resolution / name, 2, 1, 3)
        pictures(tmp_path / 'JPEGImages' / resolution / name, 3)
    classes, videos = read_labels('davis', tmp_path)
    assert classes == [LabelClass('object')]
    assert [video.name for video in videos] == ['a', 'b']
    for video in videos:
        assert shown(video) == {'1': ('object', [0, 1]), '3': ('object', [0, 1])}
        assert len(video.frames) == 3
        assert video.frames[2].picture.name.startswith('JPEGImages')


@pytest.mark.parametrize('resolution', ['480p', 'Full-Resolution'])
def test_a_resolution_without_pictures(tmp_path, resolution):
    masks(tmp_path / 'Annotations' / resolution / 'a', 2, 1)
    report = ImportReport()
    _, (video,) = read_labels('davis', tmp_path, report)
    assert (video.name, len(video.frames)) == ('a', 2)
    assert report.notes == ['where there are no pictures, the masks are taken to be the frames']


def test_of_several_resolutions_the_usual_one_is_read(tmp_path):
    masks(tmp_path / 'Annotations/1080p/a', 2, 1)
    masks(tmp_path / 'Annotations/480p/a', 2, 2)
    pictures(tmp_path / 'JPEGImages/480p/a', 2)
    report = ImportReport()
    _, (video,) = read_labels('davis', tmp_path, report)
    assert [*shown(video)] == ['2']
    assert report.notes == ['of Annotations/{480p,1080p}, 480p is read']


def test_masks_of_all_objects_are_better_than_those_of_some(tmp_path):
    masks(tmp_path / 'Annotations/480p/a', 2, 1)
    masks(tmp_path / 'Annotations_unsupervised/480p/a', 2, 1, 2)
    pictures(tmp_path / 'JPEGImages/480p/a', 2)
    _, (video,) = read_labels('davis', tmp_path)
    assert [*shown(video)] == ['1', '2']


def test_parts_of_a_set_are_read_together(tmp_path):
    for part in ('train', 'more'):
        masks(tmp_path / part / 'Annotations/0a', 2, 1)
        pictures(tmp_path / part / 'JPEGImages/0a', 2)
    _, videos = read_labels('davis', tmp_path)
    assert [(video.name, video.frames[0].picture.folder) for video in videos] == [
        ('0a', 'more/JPEGImages/0a'),
        ('0a', 'train/JPEGImages/0a'),
    ]


def test_lists_are_told(tmp_path):
    for name in ('a', 'b d', 'c'):
        masks(tmp_path / f'Annotations/480p/{name}', 2, 1)
        pictures(tmp_path / f'JPEGImages/480p/{name}', 2)
    lists = tmp_path / 'ImageSets/2017'
    lists.mkdir(parents=True)
    (lists / 'train.txt').write_text('a\nb d\n')
    (lists / 'all.txt').write_text('a\nb d\nc\n')
    (lists / 'test.txt').write_text('x\n')
    report = ImportReport()
    _, videos = read_labels('davis', tmp_path, report)
    assert len(videos) == 3
    assert report.notes == [
        'all 3 videos are read; ImageSets/2017/train.txt lists 2 of them: mmvseg data subset '
        '--videos takes these'
    ]


@pytest.mark.parametrize('nested', ['', 'Annotations', 'Annotations/480p'])
def test_a_folder_of_each_object(tmp_path, nested):
    """SAM 2 writes these for objects that overlap; all values but 0 are the object."""
    root = tmp_path / 'out'
    masks(root / nested / 'a/001', 3, 1, 1)
    masks(root / nested / 'a/002', 2, 255, mode='1')
    if nested:
        pictures(root / nested.replace('Annotations', 'JPEGImages') / 'a', 3)
    _, (video,) = read_labels('davis', root)
    assert video.name == 'a'
    assert shown(video) == {'001': ('object', [0, 1, 2]), '002': ('object', [0, 1])}


def test_videos_alone(tmp_path):
    """SAM 2 writes a folder of PNGs for each video."""
    for name in ('17', '4'):
        masks(tmp_path / f'out/{name}', 2, 1, 2)
        pictures(tmp_path / f'frames/{name}', 2)
    assert recognise(Source(tmp_path / 'out')) == 'davis'
    _, videos = read_labels('davis', tmp_path / 'out', frames=tmp_path / 'frames')
    assert [video.name for video in videos] == ['4', '17']
    assert [*shown(videos[0])] == ['1', '2']
    assert videos[0].frames[1].picture.name == '4/00001.jpg'


def test_a_single_folder_of_masks(tmp_path):
    masks(tmp_path / 'street', 2, 1)
    pictures(tmp_path / 'frames', 2)
    _, (video,) = read_labels('davis', tmp_path / 'street', frames=tmp_path / 'frames')
    assert (video.name, video.frames[0].picture.name) == ('street', '00000.jpg')


def test_pascal_annotations_are_none(tmp_path):
    (tmp_path / 'Annotations').mkdir()
    (tmp_path / 'Annotations/a.xml').write_text('<annotation/>')
    with pytest.raises(UserError, match='of no known format'):
        recognise(Source(tmp_path))
    with pytest.raises(UserError, match='no PNGs in Annotations/<video> or <video>'):
        read_labels('davis', tmp_path)


# ------------------------------------------------------------------------------- values


@pytest.mark.parametrize('mode', ['P', 'L'])
def test_the_index_counts_and_255_is_void(tmp_path, mode):
    masks(tmp_path / 'Annotations/a', 2, 2, 255, 200, mode=mode)
    pictures(tmp_path / 'JPEGImages/a', 2)
    report = ImportReport()
    _, (video,) = read_labels('davis', tmp_path, report)
    assert shown(video) == {'2': ('object', [0, 1]), '200': ('object', [0, 1])}
    assert report.ignored == {'void region (value 255)': 2}


def test_colours_are_refused(tmp_path):
    masks(tmp_path / 'Annotations/a', 2, 1)
    mask(tmp_path / 'Annotations/a/00001.png', 1, mode='RGB')
    pictures(tmp_path / 'JPEGImages/a', 2)
    (video,) = refused(tmp_path, 'video a, frame 1: .*00001.png: .* one channel.*this is RGB')
    assert shown(video) == {'1': ('object', [0])}


def test_a_single_object_that_is_written_as_void(tmp_path):
    """DAVIS 2016 has 255 for its one object."""
    masks(tmp_path / 'Annotations/a', 2, 255)
    pictures(tmp_path / 'JPEGImages/a', 2)
    refused(tmp_path, r'00000.png: video a: the only value is 255, which is void')


def test_masks_of_another_size(tmp_path):
    masks(tmp_path / 'Annotations/a', 2, 1)
    pictures(tmp_path / 'JPEGImages/a', 2, size=(6, 9))
    with pytest.raises(UserError, match=r'frame 0: .*00000.png: 8x6 pixels, .* have 9x6'):
        read_labels('davis', tmp_path)


def test_a_mask_without_a_picture(tmp_path):
    masks(tmp_path / 'Annotations/a', 3, 1)
    pictures(tmp_path / 'JPEGImages/a', 2)
    (video,) = refused(tmp_path, r'00002.png: video a: there is no picture of this frame')
    assert len(video.frames) == 2


def test_a_broken_mask(tmp_path):
    masks(tmp_path / 'Annotations/a', 2, 1)
    (tmp_path / 'Annotations/a/00001.png').write_bytes(b'')
    pictures(tmp_path / 'JPEGImages/a', 2)
    refused(tmp_path, r'video a, frame 1: .*00001.png: not a readable image')


# --------------------------------------------------------------------- annotated frames


def test_a_missing_png_is_a_frame_without_objects(tmp_path):
    masks(tmp_path / 'Annotations/a', 2, 1)
    pictures(tmp_path / 'JPEGImages/a', 3)
    _, (video,) = read_labels('davis', tmp_path)
    assert (len(video.frames), shown(video)) == (3, {'1': ('object', [0, 1])})
    _, (video,) = read_labels('davis', tmp_path, annotated_only=True)
    assert (len(video.frames), shown(video)) == (2, {'1': ('object', [0, 1])})


def test_videos_without_masks_are_left_out_which_is_said(tmp_path):
    masks(tmp_path / 'Annotations/480p/a', 2, 1)
    for name in ('a', 'b'):
        pictures(tmp_path / f'JPEGImages/480p/{name}', 2)
    report = ImportReport()
    _, videos = read_labels('davis', tmp_path, report)
    assert [video.name for video in videos] == ['a']
    (note,) = report.notes
    assert note.endswith('left out, as they have no masks: 1 video of JPEGImages/480p (b)')


@pytest.mark.parametrize(('annotated', 'step', 'count'), [(1, 1, 2), (1, 1, 20), (3, 5, 15)])
def test_sets_that_annotate_some_frames_alone_are_refused(tmp_path, annotated, step, count):
    """The first frame of validation sets; every fifth of all frames."""
    masks(tmp_path / 'Annotations/a', annotated, 1, step=step)
    pictures(tmp_path / 'JPEGImages/a', count)
    message = (
        f'video a: there are masks of {annotated} of {count} frames, as in validation sets, .*'
        'give --annotated-only'
    )
    assert refused(tmp_path, message) == []
    _, (video,) = read_labels('davis', tmp_path, annotated_only=True)
    assert [frame.name for frame in video.frames] == [
        f'{place:05d}.jpg' for place in range(0, annotated * step, step)
    ]


@pytest.mark.parametrize('places', [[0, 1], [5, 6], [0, 3, 4], [4]])
def test_frames_without_masks_among_those_with_some_are_empty(tmp_path, places):
    for place in places:
        mask(tmp_path / f'Annotations/a/{place:05d}.png', 1)
    pictures(tmp_path / 'JPEGImages/a', 12)
    _, (video,) = read_labels('davis', tmp_path)
    assert len(video.frames) == 12
    assert shown(video) == {'1': ('object', places)}


def test_a_first_frame_without_pictures_is_refused(tmp_path):
    mask(tmp_path / 'Annotations/480p/a/00000.png', 1)
    refused(tmp_path, 'masks of 1 of 1 frame, as in validation sets')


def test_a_picture_alone_is_a_video(tmp_path):
    mask(tmp_path / 'Annotations/480p/a/00000.png', 1)
    pictures(tmp_path / 'JPEGImages/480p/a', 1)
    _, (video,) = read_labels('davis', tmp_path)
    assert len(video.frames) == 1


# ---------------------------------------------------------------------------- meta.json


def with_meta(root, objects, content=None):
    masks(root / 'train/Annotations/a', 2, 1, 255, 3)
    pictures(root / 'train/JPEGImages/a', 2)
    videos = dict(videos=dict(a=dict(objects=objects)))
    text = json.dumps(videos if content is None else content)
    (root / 'train/meta.json').write_text(text)


def category(name):
    return dict(category=name, frames=['00000'])


def test_classes_of_youtube_vos(tmp_path):
    objects = {'1': category('giant panda'), '3': category('Fu\u0308r'), '255': category('dog')}
    with_meta(tmp_path, objects)
    report = ImportReport()
    classes, (video,) = read_labels('davis', tmp_path, report)
    assert [c.name for c in classes] == ['giant panda', 'F\u00fcr', 'dog']
    assert shown(video) == {
        '1': ('giant panda', [0, 1]),
        '3': ('F\u00fcr', [0, 1]),
        '255': ('dog', [0, 1]),
    }
    assert not report.ignored
    assert not report.notes


@pytest.mark.parametrize('resolution', ['', '480p'])
def test_names_of_videos_may_have_folders(tmp_path, resolution):
    classes = {'1': dict(category='car')}
    content = {name: dict(objects=classes) for name in ('a/x', 'a/y', 'b')}
    (tmp_path / 'meta.json').write_text(json.dumps(dict(videos=content)))
    for name in content:
        masks(tmp_path / 'Annotations' / resolution / name, 2, 1)
        pictures(tmp_path / 'JPEGImages' / resolution / name, 2)
    _, videos = read_labels('davis', tmp_path)
    assert [video.name for video in videos] == ['a/x', 'a/y', 'b']
    assert all(video.frames[0].picture and shown(video) for video in videos)


def test_an_object_that_is_in_no_mask(tmp_path):
    with_meta(tmp_path, {'1': category('dog'), '3': category('cat'), '7': category('emu')})
    report = ImportReport()
    classes, _ = read_labels('davis', tmp_path, report)
    assert [c.name for c in classes] == ['dog', 'cat', 'emu']
    assert report.notes == ['video a: object 7 of meta.json is in no mask']


def test_an_object_that_is_not_in_meta(tmp_path):
    with_meta(tmp_path, {'1': category('dog')})
    with pytest.raises(UserError, match=r'00000.png: video a, track 3, frame 0: the object is not'):
        read_labels('davis', tmp_path)
    report = ImportReport(skip_bad=True)
    _, (video,) = read_labels('davis', tmp_path, report)
    assert shown(video) == {'1': ('dog', [0, 1])}
    assert len(report.left_out) == 2


def test_a_video_that_is_not_in_meta(tmp_path):
    with_meta(tmp_path, {}, dict(videos=dict(b=dict(objects={'1': category('dog')}))))
    assert refused(tmp_path, 'Annotations/a: video a: the video is not in meta.json') == []


@pytest.mark.parametrize('objects', [[1, 3], ['1', '3'], {'1': {}, '3': {}}])
def test_objects_without_classes(tmp_path, objects):
    """MOSE lists numbers."""
    with_meta(tmp_path, objects)
    classes, (video,) = read_labels('davis', tmp_path)
    assert classes == [LabelClass('object')]
    assert shown(video) == {'1': ('object', [0, 1]), '3': ('object', [0, 1])}


@pytest.mark.parametrize(
    'content',
    [
        [],
        {},
        {'videos': []},
        {'videos': {'a': {}}},
        {'videos': {'a': {'objects': {'x': category('dog')}}}},
        {'videos': {'a': {'objects': {'1': category(7)}}}},
    ],
)
def test_meta_of_another_form(tmp_path, content):
    with_meta(tmp_path, {}, content)
    with pytest.raises(UserError, match=r'meta.json: must have "videos"'):
        read_labels('davis', tmp_path)
