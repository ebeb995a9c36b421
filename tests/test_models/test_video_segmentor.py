import numpy as np
import pytest
import torch

from mmvseg.errors import UserError
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.models.segmentors.window_order import UnfinishedVideoWarning
from mmvseg.structures import VideoDataSample, VideoInstances, VideoWindow


class Counter(VideoSegmentor):
    """Its one object has the value of the frame as score."""

    needs_whole_video = False

    def loss(self, inputs, data_samples):
        raise NotImplementedError

    def raw_outputs(self, inputs):
        raise NotImplementedError

    def begin(self, sample):
        return dict(sample=sample, values=[])

    def advance(self, state, window):
        state['values'] += window.frames[:, 0, 0, 0].tolist()

    def advance_live(self, state, window):
        return [objects([value]) for value in window.frames[:, 0, 0, 0].tolist()]

    def finish(self, state):
        result = VideoDataSample(metainfo=state['sample'].metainfo)
        result.pred = objects(state['values'])
        return result


class Patient(Counter):
    needs_whole_video = True


def objects(values):
    count = len(values)
    ids = np.zeros(count, int)
    return VideoInstances(np.array(values, float), ids, [[None]] * count, ids)


def window(*frame_ids, name='a', first=None, last=False, size=(4, 6), count=None):
    frames = torch.zeros((len(frame_ids) if count is None else count, 3, *size), dtype=torch.uint8)
    for frame, index in zip(frames, frame_ids, strict=False):
        frame[:] = index
    first = frame_ids[:1] == (0,) if first is None else first
    metainfo = dict(video_name=name, frame_ids=list(frame_ids), is_first=first, is_last=last)
    return VideoWindow(frames, VideoDataSample(metainfo=metainfo))


def test_videos_of_any_length_in_one_stream():
    found = Counter().predict([window(0, 1), window(2, last=True), window(0, name='b', last=True)])
    assert [sample.video_name for sample in found] == ['a', 'b']
    assert [sample.pred.scores.tolist() for sample in found] == [[0, 1, 2], [0]]


def test_broken_off_video_is_finished_before_the_next_one():
    """And the stream goes on: the next video is not disturbed."""
    windows = [window(0, 1), window(2), window(0, name='b'), window(1, name='b', last=True)]
    stream = Counter().stream(windows)
    with pytest.warns(UnfinishedVideoWarning, match="'a': ended after 3 frames") as caught:
        first = next(stream)
    assert caught[0].filename == __file__  # the reader of the stream is shown
    (second,) = stream
    assert (first.video_name, first.pred.scores.tolist()) == ('a', [0, 1, 2])
    assert (second.video_name, second.pred.scores.tolist()) == ('b', [0, 1])


def test_same_video_again_begins_anew():
    with pytest.warns(UnfinishedVideoWarning):
        found = Counter().predict([window(0, 1), window(0), window(1, last=True)])
    assert [sample.pred.scores.tolist() for sample in found] == [[0, 1], [0, 1]]


def test_windows_that_stop_coming_give_a_result():
    with pytest.warns(UnfinishedVideoWarning, match="'a': ended after 2 frames"):
        (sample,) = Counter().predict([window(0), window(1)])
    assert sample.pred.scores.tolist() == [0, 1]
    assert Counter().predict([]) == []


@pytest.mark.parametrize('method', ['stream', 'live'])
@pytest.mark.parametrize(
    ('windows', 'message'),
    [
        ([window(1)], "'a': a window of it comes while no video is open"),
        ([window(0, last=True), window(1)], "'a': .* while no video is open"),
        ([window(0), window(1, name='b')], "'b': .* while video 'a' is open"),
        ([window(0), window(2)], r"'a': .* frames \[2\]; frame 1 was to come"),
        ([window(0, 1), window(1)], r"'a': .* frames \[1\]; frame 2 was to come"),
        ([window(1, 0, first=True)], r'frames \[1, 0\]; frame 0 was'),
        ([window(5, 6, 7, 8, 9, first=True)], r'frames \[5, 6, \.\.\., 9\]; frame 0'),
        ([window(0), window()], r'window of 0 frames'),
        ([window(first=True, last=True)], r'window of 0 frames'),
        ([window(0), window(1, 2, count=1)], r'window of 1 frame .* \[1, 2\]'),
        (
            [window(0), window(1, size=(5, 6))],
            "'a': frame 1 is 6x5 pixels after resizing, the frames before are 6x4",
        ),
    ],
)
def test_windows_that_do_not_continue_their_video(windows, message, method):
    with pytest.raises(UserError, match=message):
        list(getattr(Counter(), method)(windows))


def test_videos_may_differ_in_size():
    found = Counter().predict([window(0, last=True), window(0, name='b', last=True, size=(8, 8))])
    assert len(found) == 2


def test_live_gives_every_frame_before_the_next_window_is_asked_for():
    asked = []

    def windows():
        for item in (window(0), window(1, 2), window(0, name='b')):
            asked.append(item.sample.frame_ids[0])
            yield item

    seen = []
    for index, instances in Counter().live(windows()):
        assert instances.scores.tolist() == [index]
        seen.append((index, len(asked)))
    assert seen == [(0, 1), (1, 2), (2, 2), (0, 3)]


def test_live_needs_a_model_that_does_not_wait():
    with pytest.raises(UserError, match=r'Patient needs the whole video.*MinVIS, DVISOnline'):
        Patient().live([])


def test_clips_need_a_preprocessor():
    with pytest.raises(UserError, match=r'^model\.data_preprocessor: .*VideoDataPreprocessor'):
        Counter()([torch.zeros(2, 3, 4, 6)], [])
