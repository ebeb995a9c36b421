"""The demo when the user or the cluster ends it."""

import json
import os
import signal
from pathlib import Path

import cv2
import pytest
from mmengine.logging import MMLogger
from sound import packets_of, write_video_with_sound
from squares import SquareSegmentor, write_config, write_frames, write_scene
from tool import run_tool

from mmvseg.apis.live_outputs import LiveOutputs
from mmvseg.apis.output_paths import check_output_files
from mmvseg.errors import UserError
from mmvseg.media import VideoWriter, open_source

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_scene(tmp_path)
    handlers = [signal.getsignal(number) for number in STATUS]
    yield tmp_path
    assert [signal.getsignal(number) for number in STATUS] == handlers


def run(*options, source='frames'):
    arguments = (source, 'squares.py', 'squares.pth', '--device', 'cpu', '--out', 'out.mp4')
    return run_tool('demo_video', *arguments, '--json', 'out.json', '--maps', 'maps', *options)


def send_in(monkeypatch, kind, method, call, *numbers):
    """Send signals to this process at the end of a call of a method, counted from 1."""
    original, calls = getattr(kind, method), []

    def sending(self, *args, **kwargs):
        result = original(self, *args, **kwargs)
        calls.append(None)
        if len(calls) == call:
            for number in numbers:
                os.kill(os.getpid(), number)
        return result

    monkeypatch.setattr(kind, method, sending)


def written():
    """Frames of the overlay, of the entries and of the maps."""
    entries = json.loads(Path('out.json').read_text())
    return (
        len(list(open_source('out.mp4'))),
        len(entries[0]['segmentations']),
        len(os.listdir('maps')),
    )


@pytest.mark.parametrize('number', STATUS)
def test_frames_that_were_segmented_are_written(folder, monkeypatch, capsys, number):
    send_in(monkeypatch, SquareSegmentor, 'advance', 2, number)
    assert run() == STATUS[number]
    assert written() == (6, 6, 6)  # two windows of three
    printed = capsys.readouterr().err
    assert 'stopped after 6 frames of 7; the results cover the frames before' in printed
    assert 'finishing what is done' in printed
    assert not list(folder.rglob('.*'))


@pytest.mark.parametrize('number', STATUS)
def test_of_several_videos_those_behind_are_left_out(folder, monkeypatch, capsys, number):
    for name in ('a', 'b', 'c'):
        write_frames(folder / 'videos' / name)
    send_in(monkeypatch, SquareSegmentor, 'advance', 4, number)  # the first window of b
    arguments = ('videos', 'squares.py', 'squares.pth', '--device', 'cpu', '--out', 'drawn')
    assert run_tool('demo_video', *arguments) == STATUS[number]
    lengths = {path.name: open_source(path).length for path in (folder / 'drawn').iterdir()}
    assert lengths == {'a.mp4': 7, 'b.mp4': 3}
    assert '2 of 3 videos' in capsys.readouterr().out


@pytest.mark.parametrize('source', ['frames', 'clip.mp4'])
def test_results_are_those_of_the_frames_alone(folder, monkeypatch, source):
    write_video_with_sound(folder / 'clip.mp4')
    run('--max-frames', '3', source=source)
    expected = [(folder / name).read_bytes() for name in ('out.mp4', 'out.json')]
    # all of the source is read before the model has a result
    monkeypatch.setattr('mmvseg.apis.inferencer.prefetch', lambda items: (i for i in [*items]))
    send_in(monkeypatch, SquareSegmentor, 'advance', 1, signal.SIGINT)
    assert run(source=source) == 130
    assert [(folder / name).read_bytes() for name in ('out.mp4', 'out.json')] == expected


def test_frames_that_were_drawn_are_kept(folder, monkeypatch, capsys):
    path = write_video_with_sound(folder / 'clip.mp4')
    send_in(monkeypatch, VideoWriter, 'write', 6, signal.SIGTERM)  # of the overlay
    assert run(source='clip.mp4') == 143
    assert written() == (6, 20, 6)
    assert 'stopped after 20 frames of 20, overlay and maps after 6' in capsys.readouterr().err
    assert len(packets_of('out.mp4')) == pytest.approx(0.3 * len(packets_of(path)), abs=2)


def test_the_second_signal_ends_at_once(folder, monkeypatch, capsys):
    (folder / 'out.mp4').write_text('old')
    send_in(monkeypatch, SquareSegmentor, 'advance', 1, signal.SIGINT, signal.SIGTERM)
    assert run() == 143
    assert (folder / 'out.mp4').read_text() == 'old'
    assert not (folder / 'out.json').exists()
    assert not os.listdir('maps')
    assert capsys.readouterr().err.endswith('interrupted\n')


def test_a_recording_that_is_stopped_is_segmented(folder, monkeypatch, capsys):
    """A file stands for the camera."""
    path, capture = write_video_with_sound(folder / 'clip.mp4'), cv2.VideoCapture
    monkeypatch.setattr(cv2, 'VideoCapture', lambda index: capture(str(path)))
    send_in(monkeypatch, VideoWriter, 'write', 4, signal.SIGINT)  # of the recording
    assert run('--max-frames', '9', source='0') == 130
    assert written() == (4, 4, 4)
    assert open_source('out_input.mp4').length == 4


@pytest.mark.parametrize('number', STATUS)
def test_before_the_first_frame_there_is_nothing_to_keep(folder, monkeypatch, capsys, number):
    send_in(monkeypatch, SquareSegmentor, '__init__', 1, number)
    assert run() == STATUS[number]
    assert not (folder / 'out.mp4').exists()
    assert 'interrupted' in capsys.readouterr().err


@pytest.mark.parametrize(('number', 'status'), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_live(folder, monkeypatch, capsys, number, status):
    write_config(folder / 'squares.py', live=True)
    send_in(monkeypatch, LiveOutputs, 'take', 4, number)
    assert run('--live') == status
    name = 'SIGTERM' if status else 'Ctrl-C'
    assert f'stopped by {name}' in capsys.readouterr().err
    assert len(list(open_source('out.mp4'))) == len(Path('out.json').read_text().splitlines()) == 4


def test_lines_of_a_full_disk_are_whole(folder, tmp_path, monkeypatch, capsys):
    """A file-size limit stands for a full disk."""
    resource = pytest.importorskip('resource')
    monkeypatch.setattr(MMLogger, '_instance_dict', {})  # of other tests, with files
    write_config(folder / 'squares.py', live=True)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1500, before[1]))
    try:
        arguments = ('frames', 'squares.py', 'squares.pth', '--device', 'cpu', '--live')
        assert run_tool('demo_video', *arguments, '--json', 'out.json') == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    lines = (folder / 'out.json').read_text().splitlines()
    assert [json.loads(line)['frame'] for line in lines] == list(range(len(lines)))
    assert 0 < len(lines) < 7


def test_names_of_outputs_may_be_anything_else(tmp_path):
    check_output_files({'--json': tmp_path / 'deep' / 'x', '--out': None}, ['rtsp://host/x', '0'])
    assert not list((tmp_path / 'deep').iterdir())


def test_a_name_that_no_file_can_have_is_refused(tmp_path):
    with pytest.raises(UserError, match='cannot be written'):
        check_output_files({'--json': tmp_path / ('x' * 300)}, [])
