"""The result of a video as a user of Python gets it, for each task."""

import importlib
import json
import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from map_squares import write_map_checkpoint, write_map_config
from pycocotools import mask as coco_mask
from squares import square_frame, write_checkpoint, write_config, write_frames

from mmvseg.apis import VideoSegInferencer
from mmvseg.apis.reports import build_report
from mmvseg.errors import UserError
from mmvseg.media import open_source
from mmvseg.results import SegmentedVideo
from mmvseg.structures import CodedMaps, Segment, VideoInstances, VideoPanoptic, VideoSemantic
from mmvseg.visualization import build_painter

NAMES = dict(
    vis=['red', 'green', 'blue'],
    vps=['red', 'green', 'wall', 'floor'],
    vss=['wall', 'floor', 'green', 'red'],  # by their areas
)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('results')
    write_frames(folder / 'street')
    write_config(folder / 'vis.py')
    write_checkpoint(folder / 'vis.pth')
    for task in ('vps', 'vss'):
        write_map_config(folder / f'{task}.py', task)
        write_map_checkpoint(folder / f'{task}.pth')
    return folder


@pytest.fixture(scope='module')
def results(folder):
    """By task."""
    return {
        task: VideoSegInferencer(folder / f'{task}.py', folder / f'{task}.pth', 'cpu')(
            folder / 'street'
        )
        for task in NAMES
    }


@pytest.fixture(params=NAMES)
def result(results, request):
    return results[request.param]


def test_counts_per_frame(result):
    counts = result.count_per_frame()
    assert counts.dtype == np.int64
    assert counts.tolist() == [
        sum(track.mask(frame).any() for track in result) for frame in range(result.video_length)
    ]
    assert counts.any()
    gone = replace(result, pred=result.pred.of_labels([]))
    assert gone.count_per_frame().tolist() == [0] * result.video_length


def test_length_and_iteration(result):
    assert [track.name for track in result] == NAMES[result.task]
    assert len(result) == len(NAMES[result.task])
    assert result[0].name == NAMES[result.task][0]
    assert result[-1].name == NAMES[result.task][-1]
    assert result.video_name == 'street'
    assert result.frame_size == (48, 64)
    assert result.frame_seconds == pytest.approx([index / 6 for index in range(7)])
    said = dict(vis='3 tracks', vps='4 segments', vss='classes')[result.task]
    assert repr(result) == f"SegmentedVideo('street', {said} in 7 frames)"
    for track in result:
        assert len(track.masks) == len(track.boxes) == result.video_length == 7


def test_boxes_follow_the_red_square(result):
    (red,) = result.of('red')
    expected = [square_frame(index)[..., 0] > 200 for index in range(7)]
    for frame, truth in enumerate(expected):
        found = red.mask(frame)
        assert (found & truth).sum() / (found | truth).sum() > 0.7  # seen at half the size
        columns = np.flatnonzero(found.any(0))
        rows = np.flatnonzero(found.any(1))
        box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        np.testing.assert_array_equal(red.boxes[frame], box)
        assert red.areas[frame] == found.sum()


def test_above(results):
    assert [track.name for track in results['vis'].above(0.5)] == ['red', 'green']
    assert [track.name for track in results['vps'].above(0.75)] == ['red', 'wall']
    assert type(results['vis'].above(2.0).pred) is VideoInstances
    assert len(results['vis'].above(2.0)) == 0
    with pytest.raises(UserError, match='a semantic result has no scores'):
        results['vss'].above(0.5)


def test_distinct(results):
    for task in ('vps', 'vss'):
        assert results[task].distinct() is results[task]
    result = results['vis']
    pred = result.pred.select(np.array([0, 0, 1]))
    pred.labels, pred.scores = np.array([0, 2, 1]), np.array([0.4, 0.9, 0.5])
    double = SegmentedVideo(pred, result.metainfo, 'double', (48, 64), result.frame_seconds)
    assert [track.name for track in double] == ['red', 'blue', 'green']
    assert [track.name for track in double.distinct()] == ['blue', 'green']


def test_of(result):
    chosen = result.of('green', 'red')
    assert sorted(track.name for track in chosen) == ['green', 'red']
    assert len(result) == len(NAMES[result.task])  # the result itself stays
    assert chosen.of('green').count() == dict(green=1)
    assert chosen.video_length == 7
    with pytest.raises(UserError, match="'gren' is no class of the model; did you mean green"):
        result.of('red', 'gren')
    with pytest.raises(UserError, match="'x' is no class of the model; the model knows red, green"):
        result.of('x')
    for wrong in ([], [['red', 'green']]):
        with pytest.raises(UserError, match='by their names'):
            result.of(*wrong)


def test_the_result_itself_stays_as_it_was(results):
    """What was documented of the interface before there were tracks."""
    sample = results['vis']
    tracks = sample.pred.above(0.3)
    assert tracks.labels.tolist() == [0, 1]
    assert coco_mask.decode(tracks.masks[0][0]).sum() == 256
    assert (sample.video_length, len(sample.frame_seconds)) == (7, 7)


def test_coco_entries_are_those_of_the_command_line(results):
    result = results['vis'].above(0.3)
    entries = result.to_coco(video_id=5)
    seconds = [round(seconds, 6) for seconds in result.frame_seconds]
    report = build_report(results['vis'].pred, result.metainfo, 0.3, all_tracks=True)
    expected = report.entries()
    assert entries == [dict(entry, video_id=5, seconds=seconds) for entry in expected]
    assert json.loads(json.dumps(entries)) == entries


def test_coco_entries_hold_the_masks(result):
    for entry, track in zip(json.loads(json.dumps(result.to_coco())), result, strict=True):
        assert (entry['track_id'], entry['category']) == (track.id, track.name)
        assert (entry['score'], entry['category_id']) == (track.score, track.category_id)
        for frame, code in enumerate(entry['segmentations']):
            mask = np.zeros((48, 64)) if code is None else coco_mask.decode(code)
            np.testing.assert_array_equal(mask, track.mask(frame))


def test_rows(result):
    rows = list(result.rows())
    by_place = {(row['track_id'], row['frame']): row for row in rows}
    assert len(by_place) == len(rows) == sum(len(track.frames) for track in result)
    for track in result:
        for frame in track.frames:
            row = by_place[track.id, frame]
            assert (row['video'], row['category']) == ('street', track.name)
            assert row['seconds'] == pytest.approx(frame / 6, abs=1e-6)
            assert [row[key] for key in ('x1', 'y1', 'x2', 'y2')] == track.boxes[frame].tolist()
            assert row['area'] == track.areas[frame] > 0
            assert row['score'] == (None if track.score is None else pytest.approx(track.score))


def test_dataframe(result):
    pandas = pytest.importorskip('pandas')
    table = result.to_dataframe()
    assert len(table) == len(list(result.rows()))
    totals = {track.name: track.areas.sum() for track in result if track.areas.any()}
    assert table.groupby('category').area.sum().to_dict() == totals
    nothing = result.of('red').to_dataframe().iloc[:0]
    assert table.iloc[:0].dtypes.equals(nothing.dtypes)
    assert pandas.api.types.is_float_dtype(table.score)


def test_a_table_of_nothing_has_the_same_columns(results):
    pytest.importorskip('pandas')
    result = results['vis']
    table, empty = result.to_dataframe(), result.above(2.0).to_dataframe()
    assert len(empty) == 0
    assert empty.dtypes.equals(table.dtypes)


def check_detections(detections, result, frame):
    """Ids, classes, boxes and masks are ours."""
    seen = [track for track in result if track.areas[frame]]
    assert detections.tracker_id.tolist() == [track.id for track in seen]
    assert detections.class_id.tolist() == [track.label for track in seen]
    assert detections.data['class_name'].tolist() == [track.name for track in seen]
    if result.task == 'vss':
        assert detections.confidence is None
    else:
        np.testing.assert_allclose(detections.confidence, [track.score for track in seen])
    masks = np.asarray(detections.mask)
    assert masks.shape == (len(seen), 48, 64)
    for index, track in enumerate(seen):
        np.testing.assert_array_equal(masks[index], track.mask(frame))
        np.testing.assert_array_equal(detections.xyxy[index], track.boxes[frame])


def test_supervision(result):
    supervision = pytest.importorskip('supervision')
    for frame in (*range(7), -1):
        detections = result.to_supervision(frame)
        check_detections(detections, result, frame)
        if hasattr(getattr(supervision, 'CompactMask', None), 'from_coco_rle'):
            assert isinstance(detections.mask, supervision.CompactMask)
    assert len(detections[detections.class_id == 0]) == 1
    with pytest.raises(UserError, match=r'street: there is no frame 7, the result has 7'):
        result.to_supervision(7)


def test_supervision_without_compact_masks(result, monkeypatch):
    supervision = pytest.importorskip('supervision')
    monkeypatch.delattr(supervision, 'CompactMask', raising=False)
    detections = result.to_supervision(3)
    assert detections.mask.dtype == bool
    check_detections(detections, result, 3)


def test_supervision_of_nothing(results):
    pytest.importorskip('supervision')
    detections = results['vis'].of('blue').to_supervision(0)
    assert len(detections) == 0
    assert np.asarray(detections.mask).shape == (0, 48, 64)


@pytest.mark.parametrize(
    ('package', 'call'), [('pandas', 'to_dataframe'), ('supervision', 'to_supervision')]
)
def test_what_to_install(results, monkeypatch, package, call):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=f'pip install {package}'):
        getattr(results['vis'], call)(*[0] * (package == 'supervision'))


def test_neither_package_is_imported_without_need():
    for name in ('segmented_video', 'exports', 'track'):
        module = importlib.import_module(f'mmvseg.results.{name}')
        assert not {'pandas', 'supervision'} & set(vars(module))


def test_draw(result, folder):
    drawn = list(result.draw(folder / 'street'))
    assert len(drawn) == 7
    painter = build_painter(result.task, result.metainfo)
    for frame in open_source(folder / 'street'):
        expected = painter.draw(frame.image, result.pred, frame.index)
        np.testing.assert_array_equal(drawn[frame.index], expected)


def test_draw_a_class_leaves_the_others_as_they_are(result):
    image, pred = square_frame(0), result.pred
    if result.task == 'vis':
        red = pred.select(np.array([0]))
    elif result.task == 'vps':
        red = VideoPanoptic(pred.segments[:1], pred.maps)
    else:
        red = VideoSemantic([np.where(pred.maps[0] == 0, 0, 65535).astype(np.uint16)])
    expected = build_painter(result.task, result.metainfo).draw(image, red, 0)
    (drawn,) = result.of('red').draw([image])
    np.testing.assert_array_equal(drawn, expected)
    assert (drawn[:48] != image).any()


def test_draw_takes_no_more_frames_than_there_are(results):
    result = results['vis']
    frames = [square_frame(index) for index in range(7)]
    assert len(list(result.draw(frames[:3]))) == 3
    assert len(list(result.draw(frames + frames))) == 7
    lazy = (frame for frame in frames)
    next(result.draw(lazy))
    assert next(lazy) is frames[1]  # one at a time
    with pytest.raises(UserError, match=r'frames of \(height, width\) \(40, 64\) do not fit'):
        result.draw([square_frame(0, height=40)])


def test_it_can_be_made_of_any_result(results):
    given = results['vis']
    made = SegmentedVideo(given.pred, given.metainfo, 'mine', (48, 64), given.frame_seconds)
    assert [track.id for track in made] == [track.id for track in given]


def test_tracks_of_two_classes_may_share_a_number(results):
    given = results['vis']
    shared = replace(given, pred=replace(given.pred, track_ids=np.full(len(given), 6)))
    names = [(entry['track_id'], entry['category']) for entry in shared.to_coco()]
    assert names == [(6, 'red'), (6, 'green'), (6, 'blue')]
    assert len({(row['track_id'], row['category'], row['frame']) for row in shared.rows()}) == 14
    assert shared.count_per_frame().tolist() == given.count_per_frame().tolist()


@pytest.mark.parametrize('task', ['vis', 'vps'])
def test_what_is_dense_is_made_frame_by_frame(task):
    """Tables, entries and drawings of 300 frames take far less than one track's dense masks."""
    length, size = 300, (180, 240)  # 13 MB a track
    square = np.zeros(size, np.uint8)
    square[40:90, 60:120] = 1
    if task == 'vis':
        code = coco_mask.encode(np.asfortranarray(square))
        pred = VideoInstances(np.ones(2), np.arange(2), [[code] * length] * 2, np.arange(2))
    else:
        pred = VideoPanoptic([Segment(1, 0, True, 1.0, 0)], CodedMaps([square] * length))
    meta = dict(classes=('a', 'b'), category_ids=(1, 2), palette=((9, 9, 9), (99, 9, 9)))
    result = SegmentedVideo(pred, meta, 'long', size, [index / 25 for index in range(length)])
    frame = np.zeros((*size, 3), np.uint8)
    next(result.draw([frame]))  # fonts
    tracemalloc.start()
    try:
        assert sum(row['area'] for row in result.rows()) == 3000 * length * len(result)
        assert sum(mask is not None for mask in result[0].masks) == length
        assert sum(1 for _ in result.draw(frame.copy() for _ in range(length))) == length
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3_000_000
