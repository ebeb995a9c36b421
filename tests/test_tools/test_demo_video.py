import importlib.util
import json
import os
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch
from helpers import REPOSITORY
from PIL import Image
from pycocotools import mask as coco_mask
from squares import (
    CLASSES,
    LiveSquareSegmentor,
    square_frame,
    write_checkpoint,
    write_config,
    write_frames,
    write_scene,
)
from video_server import serve

from mmvseg.apis.live_outputs import LiveOutputs
from mmvseg.errors import UserError
from mmvseg.media import VideoWriter, open_source
from mmvseg.media.images import read_image
from mmvseg.visualization import live_window, track_color

spec = importlib.util.spec_from_file_location('demo_video', REPOSITORY / 'tools/demo_video.py')
demo_video = importlib.util.module_from_spec(spec)
spec.loader.exec_module(demo_video)

FPS = Fraction(30000, 1001)


class Unsafe:
    """Something that only unpickling restores."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_scene(tmp_path)
    with VideoWriter(tmp_path / 'clip.mp4', FPS, crf=1) as writer:
        for index in range(7):
            writer.write(square_frame(index))
    return tmp_path


def run(monkeypatch, source, *options, checkpoint='squares.pth', device='cpu'):
    arguments = ['demo_video.py', source, 'squares.py', checkpoint, '--device', device]
    monkeypatch.setattr('sys.argv', [*arguments, *options])
    with pytest.raises(SystemExit) as ended:
        demo_video.main()
    return ended.value.code


def has_color(image, track, tolerance=40):
    distance = np.abs(image.astype(int) - track_color(track)).max(axis=2)
    return (distance < tolerance).sum() > 20


def test_video_gives_an_overlay_of_its_rate_size_and_length(folder, monkeypatch, capsys):
    assert run(monkeypatch, 'clip.mp4') == 0
    overlay = open_source('work_dirs/demo/clip.mp4')
    assert (overlay.fps, overlay.size, overlay.length) == (FPS, (48, 64), 7)
    for frame in overlay:
        assert has_color(frame.image, 10)  # one colour a track in all frames
        assert has_color(frame.image, 11)
    printed = capsys.readouterr()
    assert '2 tracks of score >= 0.2: 1 red, 1 green' in printed.out
    assert 'overlay:  work_dirs/demo/clip.mp4' in printed.out
    assert 'segmenting: 7/7 frames' in printed.err
    assert 'drawing: 7/7 frames' in printed.err


def test_score_thr_leaves_tracks_out_of_overlay_and_json(folder, monkeypatch, capsys):
    run(monkeypatch, 'clip.mp4', '--score-thr', '0.6', '--json', 'tracks.json')
    assert '1 track of score >= 0.6: 1 red' in capsys.readouterr().out
    for frame in open_source('work_dirs/demo/clip.mp4'):
        assert has_color(frame.image, 10)
        assert not has_color(frame.image, 11)
    assert len(json.loads((folder / 'tracks.json').read_text())) == 1


def test_score_thr_above_all_says_what_the_best_is(folder, monkeypatch, capsys):
    assert run(monkeypatch, 'clip.mp4', '--score-thr', '0.95') == 0
    assert 'no track has a score >= 0.95' in capsys.readouterr().out
    assert open_source('work_dirs/demo/clip.mp4').length == 7


def test_json_holds_official_entries_with_class_names(folder, monkeypatch, capsys):
    run(monkeypatch, 'frames', '--json', 'deep/tracks.json')
    assert 'deep/tracks.json' in capsys.readouterr().out
    first, second = json.loads((folder / 'deep/tracks.json').read_text())
    assert (first['category'], first['category_id'], first['track_id']) == ('red', 5, 10)
    assert (second['category'], second['video_id']) == ('green', 1)
    assert first['score'] == pytest.approx(0.9)
    assert len(first['segmentations']) == 7
    assert coco_mask.decode(first['segmentations'][0]).shape == (48, 64)


def test_folder_and_its_rate(folder, monkeypatch):
    assert run(monkeypatch, 'frames', '--out', 'a/b.mp4') == 0
    assert open_source('a/b.mp4').fps == 6
    run(monkeypatch, 'frames', '--out', 'a/b.mp4', '--fps', '12.5')
    assert open_source('a/b.mp4').fps == Fraction(25, 2)


def test_odd_sizes(folder, monkeypatch):
    write_frames(folder / 'odd', height=47, width=63)
    assert run(monkeypatch, 'odd') == 0
    assert open_source('work_dirs/demo/odd.mp4').size == (48, 64)


def test_image_gives_an_image(folder, monkeypatch):
    cv2.imwrite('photo.png', square_frame(2)[..., ::-1])
    assert run(monkeypatch, 'photo.png') == 0
    drawn = read_image('work_dirs/demo/photo.png')
    assert drawn.shape == (48, 64, 3)
    assert has_color(drawn, 10)
    assert run(monkeypatch, 'photo.png', '--out', 'drawn.jpg') == 0
    assert read_image('drawn.jpg').shape == (48, 64, 3)


def test_cfg_options_reach_the_model(folder, monkeypatch, capsys):
    assert run(monkeypatch, 'clip.mp4', '--cfg-options', 'model.type=SquareSegmentr') == 1
    assert 'SquareSegmentor' in capsys.readouterr().err  # the closest name


@pytest.mark.parametrize(
    ('source', 'options', 'message'),
    [
        ('absent.mp4', (), 'absent.mp4: no such file'),
        ('empty.mp4', (), 'empty.mp4: not a readable video'),
        ('clip.mp4', ('--out', 'x.avi'), 'x.avi: must end in .mp4'),
        ('clip.mp4', ('--out', 'squares.py/x.mp4'), 'squares.py: cannot be written'),
    ],
)
def test_mistakes_give_one_message(folder, monkeypatch, capsys, source, options, message):
    (folder / 'empty.mp4').write_bytes(b'')
    assert run(monkeypatch, source, *options) == 1
    printed = capsys.readouterr().err
    assert message in printed
    assert 'Traceback' not in printed


def test_wrong_device(folder, monkeypatch, capsys):
    assert run(monkeypatch, 'clip.mp4', device='cuda:77') == 1
    assert "device 'cuda:77' cannot be used here; available: cpu" in capsys.readouterr().err


def test_wrong_checkpoint(folder, monkeypatch, capsys):
    torch.save(dict(state_dict=dict(other=torch.zeros(1))), 'other.pth')
    assert run(monkeypatch, 'clip.mp4', checkpoint='other.pth') == 1
    assert 'other.pth' in capsys.readouterr().err


def test_refused_checkpoints_can_be_allowed(folder, monkeypatch, capsys):
    write_checkpoint(folder / 'pickled.pth', dataset_meta=dict(classes=CLASSES), made=Unsafe())
    assert run(monkeypatch, 'clip.mp4', checkpoint='pickled.pth') == 1
    assert '--allow-pickle' in capsys.readouterr().err
    assert run(monkeypatch, 'clip.mp4', '--allow-pickle', checkpoint='pickled.pth') == 0
    meta = dict(dataset_meta=dict(classes=CLASSES))
    torch.save(dict(state_dict=dict(other=torch.zeros(1)), meta=meta), 'other.pth')
    assert run(monkeypatch, 'clip.mp4', checkpoint='other.pth') == 1
    assert '--allow-missing scores' in capsys.readouterr().err
    for prefix in (['scores'], []):
        options = ('--allow-missing', *prefix)
        assert run(monkeypatch, 'clip.mp4', *options, checkpoint='other.pth') == 0


def test_truncated_video_gives_its_overlay_and_says_so(folder, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    with VideoWriter('cut.mp4', 10) as writer:
        for index in range(40):
            noise = rng.integers(0, 99, (48, 64, 3), dtype=np.uint8)
            writer.write(square_frame(index % 7) // 2 + noise)
    whole = (folder / 'cut.mp4').read_bytes()
    (folder / 'cut.mp4').write_bytes(whole[: len(whole) // 2])
    assert run(monkeypatch, 'cut.mp4') == 1
    assert 'the results cover the frames before' in capsys.readouterr().err
    assert 5 < open_source('work_dirs/demo/cut.mp4').length < 40


@pytest.fixture
def live(folder):
    """The same with a model that needs not wait."""
    write_config(folder / 'squares.py', live=True)
    return folder


@pytest.fixture
def camera(folder, monkeypatch):
    """A file stands for camera 0."""
    capture = cv2.VideoCapture
    monkeypatch.setattr(
        cv2, 'VideoCapture', lambda i: capture(str(folder / 'clip.mp4') if i == 0 else i)
    )


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_live_writes_overlay_and_lines(live, monkeypatch, capsys):
    assert run(monkeypatch, 'clip.mp4', '--live', '--json', 'deep/tracks.jsonl') == 0
    overlay = open_source('work_dirs/demo/clip.mp4')
    frames = list(overlay)
    assert (len(frames), overlay.size, overlay.damage) == (7, (48, 64), None)
    assert [frame.seconds for frame in frames] == pytest.approx(
        [index * 1001 / 30000 for index in range(7)], abs=1e-4
    )
    for frame in frames:
        assert has_color(frame.image, 10)
        assert has_color(frame.image, 11)
    lines = read_lines(live / 'deep/tracks.jsonl')
    assert [line['frame'] for line in lines] == list(range(7))
    assert [line['seconds'] for line in lines] == pytest.approx(np.arange(7) * 1.001 / 30, abs=1e-4)
    red, green = lines[3]['tracks']
    assert (red['category'], red['category_id'], red['track_id']) == ('red', 5, 10)
    assert red['score'] == pytest.approx(0.9)
    assert green['category'] == 'green'
    found = coco_mask.decode(red['segmentation']) > 0
    expected = square_frame(3)[..., 0] > 200
    assert (found & expected).sum() / (found | expected).sum() > 0.7
    printed = capsys.readouterr()
    assert '7 frames with 2.0 tracks of score >= 0.2 on average' in printed.out
    assert 'frames/s' in printed.err


def test_live_lines_may_go_to_a_pipe(live, monkeypatch):
    os.mkfifo('pipe')
    reading = os.open('pipe', os.O_RDONLY | os.O_NONBLOCK)
    assert run(monkeypatch, 'clip.mp4', '--live', '--max-frames', '2', '--json', 'pipe') == 0
    with open(reading) as lines:
        assert [json.loads(line)['frame'] for line in lines] == [0, 1]


def test_live_score_thr_and_max_frames(live, monkeypatch, capsys):
    options = ('--live', '--score-thr', '0.6', '--max-frames', '4', '--json', 'tracks.jsonl')
    assert run(monkeypatch, 'frames', *options, '--out', 'a/b.mp4') == 0
    assert len(list(open_source('a/b.mp4'))) == 4
    lines = read_lines(live / 'tracks.jsonl')
    assert [[track['category'] for track in line['tracks']] for line in lines] == [['red']] * 4


def test_live_of_an_image_is_a_video_of_one_frame(live, monkeypatch):
    cv2.imwrite('photo.png', square_frame(2)[..., ::-1])
    assert run(monkeypatch, 'photo.png', '--live') == 0
    assert len(list(open_source('work_dirs/demo/photo.mp4'))) == 1


def test_live_model_that_waits_is_refused_before_anything_is_written(folder, monkeypatch, capsys):
    (folder / 'old.mp4').write_text('old')
    assert run(monkeypatch, 'clip.mp4', '--live', '--out', 'old.mp4') == 1
    assert 'SquareSegmentor needs the whole video' in capsys.readouterr().err
    assert (folder / 'old.mp4').read_text() == 'old'


def test_ctrl_c_keeps_what_is_there(live, monkeypatch, capsys):
    take = LiveOutputs.take

    def interrupted(self, frame, objects):
        take(self, frame, objects)
        if frame.index == 4:
            raise KeyboardInterrupt
        return True

    monkeypatch.setattr(LiveOutputs, 'take', interrupted)
    assert run(monkeypatch, 'clip.mp4', '--live', '--json', 'tracks.jsonl') == 0
    assert 'stopped by Ctrl-C' in capsys.readouterr().err
    assert len(list(open_source('work_dirs/demo/clip.mp4'))) == 5
    assert len(read_lines(live / 'tracks.jsonl')) == 5


def test_broken_stream_keeps_what_is_there(live, monkeypatch, capsys):
    rng = np.random.default_rng(0)
    with VideoWriter('noisy.mp4', 10) as writer:
        for index in range(40):
            noise = rng.integers(0, 99, (48, 64, 3), dtype=np.uint8)
            writer.write(square_frame(index % 7) // 2 + noise)
    data = (live / 'noisy.mp4').read_bytes()
    with serve(data, sent=len(data) // 2) as url:
        assert run(monkeypatch, url, '--live', '--json', 'tracks.jsonl', '--out', 'out.mp4') == 1
    count = len(read_lines(live / 'tracks.jsonl'))
    assert 5 < count < 40
    assert len(list(open_source('out.mp4'))) == count
    printed = capsys.readouterr().err
    assert f'read {count} frames of 40' in printed
    assert 'the results cover the frames before' in printed


def test_source_that_fails_in_the_middle_keeps_what_is_there(live, monkeypatch, capsys):
    cv2.imwrite('frames/00004.png', square_frame(0, height=24))
    assert run(monkeypatch, 'frames', '--live', '--json', 'tracks.jsonl') == 1
    assert '00004.png: frame 4 is 64x24 pixels' in capsys.readouterr().err
    assert len(read_lines(live / 'tracks.jsonl')) == 4
    assert len(list(open_source('work_dirs/demo/frames.mp4'))) == 4


def test_live_without_a_frame_writes_no_overlay(live, monkeypatch, capsys):
    (live / 'old.mp4').write_text('old')

    def fails(self, state, window):
        raise UserError('this model is tired')

    monkeypatch.setattr(LiveSquareSegmentor, 'advance_live', fails)
    assert run(monkeypatch, 'clip.mp4', '--live', '--out', 'old.mp4') == 1
    assert 'error: this model is tired' in capsys.readouterr().err
    assert (live / 'old.mp4').read_text() == 'old'


def test_camera_live(live, camera, monkeypatch, capsys):
    assert run(monkeypatch, '0', '--live', '--max-frames', '1') == 0
    assert len(list(open_source('work_dirs/demo/camera0.mp4'))) == 1
    assert run(monkeypatch, '0', '--live', '--json', 'tracks.jsonl') == 1  # pulled out
    assert 'camera 0: broke off after 7 frames' in capsys.readouterr().err
    assert read_lines(live / 'tracks.jsonl')


def test_camera_of_a_model_that_waits_is_recorded_first(folder, camera, monkeypatch, capsys):
    assert run(monkeypatch, '0') == 1
    assert 'camera0 may never end: give --live, or --max-frames' in capsys.readouterr().err
    assert run(monkeypatch, '0', '--max-frames', '5') == 0
    assert 'work_dirs/demo/camera0_input.mp4' in capsys.readouterr().out
    recorded = open_source('work_dirs/demo/camera0_input.mp4')
    assert recorded.length == 5
    assert np.abs(next(iter(recorded)).image.astype(int) - square_frame(0)).mean() < 8
    assert all(has_color(f.image, 10) for f in open_source('work_dirs/demo/camera0.mp4'))
    assert run(monkeypatch, '0', '--max-frames', '9') == 1
    assert 'camera 0: broke off after 7 frames' in capsys.readouterr().err
    assert open_source('work_dirs/demo/camera0.mp4').length == 7


def test_camera_that_does_not_exist(folder, monkeypatch, capsys):
    assert run(monkeypatch, '97', '--live') == 1
    assert 'camera 97: cannot be opened' in capsys.readouterr().err


def test_max_frames_of_a_file(folder, monkeypatch):
    assert run(monkeypatch, 'clip.mp4', '--max-frames', '3', '--json', 'tracks.json') == 0
    assert open_source('work_dirs/demo/clip.mp4').length == 3
    assert len(json.loads((folder / 'tracks.json').read_text())[0]['segmentations']) == 3


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (('--show',), '--show needs --live'),
        (('--max-frames', '0'), "--max-frames: '0' is not a whole number of at least 1"),
    ],
)
def test_options_that_cannot_be(folder, monkeypatch, capsys, options, message):
    assert run(monkeypatch, 'clip.mp4', *options) == 2
    assert message in capsys.readouterr().err


class Screen:
    """OpenCV's windows, as a user who presses q at the third frame sees them."""

    WND_PROP_VISIBLE = WINDOW_NORMAL = WINDOW_KEEPRATIO = 0
    COLOR_RGB2BGR = cv2.COLOR_RGB2BGR
    cvtColor = staticmethod(cv2.cvtColor)

    def __init__(self):
        self.shown = []

    def namedWindow(self, title, flags):
        self.title = title

    def imshow(self, title, image):
        self.shown.append(image)

    def waitKey(self, wait_ms):
        return ord('q') if len(self.shown) == 3 else -1

    def getWindowProperty(self, title, name):
        return 1.0

    def destroyAllWindows(self):
        self.closed = True


def test_show_without_a_display(live, monkeypatch, capsys):
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    assert run(monkeypatch, 'clip.mp4', '--live', '--show') == 1
    assert 'no window can be shown here' in capsys.readouterr().err


def test_show_ends_when_the_user_wants(live, monkeypatch):
    screen = Screen()
    monkeypatch.setattr(live_window, 'cv2', screen)
    monkeypatch.setattr(live_window, '_PROBE', '')
    assert run(monkeypatch, 'clip.mp4', '--live', '--show') == 0
    assert len(screen.shown) == 3
    assert has_color(screen.shown[0][..., ::-1], 10)
    assert (screen.title, screen.closed) == ('clip', True)
    assert not (live / 'work_dirs/demo/clip.mp4').exists()  # shown only
    screen.shown.clear()
    assert run(monkeypatch, 'clip.mp4', '--live', '--show', '--out', 'x.mp4') == 0
    assert len(list(open_source('x.mp4'))) == 3


@pytest.mark.parametrize('live', [False, True])
def test_maps_of_tracks(folder, monkeypatch, capsys, live):
    write_config(folder / 'squares.py', live=live)
    assert run(monkeypatch, 'clip.mp4', '--maps', 'maps', *['--live'] * live) == 0
    assert 'maps:     maps' in capsys.readouterr().out
    assert len(list((folder / 'maps').iterdir())) == 7
    ids = np.array(Image.open('maps/00003.png'))
    assert (ids[10, 20], ids[36, 48], ids[2, 60]) == (11, 12, 0)  # tracks 10 and 11
    assert ids.dtype == (np.uint16 if live else np.uint8)
