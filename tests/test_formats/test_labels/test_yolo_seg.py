"""YOLO segmentation with tracks: what ends a line, which video a text is of, where pictures are."""

import pytest
from label_reading import box_mask, masks_of, objects_of, picture, read_labels, video_file

from mmvseg.errors import UserError
from mmvseg.formats.labels.frame_names import split_frame_name
from mmvseg.formats.labels.importers import recognise
from mmvseg.formats.labels.sources import Source

SIZE = 20, 40
#: 8 x 5 pixels at 4, 5.
BOX = '0.1 0.25 0.3 0.25 0.3 0.5 0.1 0.5'
FAR = '0.5 0.25 0.6 0.25 0.6 0.5 0.5 0.5'
NAMES = 'names:\n  0: cup\n  1: Fußgänger\n'


def write(folder, texts, names=NAMES, pictures=None):
    """Texts by their path without suffix below ``labels``, and pictures of the same names."""
    folder.mkdir(parents=True, exist_ok=True)
    if names:
        (folder / 'data.yaml').write_text(names, encoding='utf-8')
    for name, lines in texts.items():
        path = folder / f'labels/{name}.txt'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('\n'.join(lines) + '\n')
    for name in texts if pictures is None else pictures:
        picture(folder / f'images/{name}.png', SIZE)


def only_video(path, **options):
    (video,) = read_labels('yolo-seg', path, **options).videos.values()
    return video


def test_a_line_is_a_class_a_polygon_and_a_track(tmp_path):
    write(tmp_path, {'clip_1': [f'1 {BOX} 7', f'0 {FAR} 8'], 'clip_2': [f'1 {BOX} 7']})
    video = only_video(tmp_path)
    assert [(o.track, o.label) for o in video.objects] == [('7', 'Fußgänger'), ('8', 'cup')]
    assert (objects_of(video)['7'] == box_mask(SIZE, 4, 5, 12, 10)).all()


def test_large_ids_are_exact(tmp_path):
    write(tmp_path, {'clip_1': [f'1 {BOX} 9007199254740992', f'1 {FAR} 9007199254740993']})
    tracks = [labelled.track for labelled in only_video(tmp_path).objects]
    assert tracks == ['9007199254740992', '9007199254740993']


def test_lines_of_a_track_are_parts(tmp_path):
    write(tmp_path, {'clip_1': [f'1 {BOX} 7', f'1 {FAR} 7']})
    (labelled,) = only_video(tmp_path).objects
    assert masks_of(labelled, only_video(tmp_path)).sum() == 8 * 5 + 4 * 5


def test_confidence_before_the_track_must_be_told(tmp_path):
    write(tmp_path, {'clip_1': [f'1 {BOX} 0.75 7']})
    with pytest.raises(UserError, match=r'line 1: the last number is 7.*--with-confidence'):
        read_labels('yolo-seg', tmp_path)
    (labelled,) = only_video(tmp_path, with_confidence=True).objects
    assert labelled.track == '7'
    assert masks_of(labelled, only_video(tmp_path, with_confidence=True)).sum() == 8 * 5


def test_confidence_that_is_not_there(tmp_path):
    write(tmp_path, {'clip_1': [f'1 {BOX} 7']})
    with pytest.raises(UserError, match=r'9 numbers after the class.*leave --with-confidence out'):
        read_labels('yolo-seg', tmp_path, with_confidence=True)


def test_a_confidence_is_no_track(tmp_path):
    write(tmp_path, {'clip_1': [f'1 {BOX} 0.75']})
    with pytest.raises(UserError, match=r'0.75 is no track id \(is it a confidence'):
        read_labels('yolo-seg', tmp_path)


def test_without_tracks_an_object_has_one_frame_which_is_said(tmp_path):
    write(tmp_path, {'clip_1': [f'1 {BOX}', f'1 {FAR}'], 'clip_2': [f'1 {BOX}']})
    read = read_labels('yolo-seg', tmp_path)
    assert [sum(r is not None for r in o.rles) for o in read.videos['clip'].objects] == [1, 1, 1]
    (note,) = read.report.notes
    assert 'without a track id' in note


def test_a_picture_without_a_text_is_a_frame_without_objects(tmp_path):
    texts = {'clip_9': [f'1 {BOX} 7'], 'clip_11': ['']}
    write(tmp_path, texts, pictures=['clip_9', 'clip_10', 'clip_11'])
    video = only_video(tmp_path)
    assert [frame.name for frame in video.frames] == ['clip_9.png', 'clip_10.png', 'clip_11.png']
    assert [rle is not None for rle in video.objects[0].rles] == [True, False, False]


def test_classes_are_a_list_or_numbered(tmp_path):
    write(tmp_path, {'clip_1': [f'1 {BOX} 7']}, 'names: [cup, dog]\npath: .\n')
    read = read_labels('yolo-seg', tmp_path)
    assert [(c.id, c.name) for c in read.classes] == [(0, 'cup'), (1, 'dog')]
    write(tmp_path, {}, 'names: {3: cup, 1: dog}')
    read = read_labels('yolo-seg', tmp_path)
    assert [(c.id, c.name) for c in read.classes] == [(3, 'cup'), (1, 'dog')]
    assert read.videos['clip'].objects[0].label == 'dog'


@pytest.mark.parametrize(
    ('names', 'message'),
    [
        ('', 'no data.yaml with names'),
        ('names: [cup, no]', 'names: 1: False: must be a number and a text'),
        ('names: {a: cup}', 'names: a'),
        ('names: 3', 'must be a list'),
        ('names: []', 'must be a list'),
        ('names: [cup, cup]', 'two classes of one name'),
        ('names: [cup', 'not valid yaml'),
    ],
)
def test_broken_names(tmp_path, names, message):
    write(tmp_path, {'clip_1': [f'1 {BOX} 7']}, names)
    with pytest.raises(UserError, match=message):
        read_labels('yolo-seg', tmp_path)


def test_two_files_of_names_must_agree(tmp_path):
    write(tmp_path, {'clip_1': [f'1 {BOX} 7']})
    (tmp_path / 'other.yaml').write_text(NAMES, encoding='utf-8')
    assert len(read_labels('yolo-seg', tmp_path).classes) == 2
    (tmp_path / 'other.yaml').write_text('names: [cup]')
    with pytest.raises(UserError, match=r'data.yaml and .*other.yaml: different names'):
        read_labels('yolo-seg', tmp_path)


@pytest.mark.parametrize(
    ('names', 'videos'),
    [
        (['a_1', 'a_2', 'b_c_1'], {'a': 2, 'b_c': 1}),
        (['train/a_1', 'train/a_2', 'val/b_1'], {'a': 2, 'b': 1}),
        (['train/x/1', 'train/x/2', 'train/y/1'], {'x': 2, 'y': 1}),
        (['x/frame_1', 'x/frame_2', 'y/frame_1'], {'x': 2, 'y': 1}),
        (['x/a_1', 'x/b_1'], {'x/a': 1, 'x/b': 1}),
        (['1', '2'], {'set': 2}),
        (['bus', 'car'], {'bus': 1, 'car': 1}),
    ],
)
def test_names_and_folders_say_the_video(tmp_path, names, videos):
    write(tmp_path / 'set', {name: [f'1 {BOX} 7'] for name in names})
    read = read_labels('yolo-seg', tmp_path / 'set')
    assert {name: len(video.frames) for name, video in read.videos.items()} == videos
    assert all(all(v.objects[0].rles) for v in read.videos.values())


def test_splits_may_have_labels_and_images_of_their_own(tmp_path):
    for split in ('train', 'valid'):
        write(tmp_path / split, {f'{split}clip_1': [f'1 {BOX} 7']}, names='')
    (tmp_path / 'data.yaml').write_text(NAMES, encoding='utf-8')
    assert [*read_labels('yolo-seg', tmp_path).videos] == ['trainclip', 'validclip']


def test_pictures_without_a_folder_of_labels_are_left_out_which_is_said(tmp_path):
    write(tmp_path, {'train/clip_1': [f'1 {BOX} 7']}, pictures=['train/clip_1', 'test/other_1'])
    read = read_labels('yolo-seg', tmp_path)
    assert [*read.videos] == ['clip']
    (note,) = read.report.notes
    assert note.endswith('1 folder of pictures without one of labels: left out (images/test)')


def test_the_folder_of_the_labels_alone(tmp_path):
    write(tmp_path, {'clip_1': [f'1 {BOX} 7']})
    (tmp_path / 'labels/data.yaml').write_text(NAMES, encoding='utf-8')
    read = read_labels('yolo-seg', tmp_path / 'labels', frames=tmp_path / 'images')
    assert [*read.videos] == ['clip']
    assert recognise(Source(tmp_path / 'labels')) == 'yolo-seg'
    (tmp_path / 'notes.txt').write_text('of mine')
    assert [*read_labels('yolo-seg', tmp_path).videos] == ['clip']


def test_zeros_before_a_number_do_not_matter(tmp_path):
    write(tmp_path, {'clip_7': [f'1 {BOX} 7']}, pictures=['clip_0007', 'clip_0008'])
    assert [rle is not None for rle in only_video(tmp_path).objects[0].rles] == [True, False]


def test_what_a_tracker_writes_of_a_video_is_counted_from_1(tmp_path):
    video_file(tmp_path / 'street.mp4', 3, size=SIZE)
    write(tmp_path / 'runs/segment/track', {'street_2': [f'1 {BOX} 7']}, pictures=[])
    video_file(tmp_path / 'runs/segment/track/street.avi', 3, size=SIZE)  # with drawings
    for source in ('runs', 'runs/segment/track'):
        assert recognise(Source(tmp_path / source)) == 'yolo-seg'
        with pytest.raises(UserError, match='the frames of street are needed'):
            read_labels('yolo-seg', tmp_path / source)
        video = only_video(tmp_path / source, videos=tmp_path / 'street.mp4')
        assert video.name == 'street'
        assert [rle is not None for rle in video.objects[0].rles] == [False, True, False]
        assert video.frames[1].video.path == tmp_path / 'street.mp4'


def test_frames_that_are_given(tmp_path):
    write(tmp_path / 'set', {'a_1': [f'1 {BOX} 7'], 'b_1': [f'1 {BOX} 7']}, pictures=[])
    for name in ('a_1', 'a_2', 'b_1'):
        picture(tmp_path / f'flat/{name}.png', SIZE)
        picture(tmp_path / f'folders/{name[0]}/{name}.png', SIZE)
    for frames in ('flat', 'folders'):
        read = read_labels('yolo-seg', tmp_path / 'set', frames=tmp_path / frames)
        assert {name: len(video.frames) for name, video in read.videos.items()} == dict(a=2, b=1)


def test_frames_of_one_video_are_not_those_of_another(tmp_path):
    for video in 'ab':
        write(tmp_path / f'set/{video}', {'1': [f'1 {BOX} 7']}, pictures=[])
    picture(tmp_path / 'flat/1.png', SIZE)
    with pytest.raises(UserError, match='belongs to one video, but the labels have several'):
        read_labels('yolo-seg', tmp_path / 'set', frames=tmp_path / 'flat')


BROKEN = [
    (f'2 {BOX} 8', 'track 8, frame 0: line 1: class 2 is not in the names of data.yaml'),
    (f'0.5 {BOX} 8', '0.5 is no number of a class'),
    ('1 0.1 0.1 0.2 0.2 8', 'a polygon of 2 points; at least 3'),
    ('1 0.5 0.5 0.2 0.2', 'lines of boxes have no masks'),
    ('1', 'a polygon of 0 points'),
    ('1 0.1 x 0.2 8', 'words that are no numbers'),
    (f'1 {BOX} nan', 'nan is no track id'),
    ('1 40 50 90 50 90 80 8', r'far outside.*divided by the width'),
    ('1 0.1 0.1 0.2 0.2 inf 0.2 8', 'far outside'),
    (f'0 {BOX} 7\n1 {BOX} 7', "has the class 'Fußgänger', and 'cup' before"),
]


@pytest.mark.parametrize(('line', 'message'), BROKEN)
def test_a_broken_line_is_named_and_can_be_left_out(tmp_path, line, message):
    write(tmp_path, {'clip_5': [line, f'0 {FAR} 9']})
    with pytest.raises(UserError, match=message) as error:
        read_labels('yolo-seg', tmp_path)
    assert 'labels/clip_5.txt' in str(error.value)
    assert 'video clip' in str(error.value)
    assert 'frame 0' in str(error.value)
    read = read_labels('yolo-seg', tmp_path, skip_bad=True)
    assert '9' in [labelled.track for labelled in read.videos['clip'].objects]
    assert len(read.report.left_out) == 1


def test_a_text_without_its_picture(tmp_path):
    write(tmp_path, {'clip_1': [f'1 {BOX} 7'], 'clip_2': [f'1 {BOX} 7']}, pictures=['clip_1'])
    with pytest.raises(UserError, match=r'clip_2.txt: video clip, frame clip_2: .*no frame of'):
        read_labels('yolo-seg', tmp_path)
    assert len(only_video(tmp_path, skip_bad=True).frames) == 1


def test_a_text_that_is_none(tmp_path):
    write(tmp_path, {'clip_1': [f'1 {BOX} 7']})
    (tmp_path / 'labels/clip_1.txt').write_bytes(b'\xff\xfe1 0.1')
    with pytest.raises(UserError, match=r'clip_1.txt: no text'):
        read_labels('yolo-seg', tmp_path)


def test_no_labels_at_all(tmp_path):
    (tmp_path / 'data.yaml').write_text(NAMES, encoding='utf-8')
    with pytest.raises(UserError, match=r'no labels/\*.txt'):
        read_labels('yolo-seg', tmp_path)


@pytest.mark.parametrize(
    ('name', 'parts'),
    [
        ('crossing_5.jpg', ('crossing', 5)),
        ('day_2-0015.png', ('day_2', 15)),
        ('frame12.png', ('frame', 12)),
        ('007.jpg', ('', 7)),
        ('a__3.txt', ('a', 3)),
        ('a_3_mask.jpg', None),
        ('bus.jpg', None),
    ],
)
def test_names_of_frames(name, parts):
    assert split_frame_name(name) == parts
