import json
import threading
import time
import weakref

import numpy as np
import pytest
import torch
from mmengine.config import Config
from PIL import Image
from pycocotools import mask as coco_mask
from squares import (
    CLASSES,
    SCORES,
    SquareSegmentor,
    square_frame,
    write_checkpoint,
    write_config,
    write_frames,
    write_scene,
)
from video_server import serve

from mmvseg.apis import VideoSegInferencer
from mmvseg.apis import inferencer as inferencer_module
from mmvseg.datasets import YouTubeVISDataset
from mmvseg.errors import UserError
from mmvseg.media import DamagedVideoWarning, Frame, VideoWriter, open_source


class Unsafe:
    """Something that only unpickling restores."""


class Synthetic:
    """Frames that are made when asked for, and tell how many are held at a time."""

    name, fps, size, length, damage, is_live = 'synthetic', 25, (48, 64), None, None, False

    def __init__(self, count, is_live=False, pause_s=0.0):
        self.count, self.is_live, self.pause_s = count, is_live, pause_s
        self.images, self.most_held, self.closed = weakref.WeakSet(), 0, False

    def __iter__(self):
        try:
            for index in range(self.count):
                image = square_frame(index % 7).view(Watched)
                self.images.add(image)
                self.most_held = max(self.most_held, len(self.images))
                yield Frame(index, index / 25, image)
                del image
                time.sleep(self.pause_s)
        finally:
            self.closed = True

    def frame_path(self, index):
        return str(index)


class Watched(np.ndarray):
    """Arrays that can be counted."""

    __hash__ = object.__hash__


@pytest.fixture
def folder(tmp_path):
    write_scene(tmp_path)
    return tmp_path


def build(folder, **kwargs):
    return VideoSegInferencer(folder / 'squares.py', folder / 'squares.pth', 'cpu', **kwargs)


def test_tracks_at_the_size_of_the_input(folder):
    inferencer = build(folder)
    assert inferencer.classes == CLASSES
    assert inferencer.category_ids == (5, 6, 9)
    sample = inferencer(folder / 'frames')
    assert sample.video_length == 7
    np.testing.assert_allclose(sample.pred.scores, SCORES)
    for track in range(2):
        assert len(sample.pred.masks[track]) == 7
    for index, rle in enumerate(sample.pred.masks[0]):
        expected = square_frame(index)[..., 0] > 200
        found = coco_mask.decode(rle) > 0
        assert found.shape == (48, 64)
        assert (found & expected).sum() / (found | expected).sum() > 0.7  # seen at half the size
    assert sample.pred.masks[2] == [None] * 7


def test_a_video_file_gives_the_same_tracks_as_its_frames(folder):
    with VideoWriter(folder / 'clip.mp4', 10, crf=1) as writer:
        for _, _, image in open_source(folder / 'frames'):
            writer.write(image)
    inferencer = build(folder)
    from_file, from_folder = (inferencer(folder / name).pred for name in ('clip.mp4', 'frames'))
    for mine, theirs in zip(from_file.masks[0], from_folder.masks[0], strict=True):
        assert coco_mask.iou([mine], [theirs], [0])[0, 0] > 0.8


@pytest.mark.parametrize('window_size', [1, 3, 7, 20])
def test_windows_equal_those_of_a_test_dataset(folder, window_size):
    """Frames, order and meta information, for all ways in which windows can end."""
    names = [f'frames/{index:05d}.png' for index in range(7)]
    video = dict(id=1, file_names=names, height=48, width=64, length=7)
    categories = [dict(id=1, name='red')]
    (folder / 'gt.json').write_text(json.dumps(dict(videos=[video], categories=categories)))
    write_config(folder / 'squares.py', window_size)
    cfg = Config.fromfile(folder / 'squares.py').test_dataloader.dataset
    dataset = YouTubeVISDataset(
        ann_file='gt.json',
        data_root=str(folder),
        window_size=window_size,
        test_mode=True,
        pipeline=cfg.pipeline,
    )
    inferencer = build(folder)
    windows = list(inferencer.windows(open_source(folder / 'frames')))
    assert len(windows) == len(dataset)
    for window, item in zip(windows, dataset, strict=True):
        torch.testing.assert_close(window.frames, item['inputs'], rtol=0, atol=0)
        assert window.sample.metainfo == item['data_samples'].metainfo


def test_windows_reach_the_model_in_order(folder, monkeypatch):
    taken, windows = [], []
    inferencer = build(folder)
    advance = inferencer.model.advance

    def spy(state, window):
        windows.append(window.sample)
        advance(state, window)

    monkeypatch.setattr(inferencer.model, 'advance', spy)
    inferencer(open_source(folder / 'frames'), taken.append)
    assert taken == [3, 3, 1]
    assert [w.frame_ids for w in windows] == [[0, 1, 2], [3, 4, 5], [6]]
    assert [w.is_last for w in windows] == [False, False, True]


def test_frames_are_sent_ahead_to_the_device(folder, monkeypatch):
    devices = []
    send = inferencer_module.send_ahead
    monkeypatch.setattr(
        inferencer_module,
        'send_ahead',
        lambda windows, device: devices.append(device) or send(windows, device),
    )
    inferencer = build(folder)
    inferencer(open_source(folder / 'frames'))
    assert devices == [inferencer.device]


def test_cfg_options_and_ready_configs(folder):
    options = {'test_dataloader.dataset.window_size': 5}
    assert build(folder, cfg_options=options).window_size == 5
    cfg = Config.fromfile(folder / 'squares.py')
    inferencer = VideoSegInferencer(cfg, folder / 'squares.pth', 'cpu', options)
    assert inferencer.window_size == 5
    assert cfg.test_dataloader.dataset.window_size == 3  # the caller's config stays


def test_precision(folder):
    first, *_ = build(folder)(folder / 'frames')
    cfg = Config.fromfile(folder / 'squares.py')
    cfg.test_cfg = dict(precision='bf16')
    by_config = VideoSegInferencer(cfg, folder / 'squares.pth', 'cpu')
    half = build(folder, precision='auto')
    assert (by_config.dtype, half.dtype) == (torch.bfloat16, torch.bfloat16)
    assert next(iter(half(folder / 'frames'))).score == pytest.approx(first.score, abs=0.01)
    with pytest.raises(UserError, match='needs a GPU'):
        build(folder, precision='fp16')


def test_models_are_prepared_unless_they_are_to_stay(folder, monkeypatch):
    prepared = []
    monkeypatch.setattr(
        inferencer_module,
        'prepare_for_inference',
        lambda *given: prepared.append(given) or given[0],
    )
    build(folder, prepare=False)
    assert not prepared
    inferencer = build(folder, precision='bf16')
    assert prepared == [(inferencer.model, torch.bfloat16)]


def test_truncated_video_warns_and_keeps_its_frames(folder):
    rng = np.random.default_rng(0)
    with VideoWriter(folder / 'cut.mp4', 10) as writer:
        for index in range(40):
            noise = rng.integers(0, 99, (48, 64, 3), dtype=np.uint8)
            writer.write(square_frame(index % 7) // 2 + noise)
    whole = (folder / 'cut.mp4').read_bytes()
    (folder / 'cut.mp4').write_bytes(whole[: len(whole) // 2])
    with pytest.warns(DamagedVideoWarning, match=r'cut\.mp4: read \d+ frames of 40'):
        sample = build(folder)(folder / 'cut.mp4')
    assert 5 < sample.video_length < 40
    assert len(sample.pred.masks[0]) == sample.video_length


def test_errors_of_the_decoding_thread_arrive(folder):
    path = folder / 'frames' / '00004.png'
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(UserError, match=r'00004\.png'):
        build(folder)(folder / 'frames')
    assert not [thread for thread in threading.enumerate() if thread.name == 'prefetch']


@pytest.mark.parametrize('live', [False, True])
def test_memory_does_not_grow_with_the_video(folder, live):
    write_config(folder / 'squares.py', live=live)
    inferencer = build(folder)
    most_held = []
    for count in (30, 200):
        source = Synthetic(count)
        taken = sum(1 for _ in inferencer.live(source)) if live else inferencer(source).video_length
        assert taken == count
        most_held.append(source.most_held)
    # a window of 3 frames that is being filled and one in the making; finished ones are resized
    assert max(most_held) <= (6 if live else 8), most_held


def test_live_reports_every_frame_of_a_file_as_it_comes(folder):
    write_config(folder / 'squares.py', live=True)
    inferencer = build(folder)
    whole = inferencer(folder / 'frames').pred
    pairs = list(inferencer.live(folder / 'frames'))
    assert [frame.index for frame, _ in pairs] == list(range(7))
    assert [frame.seconds for frame, _ in pairs] == pytest.approx(np.arange(7) / 6)
    for frame, objects in pairs:
        np.testing.assert_array_equal(frame.image, square_frame(frame.index))
        assert objects.track_ids.tolist() == whole.track_ids.tolist()
        assert [tube[0] for tube in objects.masks] == [tube[frame.index] for tube in whole.masks]


def test_live_takes_the_newest_frame_of_a_camera(folder):
    """The model is slower than the camera; time goes on, the numbers have no gaps."""
    write_config(folder / 'squares.py', live=True)
    source = Synthetic(60, is_live=True, pause_s=0.005)
    pairs = []
    for pair in build(folder).live(source):
        pairs.append(pair)
        time.sleep(0.04)
    assert [frame.index for frame, _ in pairs] == list(range(len(pairs)))
    assert 2 <= len(pairs) < 40
    assert pairs[-1][0].seconds == pytest.approx(59 / 25)  # the last is never left out


def test_closing_a_live_run_releases_the_source(folder):
    write_config(folder / 'squares.py', live=True)
    source = Synthetic(10_000)
    run = build(folder).live(source)
    next(run)
    assert torch.zeros(1, requires_grad=True).add(1).requires_grad  # inference mode stays inside
    run.close()
    assert source.closed
    assert not [thread for thread in threading.enumerate() if thread.name == 'prefetch']


def test_live_of_a_broken_file_keeps_its_frames(folder):
    write_config(folder / 'squares.py', live=True)
    source = Synthetic(5)
    source.damage = 'synthetic: broke off after 5 frames'
    with pytest.warns(DamagedVideoWarning, match='broke off after 5 frames'):
        assert len(list(build(folder).live(source))) == 5


def test_live_needs_a_model_that_does_not_wait(folder):
    with pytest.raises(UserError, match=f'{SquareSegmentor.__name__} needs the whole video'):
        build(folder).live(folder / 'frames')


def test_class_names_from_the_data_where_the_checkpoint_has_none(folder):
    write_checkpoint(folder / 'squares.pth', note='no classes')
    with pytest.raises(UserError, match=r'does not name its classes.*absent\.json'):
        build(folder)
    content = dict(videos=[], categories=[dict(id=i, name=n) for i, n in enumerate(CLASSES, 7)])
    (folder / 'gt.json').write_text(json.dumps(content))
    options = {'test_dataloader.dataset.ann_file': str(folder / 'gt.json')}
    inferencer = build(folder, cfg_options=options)
    assert (inferencer.classes, inferencer.category_ids) == (CLASSES, (7, 8, 9))


def test_checkpoint_of_another_model_is_refused(folder):
    torch.save(dict(state_dict=dict(weight=torch.zeros(3))), folder / 'squares.pth')
    with pytest.raises(UserError):
        build(folder)


def test_what_stays_unfilled_is_for_the_caller_to_allow(folder):
    meta = dict(dataset_meta=dict(classes=CLASSES))
    torch.save(dict(state_dict=dict(other=torch.zeros(3)), meta=meta), folder / 'squares.pth')
    with pytest.raises(UserError, match='--allow-missing scores'):
        build(folder, cfg_options=dict(allow_missing=['scores']))  # for the start of a training
    assert build(folder, allow_missing=['scores']).classes == CLASSES


def test_pickles_are_for_the_caller_to_allow(folder):
    write_checkpoint(folder / 'squares.pth', dataset_meta=dict(classes=CLASSES), made=Unsafe())
    with pytest.raises(UserError, match='--allow-pickle'):
        build(folder)
    assert build(folder, allow_pickle=True).classes == CLASSES


def test_pipeline_must_begin_with_loading(folder):
    text = (folder / 'squares.py').read_text().replace("dict(type='LoadClip'), ", '')
    (folder / 'squares.py').write_text(text)
    with pytest.raises(UserError, match='must begin with LoadClip'):
        build(folder)


def test_frames_in_memory_give_what_their_files_give(folder):
    inferencer = build(folder)
    expected = inferencer(folder / 'frames').pred
    frames = [square_frame(index) for index in range(7)]
    for given in (frames, np.stack(frames), [Image.fromarray(frame) for frame in frames]):
        sample = inferencer(given)
        assert sample.pred.masks == expected.masks
        assert (sample.video_name, sample.video_length) == ('frames', 7)
    with pytest.raises(UserError, match='frame 0: float64 is not uint8, 0 to 255'):
        inferencer(np.stack(frames) / 255)
    assert repr(sample) == "SegmentedVideo('frames', 3 tracks in 7 frames)"
    assert repr(inferencer) == 'VideoSegInferencer(SquareSegmentor, 3 classes, on cpu)'


def test_live_takes_frames_in_memory(folder):
    write_config(folder / 'squares.py', live=True)
    grey = [square_frame(index)[..., 0] for index in range(3)]
    pairs = list(build(folder).live(grey))
    np.testing.assert_array_equal(pairs[2][0].image, grey[2][..., None].repeat(3, 2))


def test_the_caller_may_end_the_video(folder, recwarn):
    inferencer = build(folder)
    sample = inferencer(folder / 'frames', lambda count: False)
    assert sample.video_length == 3
    assert [len(tube) for tube in sample.pred.masks] == [3, 3, 3]
    assert not recwarn.list
    assert inferencer(folder / 'frames', lambda count: None).video_length == 7


def test_frames_of_a_generator_give_what_their_files_give(folder):
    inferencer = build(folder)
    expected = inferencer(folder / 'frames')
    result = inferencer(square_frame(index) for index in range(7))
    assert result.pred.masks == expected.pred.masks
    assert result.video_length == 7
    write_config(folder / 'squares.py', live=True)
    pairs = list(build(folder).live(square_frame(index) for index in range(3)))
    assert [frame.index for frame, _ in pairs] == [0, 1, 2]


def test_a_video_on_a_server_gives_what_its_file_gives(folder):
    with VideoWriter(folder / 'clip.mp4', 10, crf=1) as writer:
        for index in range(7):
            writer.write(square_frame(index))
    inferencer = build(folder)
    with serve((folder / 'clip.mp4').read_bytes()) as address:
        result = inferencer(address)
    expected = inferencer(folder / 'clip.mp4')
    assert result.pred.masks == expected.pred.masks
    assert (result.video_name, result.frame_seconds) == ('clip', expected.frame_seconds)


def test_the_frame_rate_of_frames_without_times(folder):
    assert build(folder)(folder / 'frames', fps=2).frame_seconds == [0, 0.5, 1, 1.5, 2, 2.5, 3]


def test_several_videos_one_after_the_other(folder):
    inferencer = build(folder)
    write_frames(folder / 'videos' / 'day', 4)
    write_frames(folder / 'videos' / 'night', 5)
    opened = []

    def sources():
        for given in (folder / 'frames', [square_frame(0)], folder / 'videos', folder / 'absent'):
            opened.append(given)
            yield given

    found = inferencer.videos(sources(), fps=10)
    source, result = next(found)
    assert (source, result.video_length, len(opened)) == (folder / 'frames', 7, 1)
    assert result.frame_seconds[1] == pytest.approx(0.1)
    source, result = next(found)
    assert result.video_length == 1
    pairs = [next(found), next(found)]
    assert [(path.name, result.video_name, result.video_length) for path, result in pairs] == [
        ('day', 'day', 4),
        ('night', 'night', 5),
    ]
    alone = inferencer(folder / 'videos' / 'night')
    assert pairs[1][1].pred.masks == alone.pred.masks  # nothing is left of the video before
    with pytest.raises(UserError, match='absent: no such file'):
        next(found)
