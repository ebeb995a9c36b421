"""SA-V: run-length codes of every fourth frame, or a folder of PNGs an object."""

import json
import shutil
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import random_labels
from PIL import Image
from random_labels import meaning, pixels, read_labels

from mmvseg.apis.import_labels import ImportRequest, import_labels
from mmvseg.errors import UserError
from mmvseg.formats.labels.importers import importer, recognise
from mmvseg.formats.labels.outlines import encode
from mmvseg.formats.labels.records import LabelClass
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.labels.sources import Source
from mmvseg.media.images import read_image, write_image
from mmvseg.media.video_writer import VideoWriter

SIZE = 6, 8


def code(*rows, size=SIZE):
    mask = np.zeros(size, bool)
    mask[list(rows)] = True
    return dict(size=[float(side) for side in size], counts=encode(mask)['counts'].decode())


def masklets(path, *frames, **more):
    """A file as those of SA-V, which have floats for numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = dict(
        video_id=path.stem,
        video_frame_count=float(4 * len(frames) - 3),
        video_height=float(SIZE[0]),
        video_width=float(SIZE[1]),
        masklet=frames,
        masklet_id=[float(n) for n in range(len(frames[0]))],
    )
    path.write_text(json.dumps(content | more))


def pictures(folder, *numbers, name='{:05d}.jpg'):
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        write_image(folder / name.format(number), np.full((*SIZE, 3), number, np.uint8))


def shown(video):
    """The frames that each object is in."""
    return {
        labelled.track: [i for i, rle in enumerate(labelled.rles) if rle]
        for labelled in video.objects
    }


refused = partial(random_labels.refused, 'sam')


# ------------------------------------------------------------------------- json files


def test_a_mask_without_a_pixel_is_an_absent_object(tmp_path):
    masklets(tmp_path / 'sav_1_manual.json', [code(0, 1), code()], [code(), code(0)])
    classes, (video,) = read_labels('sam', tmp_path)
    assert classes == [LabelClass('object')]
    assert (video.name, video.height, video.width) == ('sav_1', *SIZE)
    assert [frame.name for frame in video.frames] == ['00000.jpg', '00004.jpg']
    assert shown(video) == {'0': [0], '1': [1]}
    assert np.frombuffer(pixels(video.objects[0].rles[0]), np.uint8).sum() == 16


def test_ids_and_forms_of_codes(tmp_path):
    """Objects may overlap; null is an absent one; codes may be lists."""
    runs = dict(size=[6, 8], counts=[0, 1, 47])
    masklets(tmp_path / 'a_manual.json', [code(0), runs], [None, runs], masklet_id=[3.0, 7])
    _, (video,) = read_labels('sam', tmp_path)
    assert shown(video) == {'3': [0], '7': [0, 1]}
    masklets(tmp_path / 'a_manual.json', [code(0), runs], masklet_id=None)
    _, (video,) = read_labels('sam', tmp_path)
    assert shown(video) == {'0': [0], '1': [0]}


def test_masks_of_people_are_better_than_automatic_ones(tmp_path):
    masklets(tmp_path / 'a_manual.json', [code(0)])
    masklets(tmp_path / 'a_auto.json', [code(0), code(1)])
    masklets(tmp_path / 'b_auto.json', [code(0), code(1)])
    assert recognise(Source(tmp_path)) == 'sam'
    report = ImportReport()
    _, (a, b) = read_labels('sam', tmp_path, report)
    assert (a.name, len(a.objects), b.name, len(b.objects)) == ('a', 1, 'b', 2)
    assert len(report.notes) == 1
    assert report.notes[0].startswith('of 1 video, the manual masklets are read')
    _, (auto,) = read_labels('sam', tmp_path / 'a_auto.json')
    assert (auto.name, len(auto.objects)) == ('a', 2)


@pytest.mark.parametrize(
    ('numbers', 'name', 'expected'),
    [
        ((0, 4, 8), '{:05d}.jpg', (0, 4, 8)),
        (range(9), '{:05d}.jpg', (0, 4, 8)),
        (range(11), 'frame_{:d}.jpg', (0, 4, 8)),
        ((1, 2, 3), '{:05d}.jpg', (1, 2, 3)),  # those with masks, in an order of their own
        (range(1, 11), '{:05d}.jpg', (1, 5, 9)),
    ],
)
def test_which_pictures_have_masks(tmp_path, numbers, name, expected):
    masklets(tmp_path / 'a_manual.json', [code(0)], [code(1)], [code(2)])
    pictures(tmp_path / 'a', *numbers, name=name)
    _, (video,) = read_labels('sam', tmp_path)
    assert [frame.picture.base for frame in video.frames] == [name.format(n) for n in expected]


def test_too_few_pictures(tmp_path):
    masklets(tmp_path / 'a_manual.json', [code(0)], [code(1)], [code(2)])
    pictures(tmp_path / 'a', 0, 4, 5, 6)
    assert refused(tmp_path, 'video a: .*there are 4 pictures, and masks of 3 frames') == []


def write_video(path, length):
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, Fraction(24)) as writer:
        for place in range(length):
            writer.write(np.full((*SIZE, 3), 20 * place, np.uint8))


def test_every_fourth_frame_of_the_video_file_is_taken(tmp_path):
    root = tmp_path / 'sav_train'
    masklets(root / 'a_manual.json', [code(0)], [code(1)], [code(2)])
    write_video(root / 'a.mp4', 10)
    imported = import_labels(ImportRequest(root, tmp_path / 'out'))
    assert (imported.format, imported.frames, imported.pictures) == ('sam', 3, 3)
    frames = sorted((tmp_path / 'out/frames/a').iterdir())
    assert [path.name for path in frames] == ['00000.jpg', '00004.jpg', '00008.jpg']
    assert np.allclose([read_image(path).mean() for path in frames], [0, 80, 160], atol=4)


def test_a_video_at_the_rate_of_the_masks(tmp_path):
    masklets(tmp_path / 'a_manual.json', [code(0)], [code(1)], [code(2)])
    write_video(tmp_path / 'a.mp4', 8)
    refused(tmp_path, r'a.mp4: has 8 frames, masks are of every fourth up to 8')


@pytest.mark.parametrize(
    ('broken', 'message'),
    [
        ([code(0)], r'a_manual.json: video a, frame 1: 1 mask of 2 objects'),
        (
            [code(0), dict(size=[6, 8], counts='04')],
            'video a, track 1, frame 1: the run-length code covers 4 pixels',
        ),
        (
            [code(0), dict(size=[6, 8], counts='\u00e4')],
            'track 1, frame 1: the run-length code has a character that is not ASCII',
        ),
        (
            [code(0), dict(size=[6, 8], counts=[1, 2])],
            'track 1, frame 1: the runs must be non-negative integers',
        ),
        (
            [code(0), code(1, size=(6, 9))],
            'track 1, frame 1: a mask of 6 x 9, the frames have 6 x 8',
        ),
    ],
)
def test_broken_codes(tmp_path, broken, message):
    masklets(tmp_path / 'a_manual.json', [code(0), code(1)], broken)
    (video,) = refused(tmp_path, message)
    assert shown(video) == {'0': [0, 1] if len(broken) == 2 else [0], '1': [0]}


def test_videos_of_one_name_in_two_folders(tmp_path):
    for folder, row in (('one', 0), ('two', 1)):
        masklets(tmp_path / folder / 'a_manual.json', [code(row)])
        pictures(tmp_path / folder / 'a', 0)
    _, videos = read_labels('sam', tmp_path)
    assert [video.frames[0].picture.name for video in videos] == [
        'one/a/00000.jpg',
        'two/a/00000.jpg',
    ]
    assert meaning(videos[0]) != meaning(videos[1])


def test_two_objects_of_one_id(tmp_path):
    masklets(tmp_path / 'a_manual.json', [code(0), code(1)], masklet_id=[3.0, 3.0])
    assert refused(tmp_path, 'video a, track 3: two objects have this masklet_id') == []


def test_an_object_that_is_nowhere(tmp_path):
    masklets(tmp_path / 'a_manual.json', [code(0), code()])
    (video,) = refused(tmp_path, 'video a, track 1: has no mask in any frame')
    assert shown(video) == {'0': [0]}


@pytest.mark.parametrize('text', ['{', '{"video_id": "a"}', '{"video_height": "x", "masklet": []}'])
def test_files_of_another_form(tmp_path, text):
    (tmp_path / 'a_manual.json').write_text(text)
    masklets(tmp_path / 'b_manual.json', [code(0)])
    (video,) = refused(tmp_path, r'video a: .*a_manual.json: ')
    assert video.name == 'b'


def test_nothing_of_the_kind(tmp_path):
    (tmp_path / 'a.json').write_text('{}')
    with pytest.raises(UserError, match='no PNGs in Annotations_6fps'):
        read_labels('sam', tmp_path)


def test_files_that_are_called_alike_are_none_of_sam(tmp_path):
    (tmp_path / 'a_auto.json').write_text('{"images": []}')
    assert not importer('sam').recognises(Source(tmp_path))


# ---------------------------------------------------------------------------- folders


def mask(path, *rows, value=1, type_=np.uint8):
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = np.zeros(SIZE, type_)
    ids[list(rows)] = value
    Image.fromarray(ids).save(path)


def test_a_folder_of_each_object(tmp_path):
    """Frames are those with a mask of any object; a mask may be missing or empty."""
    root = tmp_path / 'Annotations_6fps/a'
    mask(root / '000/00000.png', 0)
    mask(root / '000/00004.png')
    mask(root / '000/00008.png', 0, 1, value=255)
    mask(root / '002/00004.png', 0, type_=bool)
    pictures(tmp_path / 'JPEGImages_24fps/a', *range(12))
    assert recognise(Source(tmp_path)) == 'sam'
    classes, (video,) = read_labels('sam', tmp_path)
    assert (classes, video.name) == ([LabelClass('object')], 'a')
    assert [frame.picture.base for frame in video.frames] == ['00000.jpg', '00004.jpg', '00008.jpg']
    assert shown(video) == {'000': [0, 2], '002': [1]}


def test_folders_without_pictures(tmp_path):
    for number in (0, 4, 8):
        mask(tmp_path / f'Annotations_6fps/a/000/{number:05d}.png', 0)
    _, (video,) = read_labels('sam', tmp_path)
    assert [frame.name for frame in video.frames] == ['00000.png', '00004.png', '00008.png']


def test_a_mask_of_a_frame_that_is_not_there(tmp_path):
    for number in (0, 4, 8):
        mask(tmp_path / f'Annotations_6fps/a/000/{number:05d}.png', 0)
    pictures(tmp_path / 'JPEGImages_24fps/a', *range(8))
    (video,) = refused(tmp_path, r'000/00008.png: video a: there is no picture of this frame')
    assert len(video.frames) == 2


def test_masks_of_another_size(tmp_path):
    mask(tmp_path / 'Annotations_6fps/a/000/00000.png', 0)
    pictures(tmp_path / 'JPEGImages_24fps/a', 0)
    write_image(tmp_path / 'JPEGImages_24fps/a/00000.jpg', np.zeros((5, 5, 3), np.uint8))
    with pytest.raises(UserError, match=r'video a, track 000, frame 0: .*8x6 pixels, .* 5x5'):
        read_labels('sam', tmp_path)
    shutil.rmtree(tmp_path / 'JPEGImages_24fps')
    _, (video,) = read_labels('sam', tmp_path)
    assert shown(video) == {'000': [0]}
