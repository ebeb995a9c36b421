"""labelme: what its shapes cover, which shapes are one object, and where pictures are found."""

import base64
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from label_reading import box_mask, masks_of, objects_of, picture, read_labels
from PIL import Image

from mmvseg.apis.import_labels import ImportRequest, import_labels
from mmvseg.errors import UserError
from mmvseg.formats.labels.importers import recognise
from mmvseg.formats.labels.sources import Source

SIZE = 20, 30
SQUARE = [[4, 5], [9, 5], [9, 8], [4, 8]]


def shape(points=SQUARE, label='cup', group_id=1, kind='polygon', **more):
    return dict(label=label, points=points, group_id=group_id, shape_type=kind, flags={}, **more)


def write(folder, stem, shapes, with_picture=True, **more):
    """A json and its picture."""
    folder.mkdir(parents=True, exist_ok=True)
    if with_picture:
        picture(folder / f'{stem}.png', SIZE)
    page = dict(
        version='6.3.1',
        flags={},
        shapes=shapes,
        imagePath=f'{stem}.png',
        imageData=None,
        imageHeight=SIZE[0],
        imageWidth=SIZE[1],
    )
    (folder / f'{stem}.json').write_text(json.dumps(page | more))


def mask_of(tmp_path, *shapes):
    """The mask of the only object of some shapes."""
    write(tmp_path / 'clip', '0', shapes)
    (video,) = read_labels('labelme', tmp_path / 'clip').videos.values()
    (labelled,) = video.objects
    return masks_of(labelled, video)[0]


def png(mask):
    data = io.BytesIO()
    Image.fromarray(mask).save(data, 'PNG')
    return base64.b64encode(data.getvalue()).decode()


def test_outlines_belong_to_polygons_and_rectangles(tmp_path):
    expected = box_mask(SIZE, 4, 5, 10, 9)
    assert (mask_of(tmp_path, shape()) == expected).all()
    assert (mask_of(tmp_path, shape([[9, 8], [4, 5]], kind='rectangle')) == expected).all()
    assert (mask_of(tmp_path, shape(kind='oriented_rectangle')) == expected).all()


def test_circle_has_a_centre_and_a_point_of_its_rim(tmp_path):
    mask = mask_of(tmp_path, shape([[12, 9], [12, 14]], kind='circle'))
    y, x = np.nonzero(mask)
    assert (x.min(), x.max(), y.min(), y.max()) == (7, 17, 4, 14)
    assert 0.95 < mask.sum() / (np.pi * 5.5**2) < 1.05


def test_corners_of_a_mask_are_its_first_and_last_pixel(tmp_path):
    inside = np.random.default_rng(0).random((4, 6)) > 0.5
    mask = mask_of(tmp_path, shape([[4, 5], [9, 8]], kind='mask', mask=png(inside)))
    assert (mask[5:9, 4:10] == inside).all()
    assert mask.sum() == inside.sum()


def test_shapes_of_a_label_and_a_group_are_one_object_over_the_frames(tmp_path):
    other = [[20, 1], [25, 1], [25, 3]]
    write(tmp_path / 'clip', '9', [shape(), shape(other), shape(label='dog')])
    write(tmp_path / 'clip', '10', [shape(group_id=0), shape(other, group_id=1)])
    video = read_labels('labelme', tmp_path).videos['clip']
    assert [frame.name for frame in video.frames] == ['9.png', '10.png']
    masks = objects_of(video)
    assert {*masks} == {'cup 1', 'dog 1', 'cup 0'}
    assert masks['cup 1'][0, 6, 6]
    assert masks['cup 1'][:, 1, 22].all()
    assert not masks['cup 1'][1, 6, 6]
    assert [labelled.label for labelled in video.objects] == ['cup', 'dog', 'cup']


def test_a_label_alone_tells_no_object_which_is_said(tmp_path):
    for stem in '12':
        write(tmp_path / 'clip', stem, [shape(group_id=None), shape(group_id=None)])
    read = read_labels('labelme', tmp_path)
    assert [sum(r is not None for r in o.rles) for o in read.videos['clip'].objects] == [1] * 4
    assert len({o.track for o in read.videos['clip'].objects}) == 4
    (note,) = read.report.notes
    assert 'without a group id' in note


def test_no_note_where_all_have_a_group(tmp_path):
    write(tmp_path / 'clip', '1', [shape(group_id=0)])
    assert read_labels('labelme', tmp_path).report.notes == []


def test_what_has_no_area_is_counted(tmp_path):
    lines = [shape([[1, 1]], kind='point'), shape([[1, 1], [5, 5]], kind='line')]
    lines += [shape([[1, 1], [5, 5], [7, 3]], kind='linestrip'), shape([[1, 1]], kind='point')]
    write(tmp_path / 'clip', '1', [*lines, shape()])
    read = read_labels('labelme', tmp_path)
    assert read.report.ignored == dict(point=2, line=1, linestrip=1)
    assert len(read.videos['clip'].objects) == 1


def test_old_files_have_fewer_fields(tmp_path):
    write(tmp_path / 'clip', '1', [dict(label='cup', points=SQUARE, group_id=3)])
    write(tmp_path / 'clip', '2', [shape(kind=None, group_id='3')], imageHeight=None)
    (labelled,) = read_labels('labelme', tmp_path).videos['clip'].objects
    assert all(labelled.rles)


def test_a_picture_without_a_json_is_a_frame_without_objects(tmp_path):
    write(tmp_path / 'clip', '1', [shape()])
    picture(tmp_path / 'clip/2.png', SIZE)
    video = read_labels('labelme', tmp_path).videos['clip']
    assert [frame.name for frame in video.frames] == ['1.png', '2.png']
    assert video.objects[0].rles[1] is None


def test_folders_are_videos_and_one_folder_is_one(tmp_path):
    write(tmp_path / 'all/day/street', '1', [shape()])
    write(tmp_path / 'all/road', '1', [shape()])
    assert [*read_labels('labelme', tmp_path / 'all').videos] == ['day/street', 'road']
    assert [*read_labels('labelme', tmp_path / 'all/road').videos] == ['road']


def test_a_folder_of_pictures_that_nobody_labelled_is_said(tmp_path):
    write(tmp_path / 'street', '1', [shape()])
    picture(tmp_path / 'new/1.png')
    read = read_labels('labelme', tmp_path)
    assert [*read.videos] == ['street']
    assert '1 folder with pictures and without json files' in read.report.notes[0]
    assert '(new)' in read.report.notes[0]


def test_a_json_of_something_else_is_passed_over(tmp_path):
    write(tmp_path / 'street', '1', [shape()])
    (tmp_path / 'street/classes.json').write_text('{"cup": 1}')
    read = read_labels('labelme', tmp_path)
    assert len(read.videos['street'].frames) == 1
    assert 'passed over' in read.report.notes[0]


@pytest.mark.parametrize('path', [r'..\images\1.png', '../images/1.png', 'C:\\old\\1.png'])
def test_the_picture_may_lie_in_another_folder(tmp_path, path):
    write(tmp_path / 'all/json', '1', [shape()], with_picture=False, imagePath=path)
    for number in (1, 2):
        picture(tmp_path / f'all/images/{number}.png', SIZE)
    frames = tmp_path / 'all/images' if 'old' in path else None
    video = read_labels('labelme', tmp_path / 'all', frames=frames).videos['json']
    assert [frame.name for frame in video.frames] == ['1.png', '2.png']
    assert all(frame.picture.path.is_file() for frame in video.frames)


def test_pictures_beside_the_json_are_no_frames_if_it_names_others(tmp_path):
    path = '../images/1.png'
    write(tmp_path / 'all/json', '1', [shape()], with_picture=False, imagePath=path)
    picture(tmp_path / 'all/json/preview.png', SIZE)
    picture(tmp_path / 'all/images/1.png', SIZE)
    (frame,) = read_labels('labelme', tmp_path / 'all').videos['json'].frames
    assert frame.picture.name == 'images/1.png'


def test_a_path_does_not_lead_out(tmp_path):
    write(tmp_path / 'all', '1', [shape()], with_picture=False, imagePath='../secret.png')
    picture(tmp_path / 'secret.png', SIZE)
    (frame,) = read_labels('labelme', tmp_path / 'all').videos['all'].frames
    assert frame.picture is None


def test_frames_that_are_given_are_found_by_name_or_stem(tmp_path):
    write(tmp_path / 'json/clip', '1', [shape()], with_picture=False, imagePath='x/1.png')
    write(tmp_path / 'json/clip', '2', [shape()], with_picture=False, imagePath='2.png')
    for name in ('1.png', '2.webp', '3.png'):
        picture(tmp_path / 'frames/clip' / name, SIZE)
    video = read_labels('labelme', tmp_path / 'json', frames=tmp_path / 'frames').videos['clip']
    assert [frame.name for frame in video.frames] == ['1.png', '2.webp', '3.png']
    assert [rle is not None for rle in video.objects[0].rles] == [True, True, False]


@pytest.mark.parametrize('as_archive', [False, True])
def test_the_picture_may_be_inside(tmp_path, as_archive):
    picture(tmp_path / 'kept.png', SIZE)
    content = (tmp_path / 'kept.png').read_bytes()
    data = base64.b64encode(content).decode()
    write(tmp_path / 'all/clip', '1', [shape()], with_picture=False, imageData=data)
    source = tmp_path / 'all'
    if as_archive:
        source = Path(shutil.make_archive(str(tmp_path / 'packed'), 'zip', source))
    import_labels(ImportRequest(source=source, out=tmp_path / 'out', format='labelme'))
    assert (tmp_path / 'out/frames/clip/1.png').read_bytes() == content


def test_labels_are_of_the_picture_as_it_is_seen(tmp_path):
    write(tmp_path / 'clip', '1', [shape()], imagePath='1.jpg', with_picture=False)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera lay on its side
    Image.new('RGB', SIZE).save(tmp_path / 'clip/1.jpg', exif=exif)
    import_labels(ImportRequest(source=tmp_path / 'clip', out=tmp_path / 'out'))
    (video,) = json.loads((tmp_path / 'out/annotations.json').read_text())['videos']
    assert (video['height'], video['width']) == SIZE


BROKEN = [
    (shape([[1, 1], [2, 2]]), 'shapes\\[0\\]: a polygon of 2 points; at least 3'),
    (shape([[1, 1], [2, 2], [1e9, 3]]), 'far outside'),
    (shape([[1, 1], [2, 2], [3]]), 'not \\[x, y\\]'),
    (shape([[1, 1], [2, 2], ['a', 3]]), 'points'),
    (shape([[1, 1]], kind='circle'), 'a circle of 1 point; it has 2'),
    (shape(kind='rectangle'), 'a rectangle of 4 points; it has 2'),
    (shape(kind='blob'), "no shape_type 'blob'"),
    (shape(label=''), 'without a label'),
    (shape(label=3), 'label: 3 is not a text'),
    ({'label': 'cup'}, 'missing points'),
    (7, '7 is not an object'),
    (shape([[4, 5], [9, 8]], kind='mask'), 'a mask without its picture'),
    (shape([[4, 5], [9, 8]], kind='mask', mask='!'), 'base64|no PNG'),
    (shape([[4, 5], [9, 8]], kind='mask', mask=png(np.ones((4, 5), bool))), '5x4 pixels'),
    (shape([[4, 5], [9, 8]], kind='mask', mask=png(np.ones((4, 6), bool))[:60]), 'PNG'),
    (shape([[24, 5], [30, 8]], kind='mask', mask=png(np.ones((4, 7), bool))), 'to 30, 8 in a'),
]


@pytest.mark.parametrize(('broken', 'message'), BROKEN)
def test_a_broken_shape_is_named_and_can_be_left_out(tmp_path, broken, message):
    write(tmp_path / 'clip', '7', [broken, shape(group_id=5)])
    with pytest.raises(UserError, match=message) as error:
        read_labels('labelme', tmp_path)
    assert 'clip/7.json' in str(error.value)
    assert 'video clip' in str(error.value)
    assert 'frame 0' in str(error.value)
    read = read_labels('labelme', tmp_path, skip_bad=True)
    assert [o.track for o in read.videos['clip'].objects] == ['cup 5']
    assert len(read.report.left_out) == 1


def test_a_broken_file_is_named_and_can_be_left_out(tmp_path):
    write(tmp_path / 'clip', '1', [shape()])
    write(tmp_path / 'clip', '2', [shape()])
    (tmp_path / 'clip/2.json').write_text('{"shapes": [')
    with pytest.raises(UserError, match=r'video clip, frame 2: .*2.json.*not valid json'):
        read_labels('labelme', tmp_path)
    video = read_labels('labelme', tmp_path, skip_bad=True).videos['clip']
    assert [rle is not None for rle in video.objects[0].rles] == [True, False]


def test_labels_of_another_size_than_most(tmp_path):
    for stem in '123':
        write(tmp_path / 'clip', stem, [shape()], imageWidth=31 if stem == '1' else 30)
    with pytest.raises(UserError, match=r'1.json: video clip, frame 0: .*31x20 pixels.*30x20'):
        read_labels('labelme', tmp_path)
    video = read_labels('labelme', tmp_path, skip_bad=True).videos['clip']
    assert [rle is not None for rle in video.objects[0].rles] == [False, True, True]


def test_two_files_of_one_picture(tmp_path):
    write(tmp_path / 'clip', '1', [shape()])
    write(tmp_path / 'clip', '2', [shape()], with_picture=False, imagePath='1.png')
    with pytest.raises(UserError, match=r'2.json: .*a second json of the picture 1.png'):
        read_labels('labelme', tmp_path)


def test_pictures_of_several_folders_are_no_video(tmp_path):
    for stem in '12':
        path = f'../images{stem}/{stem}.png'
        write(tmp_path / 'json', stem, [shape()], with_picture=False, imagePath=path)
        picture(tmp_path / f'images{stem}/{stem}.png', SIZE)
    with pytest.raises(UserError, match='several folders \\(images1, images2\\)'):
        read_labels('labelme', tmp_path)


def test_a_missing_picture_is_told(tmp_path):
    write(tmp_path / 'clip', '1', [shape()])
    write(tmp_path / 'clip', '2', [shape()], with_picture=False)
    request = ImportRequest(source=tmp_path / 'clip', out=tmp_path / 'out')
    with pytest.raises(UserError, match=r'2.png: video clip, frame 1: there is no such picture'):
        import_labels(request)


def test_a_video_file_has_no_pictures_to_label(tmp_path):
    write(tmp_path / 'clip', '1', [shape()])
    with pytest.raises(UserError, match='--frames'):
        read_labels('labelme', tmp_path, videos=tmp_path / 'clip/1.png')


def test_old_files_are_recognised_that_begin_with_the_picture(tmp_path):
    page = dict(imageData='A' * 10000, imagePath='1.png', shapes=[])
    (tmp_path / '1.json').write_text(json.dumps(page))
    assert recognise(Source(tmp_path)) == 'labelme'


def test_given_frames_must_have_those_of_a_video(tmp_path):
    write(tmp_path / 'labels/clip', '0', [shape()])
    picture(tmp_path / 'frames/other/0.png', SIZE)
    picture(tmp_path / 'frames/more/0.png', SIZE)
    with pytest.raises(UserError, match='the frames of clip are needed and not there'):
        read_labels('labelme', tmp_path / 'labels', frames=tmp_path / 'frames')
