"""What all exports stand on: input, drafts, frames, the folder that is written."""

import json
import zipfile

import numpy as np
import pytest
from label_scenes import random_scene, results_of, write
from PIL import Image
from tool import run_tool

from mmvseg.apis.export_drafts import MAX_OVERLAP, MIN_SCORE, DraftChoice
from mmvseg.apis.export_labels import ExportRequest, export_labels
from mmvseg.commands import data_export
from mmvseg.errors import UserError
from mmvseg.formats.label_exports.exporters import FORMATS
from mmvseg.formats.label_exports.options import ExportOptions


@pytest.fixture
def scene():
    return random_scene(5, frames=4)


@pytest.fixture
def annotations(scene, tmp_path):
    return write(tmp_path / 'scene.json', scene)


@pytest.fixture
def frames(scene, tmp_path):
    """The pictures of the scene, each of a grey of its own."""
    for video in scene['videos']:
        for place, name in enumerate(video['file_names']):
            path = tmp_path / 'frames' / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full((24, 36), 40 * place, np.uint8)).save(path)
    return tmp_path / 'frames'


@pytest.fixture
def export(tmp_path):
    def run(source, **more):
        return export_labels(ExportRequest('cvat', source, tmp_path / 'out', **more))

    return run


def members(path):
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_annotations_are_exported_with_all_objects(export, annotations, tmp_path):
    done = export(annotations)
    assert (done.videos, done.frames, sum(done.objects.values())) == (2, 8, 6)
    assert done.left_out == []
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == [
        *('clip 1.zip', 'clip 2.zip', 'labels.json')
    ]
    assert members(tmp_path / 'out/clip 1.zip') == ['annotations.xml']


def test_results_become_drafts_by_score(export, scene, annotations, tmp_path):
    results = results_of(scene, [0.9, 0.4, 0.6, 0.5, 0.1, 0.2])
    path = write(tmp_path / 'results.json', results)
    done = export(path, ann=annotations, choice=DraftChoice(max_overlap=1))
    assert sum(done.objects.values()) == 3
    assert done.left_out == ['3 of 6 results score below 0.5 (--min-score)']


def test_of_results_that_show_the_same_the_better_stays(export, scene, annotations, tmp_path):
    results = results_of(scene, [0.9, 0.8, 0.7, 0.9, 0.8, 0.7])
    double = dict(results[0], score=0.95, category_id=2)
    path = write(tmp_path / 'results.json', [*results, double])
    done = export(path, ann=annotations)
    assert sum(done.objects.values()) == 6
    (line,) = done.left_out
    assert line.startswith('1 of 7 results have more than 0.5 in common')
    text = zipfile.ZipFile(tmp_path / 'out/clip 1.zip').read('annotations.xml').decode()
    first = text[text.index('<track') :][:60]
    assert 'label="Fußgänger"' in first  # the highest score is first, and lies in front


def test_tracks_of_one_video_are_exported(export, scene, tmp_path):
    tracks = [
        dict(result, category='cup', track_id=7 + place, seconds=[0.0] * 4)
        for place, result in enumerate(results_of(scene, [0.9] * 6)[:2])
    ]
    path = write(tmp_path / 'street.json', tracks)
    done = export(path, choice=DraftChoice(max_overlap=1))
    assert (done.videos, done.frames) == (1, 4)
    assert [*done.objects] == ['cup']
    text = zipfile.ZipFile(tmp_path / 'out/street.zip').read('annotations.xml').decode()
    assert '<attribute name="track_id">7<' in text
    assert '<name>street</name>' in text


def test_frames_are_exported_by_number(export, annotations, frames, tmp_path):
    export(annotations, root=frames, special=dict(with_frames=True))
    assert members(tmp_path / 'out/clip 1.zip')[1:] == [
        f'images/frame_00000{n}.jpg' for n in range(4)
    ]
    with zipfile.ZipFile(tmp_path / 'out/clip 1.zip') as archive:
        picture = archive.read('images/frame_000002.jpg')
    assert picture == (frames / 'clip 1/002.jpg').read_bytes()


def test_frames_of_tracks_come_from_their_video(export, scene, tmp_path):
    from mmvseg.media import VideoWriter

    with VideoWriter(tmp_path / 'street.mp4', 5) as writer:
        for place in range(4):
            writer.write(np.full((24, 36, 3), 60 * place, np.uint8))
    tracks = [
        dict(result, category='cup', track_id=1, seconds=[0.0] * 4)
        for result in results_of(scene, [0.9] * 6)[:1]
    ]
    path = write(tmp_path / 'street.json', tracks)
    export(path, root=tmp_path / 'street.mp4', special=dict(with_frames=True))
    with (
        zipfile.ZipFile(tmp_path / 'out/street.zip') as archive,
        archive.open('images/frame_000002.jpg') as picture,
    ):
        assert abs(np.asarray(Image.open(picture)).mean() - 120) < 6


def test_a_frame_of_another_size_is_told(export, annotations, frames):
    path = next(frames.rglob('*.jpg'))
    Image.fromarray(np.zeros((24, 35), np.uint8)).save(path)
    with pytest.raises(UserError, match=r'clip \d: 35x24 pixels, the annotations have 36x24'):
        export(annotations, root=frames, special=dict(with_frames=True))


def test_a_video_of_another_size_is_told(export, scene, tmp_path):
    (tmp_path / 'other').mkdir()
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / 'other/0.jpg')
    tracks = [
        dict(result, category='cup', track_id=1, seconds=[0.0] * 4)
        for result in results_of(scene, [0.9] * 6)[:1]
    ]
    path = write(tmp_path / 'street.json', tracks)
    with pytest.raises(UserError, match=r'1 frame of height and width \(9, 9\)'):
        export(path, root=tmp_path / 'other')


def test_a_video_that_is_too_short_is_told(export, scene, tmp_path):
    from mmvseg.media import VideoWriter

    with VideoWriter(tmp_path / 'street.mp4', 5) as writer:
        for _ in range(3):
            writer.write(np.zeros((24, 36, 3), np.uint8))
    tracks = [
        dict(result, category='cup', track_id=1, seconds=[0.0] * 4)
        for result in results_of(scene, [0.9] * 6)[:1]
    ]
    path = write(tmp_path / 'street.json', tracks)
    with pytest.raises(UserError, match=r'has 3 frames, frame 3 \(from 0\) is wanted'):
        export(path, root=tmp_path / 'street.mp4', special=dict(with_frames=True))
    assert not [*(tmp_path / 'out').iterdir()]


def test_a_missing_frame_is_told(export, annotations, frames):
    (frames / 'clip 2/001.jpg').unlink()
    with pytest.raises(UserError, match=r'video clip 2: .*clip 2/001.jpg: no such frame'):
        export(annotations, root=frames)


def test_frames_that_lead_out_are_refused_unless_allowed(export, annotations, frames, tmp_path):
    (frames / 'clip 1').rename(tmp_path / 'elsewhere')
    (frames / 'clip 1').symlink_to(tmp_path / 'elsewhere')
    with pytest.raises(UserError, match='a link leads out'):
        export(annotations, root=frames)
    assert export(annotations, root=frames, allow_outside_root=True).videos == 2


def test_videos_of_one_folder_get_names_of_their_own(export, scene, tmp_path):
    for video in scene['videos']:
        video['file_names'] = [name.replace('clip 2', 'clip 1') for name in video['file_names']]
    export(write(tmp_path / 'scene.json', scene))
    assert (tmp_path / 'out/clip 1_2.zip').exists()


def test_a_folder_with_something_in_it_is_refused(export, annotations, tmp_path):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/mine.txt').touch()
    with pytest.raises(UserError, match='is not empty'):
        export(annotations)
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['mine.txt']


def test_what_a_stopped_run_left_is_no_hindrance(export, annotations, tmp_path):
    (tmp_path / 'out/.export').mkdir(parents=True)
    (tmp_path / 'out/.export/old.zip').touch()
    export(annotations)
    assert not (tmp_path / 'out/old.zip').exists()
    assert not (tmp_path / 'out/.export').exists()


@pytest.mark.parametrize(
    ('more', 'match'),
    [
        (dict(choice=DraftChoice(0.3)), '--min-score and --max-overlap are for results'),
        (dict(special=dict(min_iou=1.5)), '--min-iou 1.5: must be above 0'),
        (dict(special=dict(with_frames=True)), '--with-frames: needs --root'),
    ],
)
def test_options_that_do_not_fit_are_told(export, annotations, more, match):
    with pytest.raises(UserError, match=match):
        export(annotations, **more)


def test_annotations_of_no_known_class_are_told(export, scene, tmp_path):
    scene['annotations'][1]['category_id'] = 99
    done = export(write(tmp_path / 'odd.json', scene))
    assert sum(done.objects.values()) == 5
    (line,) = done.left_out
    assert line.startswith(f'annotation {scene["annotations"][1]["id"]}: category 99, video ')


def test_annotations_without_objects_are_told(export, scene, tmp_path):
    path = write(tmp_path / 'test.json', dict(scene, annotations=None))
    with pytest.raises(UserError, match=r'annotates nothing; .* --ann'):
        export(path)


def test_results_of_another_data_set_are_told(export, scene, annotations, tmp_path):
    results = results_of(scene, [0.9] * 6)
    results[1]['video_id'] = 9
    with pytest.raises(UserError, match='entry 1: video_id 9'):
        export(write(tmp_path / 'results.json', results), ann=annotations)


def test_the_command_tells_what_it_did(scene, annotations, tmp_path, capsys):
    results = write(tmp_path / 'results.json', results_of(scene, [0.9, 0.8, 0.1] * 2))
    words = ['cvat', results, '--out', tmp_path / 'out', '--masks', '--ann', annotations]
    words += ['--min-score', 0.2, '--max-overlap', 1]
    assert run_tool('dataset_converters/export_labels', *map(str, words)) == 0
    shown = capsys.readouterr().out
    assert f'{tmp_path}/out: 2 videos, 8 frames, 4 objects of 3 classes\n' in shown
    assert 'left out: 2 of 6 results score below 0.2 (--min-score)\n' in shown


def test_the_command_names_what_there_is():
    assert tuple(FORMATS) == data_export.FORMATS
    assert (data_export.MIN_SCORE, data_export.MAX_OVERLAP) == (MIN_SCORE, MAX_OVERLAP)
    assert ExportOptions().min_iou == data_export.MIN_IOU


def test_equal_exports_are_equal_files(annotations, frames, tmp_path):
    for name in 'ab':
        request = ExportRequest(
            'cvat', annotations, tmp_path / name, root=frames, special=dict(with_frames=True)
        )
        export_labels(request)
    one, other = ((tmp_path / name / 'clip 1.zip').read_bytes() for name in 'ab')
    assert one == other


def test_json_of_neither_kind_is_told(export, tmp_path):
    with pytest.raises(UserError, match='not a YouTube-VIS file'):
        export(write(tmp_path / 'x.json', dict(a=1)))
    with pytest.raises(UserError, match='--ann'):
        export(
            write(tmp_path / 'y.json', [dict(video_id=1, category_id=1, score=1, segmentations=[])])
        )
    with pytest.raises(UserError, match='cannot be read'):
        export(tmp_path / 'z.json')
    assert json.loads((tmp_path / 'x.json').read_text()) == dict(a=1)
