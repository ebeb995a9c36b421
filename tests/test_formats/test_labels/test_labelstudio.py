"""Label Studio: regions of pictures, what tells objects apart, and where the pictures are."""

import json

import numpy as np
import pytest
from label_reading import box_mask, masks_of, picture, read_labels
from label_studio_code import encode

from mmvseg.errors import UserError
from mmvseg.formats.labels.importers import recognise
from mmvseg.formats.labels.sources import Source

SIZE = 20, 30


def item(kind, value, id_='r1', name='tag', **more):
    """A part of a region."""
    size = dict(original_height=SIZE[0], original_width=SIZE[1], image_rotation=0)
    return size | dict(type=kind, value=value, id=id_, from_name=name, to_name='image') | more


def rectangle(id_='r1', label='cup', x=10, y=20, **more):
    value = dict(x=x, y=y, width=20, height=25, rotation=0, rectanglelabels=[label])
    return item('rectanglelabels', value | more, id_)


def number(value, id_='r1', name='track_id'):
    return item('number', dict(number=value), id_, name)


def task(result, address='/data/local-files/?d=clip/0.png', **more):
    annotations = [dict(id=1, result=result, was_cancelled=False, ground_truth=False)]
    return dict(id=5, data=dict(image=address), annotations=annotations, predictions=[]) | more


def write(folder, *tasks, name='export.json'):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(tasks))


def only_video(tmp_path, *tasks, **options):
    """The only video of tasks, whose pictures are there."""
    write(tmp_path, *tasks)
    picture(tmp_path / 'images/clip/0.png', SIZE)
    read = read_labels('labelstudio', tmp_path, **options)
    (video,) = read.videos.values()
    return video, read.report


def mask_of(tmp_path, *items):
    video, _ = only_video(tmp_path, task([*items, number(1)]))
    (labelled,) = video.objects
    return masks_of(labelled, video)[0]


def test_a_brush_is_the_alpha_of_the_whole_picture(tmp_path):
    mask = np.random.default_rng(1).random(SIZE) > 0.5
    values = np.stack([mask * 0, mask * 0, mask * 0, mask * 255], -1).ravel()
    code = encode(values, 8, (3, 4, 8, 16), lambda place, equal: (False, 200, 2))
    brush = item('brushlabels', dict(format='rle', rle=[*code], brushlabels=['cup']))
    assert (mask_of(tmp_path, brush) == mask).all()


def test_lengths_are_percent_of_width_and_height(tmp_path):
    expected = box_mask(SIZE, 3, 4, 9, 9)
    assert (mask_of(tmp_path, rectangle()) == expected).all()
    points = [[10, 20], [30, 20], [30, 45], [10, 45]]
    polygon = item('polygonlabels', dict(points=points, polygonlabels=['cup']))
    assert (mask_of(tmp_path, polygon) == expected).all()


def test_a_rectangle_turns_about_its_top_left_corner(tmp_path):
    # 6 x 5 pixels at 12, 4: a quarter turn clockwise puts them left of and below the corner
    turned = rectangle(x=40, y=20, rotation=90)
    assert (mask_of(tmp_path, turned) == box_mask(SIZE, 7, 4, 12, 10)).all()


def test_the_label_may_stand_in_an_item_of_its_own(tmp_path):
    shape = item('rectangle', dict(x=10, y=20, width=20, height=25))
    label = item('labels', dict(x=10, y=20, width=20, height=25, labels=['cup']), name='other')
    assert mask_of(tmp_path, shape, label).sum() == 30
    assert mask_of(tmp_path, label, shape).sum() == 30


def tracks(tmp_path, *items):
    video, report = only_video(tmp_path, task([*items]))
    return [labelled.track for labelled in video.objects], report


def test_a_number_tells_the_object(tmp_path):
    assert tracks(tmp_path, rectangle(), number(7.0))[0] == ['7']
    assert tracks(tmp_path, rectangle(), number(7, name='nr'))[0] == ['7']
    several = number(3, name='age'), number(7, name='Track_ID')
    assert tracks(tmp_path, rectangle(), *several)[0] == ['7']


def test_a_text_or_choice_of_that_name_tells_the_object(tmp_path):
    text = item('textarea', dict(text=['left cup']), name='track_id')
    assert tracks(tmp_path, rectangle(), text)[0] == ['left cup']
    choice = item('choices', dict(choices=['b']), name='object_id')
    assert tracks(tmp_path, rectangle(), choice)[0] == ['b']
    caption = item('textarea', dict(text=['a cup']), name='caption')
    assert tracks(tmp_path, rectangle(), caption)[0] != ['a cup']


def test_meta_text_tells_the_object_if_nothing_else_does(tmp_path):
    with_meta = rectangle() | dict(meta=dict(text=['left']))
    found, report = tracks(tmp_path, with_meta)
    assert found == ['left']
    assert 'meta text' in report.notes[0]
    found, report = tracks(tmp_path, with_meta, number(2))
    assert found == ['2']
    assert report.notes == []


def test_nothing_tells_the_object_which_is_said(tmp_path):
    other = task([rectangle()], '/data/local-files/?d=clip/1.png')
    picture(tmp_path / 'images/clip/1.png', SIZE)
    video, report = only_video(tmp_path, task([rectangle()]), other)
    assert len(video.objects) == 2
    assert 'without a track_id' in report.notes[0]


def test_regions_of_one_number_are_parts(tmp_path):
    second = rectangle('r2', x=60), number(1, 'r2')
    assert mask_of(tmp_path, rectangle(), *second).sum() == 60


def test_skipped_annotations_and_predictions_do_not_count(tmp_path):
    regions = [rectangle(), number(1)]
    skipped = dict(result=regions, was_cancelled=True)
    second = task([], '/data/local-files/?d=clip/1.png', annotations=[skipped])
    second['predictions'] = [dict(result=regions)]
    picture(tmp_path / 'images/clip/1.png', SIZE)
    video, report = only_video(tmp_path, task(regions), second)
    assert [rle is not None for rle in video.objects[0].rles] == [True, False]
    assert '1 task without an annotation that counts' in report.notes[0]


@pytest.mark.parametrize(('truth', 'label'), [(False, 'cup'), (True, 'dog')])
def test_of_several_annotations_one_is_taken_and_said(tmp_path, truth, label):
    given = [
        dict(result=[rectangle(label=name), number(1)], ground_truth=name == 'dog' and truth)
        for name in ('cup', 'dog')
    ]
    video, report = only_video(tmp_path, task([], annotations=given))
    assert video.objects[0].label == label
    assert '1 task with several annotations' in report.notes[0]


def test_what_has_no_area_is_counted(tmp_path):
    point = item('keypointlabels', dict(x=1, y=1, width=1, keypointlabels=['cup']), 'r2')
    whole = item('choices', dict(choices=['day']), 'r3', 'time')
    relation = dict(type='relation', from_id='r1', to_id='r2', direction='right')
    _, report = only_video(tmp_path, task([rectangle(), number(1), point, whole, relation]))
    assert report.ignored == dict(keypoint=1)


@pytest.mark.parametrize(
    ('address', 'video', 'frame'),
    [
        ('/data/local-files/?d=clip/0.png', 'clip', '0.png'),
        ('/data/local-files/?d=my%20data/clip/0.png', 'clip', '0.png'),
        ('/data/local-files/?d=my data\\clip\\0.png', 'clip', '0.png'),
        ('https://example.org/a/clip/0.png?sign=a/b.png', 'clip', '0.png'),
        ('s3://bucket/clip/0.png', 'clip', '0.png'),
        ('clip/0.png', 'clip', '0.png'),
        ('/data/upload/3/0123abcd-clip_0.png', 'clip', '0.png'),
        ('/data/upload/3/0123abcd-0.png', 'clip', '0.png'),
    ],
)
def test_the_address_says_video_and_frame(tmp_path, address, video, frame):
    found, _ = only_video(tmp_path, task([rectangle(), number(1)], address))
    assert found.name == video
    assert [f.name for f in found.frames] == [frame]
    assert found.frames[0].picture.path == tmp_path / 'images/clip/0.png'
    assert found.objects[0].rles[0] is not None


def test_folders_that_all_videos_lie_in_are_no_part_of_their_names(tmp_path):
    addresses = [f'/data/local-files/?d=set/{name}/0.png' for name in ('day/a', 'day/b', 'c')]
    write(tmp_path, *(task([rectangle(), number(1)], address) for address in addresses))
    for name in ('day/a', 'day/b', 'c'):
        picture(tmp_path / 'set' / name / '0.png', SIZE)
    read = read_labels('labelstudio', tmp_path)
    assert [*read.videos] == ['day/a', 'day/b', 'c']
    assert all(video.frames[0].picture for video in read.videos.values())


def test_uploaded_pictures_of_one_folder_are_told_by_their_names(tmp_path):
    for name in ('a_1', 'a_2', 'a_10', 'b_1'):
        picture(tmp_path / f'pictures/{name}.png', SIZE)
    regions = [rectangle(), number(1)]
    names = ('a_10', 'b_1', 'a_1')
    write(tmp_path, *(task(regions, f'/data/upload/1/0123abcd-{n}.png') for n in names))
    read = read_labels('labelstudio', tmp_path)
    frames = {name: [f.name for f in video.frames] for name, video in read.videos.items()}
    assert frames == dict(a=['a_1.png', 'a_2.png', 'a_10.png'], b=['b_1.png'])
    shown = [rle is not None for rle in read.videos['a'].objects[0].rles]
    assert shown == [True, False, True]
    assert '1 picture without a task' in read.report.notes[0]


def test_uploaded_pictures_that_nothing_tells_apart(tmp_path):
    for name in ('a/7', 'b/7', 'c/c_8'):
        picture(tmp_path / f'{name}.png', SIZE)
    regions = [rectangle(), number(1)]
    write(tmp_path, *(task(regions, f'/data/upload/1/0123abcd-{n}.png') for n in ('7', 'c_8')))
    with pytest.raises(UserError, match=r'task 5: 7.png was uploaded.*several.*\(in a, b\)'):
        read_labels('labelstudio', tmp_path)
    assert [*read_labels('labelstudio', tmp_path, skip_bad=True).videos] == ['c']


def test_sizes_are_known_without_pictures(tmp_path):
    write(tmp_path, task([rectangle(), number(1)]))
    (video,) = read_labels('labelstudio', tmp_path).videos.values()
    assert (video.height, video.width) == SIZE


def test_all_exports_of_a_folder_are_read(tmp_path):
    picture(tmp_path / 'clip/1.png', SIZE)
    write(tmp_path, task([rectangle(), number(1)], 'clip/1.png'), name='more.json')
    (tmp_path / 'notes.json').write_text('{}')
    video, _ = only_video(tmp_path, task([rectangle(), number(1)], 'clip/0.png'))
    assert len(video.frames) == 2


BROKEN = [
    ([rectangle(label='cup', rectanglelabels=[])], 'region r1: it has no label'),
    ([rectangle(rectanglelabels=['cup', 'dog'])], r'2 labels \(cup, dog\)'),
    ([rectangle(), number(1, name='a'), number(2, name='b')], r'several numbers \(1, 2\)'),
    ([rectangle(x='left')], 'x'),
    ([item('polygonlabels', dict(points=[[1, 1], [2, 2]], polygonlabels=['cup']))], '2 points'),
    ([item('polygonlabels', dict(points=[[1, 1], 2, [2]], polygonlabels=['cup']))], 'points'),
    ([item('brushlabels', dict(format='rle', rle=[0, 1], brushlabels=['cup']))], 'too early'),
    ([item('brushlabels', dict(format='rle', rle=[300], brushlabels=['cup']))], '256'),
    ([item('brushlabels', dict(format='rle', rle=['a'], brushlabels=['cup']))], 'list of bytes'),
    ([item('brushlabels', dict(brushlabels=['cup']))], 'without rle'),
    ([rectangle() | dict(original_width=31)], '31x20 pixels, the frames have 30x20'),
    ([rectangle() | dict(image_rotation=90)], 'turned by 90 degrees'),
    ([item('ellipselabels', dict(ellipselabels=['cup']))], 'type ellipse, which is not read'),
    ([item('videovector', dict(sequence=[], labels=['cup']))], 'type videovector.*not verified'),
    ([item('rectanglelabels', 7)], 'a value that is no object'),
    ([7], r'result\[0\]: 7 is not an object'),
    ([item('brush', dict(rle=[]), None)], r'result\[0\]: a region \(brush\) without an id'),
    ([rectangle(None)], r'result\[0\]: a region \(rectanglelabels\) without an id'),
    ([rectangle() | dict(type=None)], r'result\[0\].type: None is not a text'),
    ([rectangle() | dict(type='')], r'result\[0\]: has no type'),
]


@pytest.mark.parametrize(('regions', 'message'), BROKEN)
def test_a_broken_region_is_named_and_can_be_left_out(tmp_path, regions, message):
    good = rectangle('ok'), number(9, 'ok')
    with pytest.raises(UserError, match=message) as error:
        only_video(tmp_path, task([*regions, *good]))
    assert 'export.json' in str(error.value)
    assert 'video clip' in str(error.value)
    video, report = only_video(tmp_path, task([*regions, *good]), skip_bad=True)
    assert [labelled.track for labelled in video.objects] == ['9']
    assert len(report.left_out) == 1


def test_an_object_of_two_classes(tmp_path):
    regions = rectangle(), number(1), rectangle('r2', 'dog'), number(1, 'r2')
    with pytest.raises(UserError, match="track 1, frame 0: has the class 'dog', and 'cup' before"):
        only_video(tmp_path, task([*regions]))


def test_two_tasks_of_one_picture(tmp_path):
    with pytest.raises(UserError, match='task 5: a second task of this picture'):
        only_video(tmp_path, task([rectangle()]), task([rectangle()]))


@pytest.mark.parametrize(
    ('data', 'message'),
    [
        (dict(text='a'), 'task 5: its data has no address'),
        (None, 'no address'),
        (dict(a='1.png', b='2.png'), r'several addresses \(a, b\)'),
    ],
)
def test_a_task_without_its_picture(tmp_path, data, message):
    write(tmp_path, task([], data=data))
    with pytest.raises(UserError, match=message):
        read_labels('labelstudio', tmp_path)


def test_of_several_addresses_the_usual_name_is_taken(tmp_path):
    data = dict(thumbnail='x/1.png', image='clip/0.png')
    assert only_video(tmp_path, task([rectangle(), number(1)], data=data))[0].name == 'clip'


def test_given_frames_must_have_those_of_a_video(tmp_path):
    write(tmp_path / 'labels', task([rectangle(), number(1)]))
    for name in ('other', 'more'):
        picture(tmp_path / f'frames/{name}/0.png', SIZE)
    with pytest.raises(UserError, match='the frames of clip are needed and not there'):
        read_labels('labelstudio', tmp_path / 'labels', frames=tmp_path / 'frames')


def test_json_min_is_refused(tmp_path):
    small = dict(image='clip/0.png', id=1, tag=[], annotator=1, annotation_id=3, lead_time=1.5)
    write(tmp_path, small)
    assert recognise(Source(tmp_path)) == 'labelstudio'
    with pytest.raises(UserError, match=r'JSON-MIN.*export as JSON'):
        read_labels('labelstudio', tmp_path)


def test_a_list_of_something_else(tmp_path):
    write(tmp_path, task([]), dict(id=3, data=dict(image='clip/0.png')))
    with pytest.raises(UserError, match=r'\[1\]: no task of Label Studio'):
        read_labels('labelstudio', tmp_path)
    (tmp_path / 'export.json').write_text('{}')
    with pytest.raises(UserError, match='no export of Label Studio'):
        read_labels('labelstudio', tmp_path)
