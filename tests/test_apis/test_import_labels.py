"""Imports as a whole: what is written, what is refused, and how an interrupted one goes on."""

import json
import multiprocessing
import os
import shutil
import signal
from fractions import Fraction

import numpy as np
import pytest
from label_fixtures import problems

from mmvseg.apis import import_frames, import_labels
from mmvseg.apis.import_labels import ImportRequest
from mmvseg.errors import UserError
from mmvseg.formats.labels import id_masks
from mmvseg.formats.labels.records import Frame, LabelClass, LabelledVideo, Labels, PendingVideo
from mmvseg.formats.youtube_vis_writer import YouTubeVISJournal
from mmvseg.media.images import read_image, write_image
from mmvseg.media.video_writer import VideoWriter

SIZE = 6, 8
LENGTH = 3


def picture(seed, size=SIZE):
    return np.random.default_rng(seed).integers(0, 255, (*size, 3), np.uint8)


def make_videos(root, *names, suffix='.png', seed=0):
    """Videos with an object each, as id masks."""
    for number, name in enumerate(names):
        for place in range(LENGTH):
            for kind in ('images', 'masks'):
                (root / kind / name).mkdir(parents=True, exist_ok=True)
            ids = np.zeros(SIZE, np.uint8)
            ids[place : place + 3, number % 4 : number % 4 + 3] = 1
            write_image(
                root / 'images' / name / f'{place}{suffix}', picture(seed + 10 * number + place)
            )
            write_image(root / 'masks' / name / f'{place}.png', ids)
    (root / 'classes.csv').write_text('video,id,class\n,1,car\n')
    return root


@pytest.fixture
def source(tmp_path):
    return make_videos(tmp_path / 'labels', 'a', 'b', 'c', 'd')


def run(source, out, **more):
    return import_labels.import_labels(ImportRequest(source, out, **more))


def files(folder):
    """Content of all files below a folder but hidden ones."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file() and not path.name.startswith('.')
    }


def content(out):
    return json.loads((out / 'annotations.json').read_text())


def test_what_is_written(source, tmp_path):
    out = tmp_path / 'out'
    imported = run(source, out)
    assert (imported.format, imported.videos, imported.frames) == ('masks', 4, 4 * LENGTH)
    assert (imported.objects, imported.pictures) == ({'car': 4}, 4 * LENGTH)
    assert sorted(path.name for path in out.iterdir() if path.name[0] != '.') == [
        'annotations.json',
        'config.py',
        'frames',
    ]
    written = content(out)
    assert [video['name'] for video in written['videos']] == ['a', 'b', 'c', 'd']
    assert written['videos'][1]['file_names'] == ['b/0.png', 'b/1.png', 'b/2.png']
    assert [entry['id'] for entry in written['annotations']] == [1, 2, 3, 4]
    first = written['annotations'][0]
    assert (first['track'], first['areas'], first['bboxes'][0]) == ('1', [9, 9, 9], [0, 0, 3, 3])
    assert problems(out) == []


def test_frames_are_linked_unless_they_are_to_be_copied(source, tmp_path):
    run(source, tmp_path / 'linked')
    run(source, tmp_path / 'copied', copy=True)
    original = source / 'images/a/0.png'
    assert os.path.samefile(original, tmp_path / 'linked/frames/a/0.png')
    assert not os.path.samefile(original, tmp_path / 'copied/frames/a/0.png')
    assert files(tmp_path / 'linked/frames') == files(tmp_path / 'copied/frames')


def test_frames_are_copied_where_they_cannot_be_linked(source, tmp_path, monkeypatch):
    def fail(*paths):
        raise OSError('another disk')

    monkeypatch.setattr(os, 'link', fail)
    run(source, tmp_path / 'out')
    assert (tmp_path / 'out/frames/a/0.png').read_bytes() == (
        source / 'images/a/0.png'
    ).read_bytes()


def test_what_is_there_is_replaced_only_if_asked(source, tmp_path):
    out = tmp_path / 'out'
    run(source, out, copy=True)
    # as large as those that are there
    other = make_videos(tmp_path / 'other', 'a', 'b', suffix='.bmp', seed=100)
    run(make_videos(tmp_path / 'bmp', 'a', 'b', suffix='.bmp'), tmp_path / 'bmps')
    with pytest.raises(UserError, match=r'annotations.json: is there already; --overwrite'):
        run(other, tmp_path / 'bmps')
    run(other, tmp_path / 'bmps', overwrite=True)
    shown = read_image(tmp_path / 'bmps/frames/a/0.bmp')
    assert np.array_equal(shown, picture(100))
    # the pictures that the first import had linked to are as they were
    assert np.array_equal(read_image(tmp_path / 'bmp/images/a/0.bmp'), picture(0))


def test_frames_of_an_import_can_be_those_of_the_next_into_its_place(source, tmp_path):
    out = tmp_path / 'out'
    run(source, out, copy=True)
    before = files(out)
    shutil.rmtree(source / 'images')
    for copy in (False, True):
        run(source, out, frames=out / 'frames', overwrite=True, copy=copy)
        assert files(out) == before


def test_equal_names_of_videos_and_odd_ones(tmp_path, monkeypatch):
    names = ['street', 'Street', '../up', 'a:b', 'day/street', 'Straße', '']
    videos = [
        PendingVideo(name, lambda name=name: LabelledVideo(name, *SIZE, [Frame('0.jpg')], []))
        for name in names
    ]
    labels = Labels([LabelClass('car')], iter(videos))
    monkeypatch.setattr(id_masks, 'read', lambda *args: labels)
    run(make_videos(tmp_path / 'labels', 'a'), tmp_path / 'out', format='masks')
    written = content(tmp_path / 'out')['videos']
    assert [video['name'] for video in written] == names
    assert [video['file_names'] for video in written] == [
        ['street/0.jpg'],
        ['Street_2/0.jpg'],
        ['up/0.jpg'],
        ['a_b/0.jpg'],
        ['day/street/0.jpg'],
        ['Straße/0.jpg'],
        ['video/0.jpg'],
    ]


def bad_frames(tmp_path, name):
    """The source, and a video of it with a frame that is not as it should be."""
    root = make_videos(tmp_path / 'labels', 'a', 'b')
    path = root / 'images/a/1.png'
    if name == 'size':
        write_image(path, picture(0, (8, 6)))
    elif name == 'broken':
        path.write_bytes(b'no picture')
    else:
        path.rename(root / 'images/a/0.jpg')
    return root


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        (
            'size',
            r'1.png: video a, frame 1: 6x8 pixels, the other frames or the labels have 8x6',
        ),
        ('broken', r'video a, frame 1: .*1.png: not a readable image'),
    ],
)
def test_frames_that_are_broken(tmp_path, name, message):
    root = bad_frames(tmp_path, name)
    with pytest.raises(UserError, match=message):
        run(root, tmp_path / 'out')
    imported = run(root, tmp_path / 'other', skip_bad=True)
    assert len(imported.report.left_out) == 1
    written = content(tmp_path / 'other')
    assert written['videos'][0]['file_names'] == ['a/0.png', 'a/2.png']
    assert [len(entry['areas']) for entry in written['annotations']] == [2, 3]
    assert problems(tmp_path / 'other') == []


@pytest.mark.parametrize(
    ('frames', 'message'),
    [
        (['0.jpg', '1.jpg', '0.jpg'], '0.jpg: video v, frame 2: two frames of this name'),
        (['a:0.jpg', 'a_0.jpg'], 'a_0.jpg: video v, frame 1: two frames of this name'),
    ],
)
def test_frames_of_one_name(tmp_path, monkeypatch, frames, message):
    def video():
        return LabelledVideo('v', *SIZE, [Frame(name) for name in frames], [])

    def read(*args):
        return Labels([], iter([PendingVideo('v', video)]))

    monkeypatch.setattr(id_masks, 'read', read)
    root = make_videos(tmp_path / 'labels', 'a')
    with pytest.raises(UserError, match=message):
        run(root, tmp_path / 'out')
    imported = run(root, tmp_path / 'other', skip_bad=True)
    assert imported.frames == len(frames) - 1


def test_a_picture_is_missing(tmp_path, monkeypatch):
    root = make_videos(tmp_path / 'labels', 'a')
    shutil.rmtree(root / 'masks/a')
    make_videos(root, 'a')
    (root / 'images/a/1.png').unlink()
    with pytest.raises(UserError, match=r'masks/a/1.png: video a: there is no picture'):
        run(root, tmp_path / 'out')
    assert run(root, tmp_path / 'other', skip_bad=True).frames == 2


def test_a_video_without_a_sound_frame(tmp_path):
    root = make_videos(tmp_path / 'labels', 'a', 'b')
    for path in (root / 'images/a').iterdir():
        path.write_bytes(b'')
    imported = run(root, tmp_path / 'out', skip_bad=True)
    assert imported.videos == 1
    assert any('video a' in line for line in imported.report.left_out)
    shutil.rmtree(root / 'images/b')
    shutil.rmtree(root / 'masks/b')
    with pytest.raises(UserError, match=r'has no video .* of masks; left out: .*video a'):
        run(root, tmp_path / 'nothing', skip_bad=True)


def test_frames_of_a_video_file(tmp_path):
    root = make_videos(tmp_path / 'labels', 'a')
    shutil.rmtree(root / 'images')
    with VideoWriter(tmp_path / 'a.mp4', Fraction(5)) as writer:
        for place in range(LENGTH):
            writer.write(np.full((*SIZE, 3), 80 * place, np.uint8))
    # of an earlier import
    (tmp_path / 'out/frames/a').mkdir(parents=True)
    (tmp_path / 'out/frames/a/000001.jpg').write_bytes(b'old')
    run(root, tmp_path / 'out', videos=tmp_path / 'a.mp4')
    shown = [read_image(tmp_path / f'out/frames/a/{n:06d}.jpg').mean() for n in range(LENGTH)]
    assert np.allclose(shown, [0, 80, 160], atol=4)
    assert content(tmp_path / 'out')['annotations'][0]['areas'] == [9, 9, 9]


# ---------------------------------------------------------------------- going on


def kill_at(monkeypatch, owner, name, call, before=lambda *args: None):
    """Have the n-th call of a function kill the process, without a chance to tidy up."""
    original, calls = getattr(owner, name), []

    def killing(*args, **more):
        calls.append(args)
        if len(calls) == call:
            before(*args)
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **more)

    monkeypatch.setattr(owner, name, killing)


def half_a_line(journal, record):
    with journal.journal.open('ab') as file:
        file.write(json.dumps(record).encode()[:50])


#: Places in an import of four videos of three frames: what is called when for the n-th time.
PLACES = {
    'between frames': (import_frames, '_place', 8),
    'before a line': (YouTubeVISJournal, '_append', 4),
    'in a line': (YouTubeVISJournal, '_append', 4, half_a_line),
    'at the end': (YouTubeVISJournal, 'finish', 1),
}


def killed(source, out, place, **more):
    """Start an import in a process of its own, which is killed."""

    def child():
        with pytest.MonkeyPatch.context() as monkeypatch:
            kill_at(monkeypatch, *PLACES[place])
            run(source, out, **more)

    process = multiprocessing.get_context('fork').Process(target=child)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (out / 'annotations.json').exists()


def count_reads(monkeypatch):
    read, names = id_masks._Reader._read, []

    def counting(reader, name, *args):
        names.append(name)
        return read(reader, name, *args)

    monkeypatch.setattr(id_masks._Reader, '_read', counting)
    return names


@pytest.mark.parametrize('place', PLACES)
def test_an_import_that_was_killed_goes_on(source, tmp_path, monkeypatch, place):
    run(source, tmp_path / 'whole')
    killed(source, tmp_path / 'out', place)
    names = count_reads(monkeypatch)
    imported = run(source, tmp_path / 'out')
    finished = 4 if place == 'at the end' else 2
    assert names == ['a', 'b', 'c', 'd'][finished:]
    assert (imported.videos, imported.objects, imported.pictures) == (4, {'car': 4}, 12)
    expected, found = files(tmp_path / 'whole'), files(tmp_path / 'out')
    del expected['config.py'], found['config.py']  # names its folder
    assert found == expected
    assert not list((tmp_path / 'out').glob('.annotations*'))


def test_what_was_said_of_finished_videos_is_said_again(source, tmp_path):
    (source / 'classes.csv').write_text('video,id,class\n,1,car\na,5,bus\n')
    bad = np.full(SIZE, 9, np.uint8)
    write_image(source / 'masks/a/1.png', bad)
    whole = run(source, tmp_path / 'whole', skip_bad=True)
    assert len(whole.report.left_out) == len(whole.report.notes) == 1

    killed(source, tmp_path / 'out', 'at the end', skip_bad=True)
    report = run(source, tmp_path / 'out', skip_bad=True).report
    assert (report.left_out, report.notes) == (whole.report.left_out, whole.report.notes)


def test_classes_that_no_file_declares_are_those_of_finished_videos_too(tmp_path):
    for video, value in (('a', 5001), ('b', 2001)):
        (tmp_path / f'labels/instances/{video}').mkdir(parents=True)
        write_image(tmp_path / f'labels/instances/{video}/0.png', np.full(SIZE, value, np.uint16))
    killed(tmp_path / 'labels', tmp_path / 'out', 'at the end')
    notes = run(tmp_path / 'labels', tmp_path / 'out').report.notes
    assert any('taken for those of KITTI MOTS, 1 car and 2 pedestrian' in note for note in notes)
    classes = dict(classes=[LabelClass('cup', 2), LabelClass('dog', 5)])
    notes = run(tmp_path / 'labels', tmp_path / 'named', special=classes).report.notes
    assert not any('KITTI' in note for note in notes)
    written = content(tmp_path / 'out')
    assert written['categories'] == [
        dict(id=1, name='car'),
        dict(id=2, name='pedestrian'),
        dict(id=5, name='class_5'),
    ]
    assert [entry['category_id'] for entry in written['annotations']] == [5, 2]


def test_an_import_does_not_go_on_with_another(source, tmp_path):
    out = tmp_path / 'out'
    killed(source, out, 'in a line')
    other = make_videos(tmp_path / 'other', 'a')
    for request in (
        dict(source=other),
        dict(source=source, frames=other),
        dict(source=source, special=dict(rgb_ids=True)),
    ):
        with pytest.raises(UserError, match='another import into this folder was interrupted'):
            import_labels.import_labels(ImportRequest(out=out, **request))
    assert run(source, out).videos == 4


def test_an_import_that_left_nothing_does_not_stand_in_the_way(source, tmp_path):
    with pytest.raises(UserError, match='has no video that can be read as labels of labelme'):
        run(source, tmp_path / 'out', format='labelme')
    assert run(source, tmp_path / 'out').videos == 4


def test_another_import_replaces_one_that_was_interrupted(source, tmp_path, monkeypatch):
    killed(source, tmp_path / 'out', 'in a line')
    other = make_videos(tmp_path / 'other', 'a')
    assert run(other, tmp_path / 'out', overwrite=True).videos == 1
    # the same import goes on, also where it replaces
    killed(source, tmp_path / 'again', 'in a line', overwrite=True)
    names = count_reads(monkeypatch)
    run(source, tmp_path / 'again', overwrite=True)
    assert names == ['c', 'd']


@pytest.mark.parametrize('changed', ['masks/a/1.png', 'images/a/1.png', 'masks/d/2.png'])
def test_an_import_begins_anew_where_files_have_changed(source, tmp_path, changed):
    killed(source, tmp_path / 'out', 'in a line')
    ids = np.zeros(SIZE, np.uint8)
    ids[0, 0] = 1
    write_image(source / changed, picture(3) if 'images' in changed else ids)
    notes = run(source, tmp_path / 'out', copy=True).report.notes
    assert [note.split(',')[0] for note in notes] == [
        'files have changed since the import into this folder was interrupted'
    ]
    assert run(source, tmp_path / 'whole', copy=True).report.notes == []
    expected, found = files(tmp_path / 'whole'), files(tmp_path / 'out')
    del expected['config.py'], found['config.py']
    assert found == expected


def test_too_many_videos_to_validate_on_stop_nothing_but_the_split(source, tmp_path, monkeypatch):
    with pytest.raises(UserError, match='--val: 4 videos, of which 4 to validate on'):
        run(source, tmp_path / 'out', val=4)
    names = count_reads(monkeypatch)
    imported = run(source, tmp_path / 'out', val=1)
    assert (imported.videos, names) == (4, [])


def test_a_split_of_the_import_before_is_told(source, tmp_path):
    run(source, tmp_path / 'out', val=1)
    (note,) = run(source, tmp_path / 'out', overwrite=True).report.notes
    assert note.startswith(f'{tmp_path}/out/train.json and {tmp_path}/out/val.json are of the')
    assert run(source, tmp_path / 'out', val=2, overwrite=True).report.notes == []


def test_an_import_that_stopped_goes_on_without_what_is_broken(source, tmp_path):
    (source / 'images/c/1.png').write_bytes(b'')
    with pytest.raises(UserError, match='video c, frame 1'):
        run(source, tmp_path / 'out')
    imported = run(source, tmp_path / 'out', skip_bad=True)
    assert (imported.videos, imported.frames, len(imported.report.left_out)) == (4, 11, 1)


def test_a_journal_that_is_none(source, tmp_path):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/.annotations.json.journal').write_text('{}\n')
    with pytest.raises(UserError, match='not what an import leaves when it is interrupted'):
        run(source, tmp_path / 'out')


def test_an_option_of_another_format(source, tmp_path):
    with pytest.raises(UserError, match='--keep-crowd: not for labels of masks'):
        run(source, tmp_path / 'out', special=dict(keep_crowd=True))
