"""What the demo makes of videos that are no plain row of square pixels."""

import json
import os
from fractions import Fraction

import cv2
import numpy as np
import pytest
from PIL import Image
from squares import square_frame, write_checkpoint, write_config, write_frames
from tool import run_tool

from mmvseg.media import VideoWriter, open_source

TIMES = [0.0, 0.17, 0.33, 3.0, 3.17, 3.2, 5.0]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_config(tmp_path / 'squares.py')
    write_config(tmp_path / 'live.py', live=True)
    write_checkpoint(tmp_path / 'squares.pth')
    return tmp_path


def run(source, *options, config='squares.py'):
    arguments = [source, config, 'squares.pth', '--device', 'cpu', '--out', 'out.mp4']
    return run_tool('demo_video', *arguments, '--json', 'out.json', *options)


def write_clip(path, times=TIMES, pixel_aspect=Fraction(1)):
    with VideoWriter(path, 3, crf=1, timed=True, pixel_aspect=pixel_aspect) as writer:
        for index, seconds in enumerate(times):
            writer.write(square_frame(index), seconds, 1.25)


@pytest.mark.parametrize('live', [False, True])
def test_times_and_pixels_of_the_input(live):
    write_clip('clip.mp4', pixel_aspect=Fraction(16, 11))
    assert run('clip.mp4', *['--live'] * live, config='live.py' if live else 'squares.py') == 0
    overlay = open_source('out.mp4')
    assert [frame.seconds for frame in overlay] == pytest.approx(TIMES, abs=1e-4)
    assert overlay.pixel_aspect == Fraction(16, 11)
    assert overlay.size == (48, 64)
    with open('out.json') as file:
        if live:
            seconds = [json.loads(line)['seconds'] for line in file]
        else:
            first, second = json.load(file)
            assert first['seconds'] == second['seconds']
            seconds = first['seconds']
            assert overlay.end_s == pytest.approx(6.25, abs=1e-3)
    assert seconds == pytest.approx(TIMES, abs=1e-4)


def test_windows_and_max_frames_keep_the_times(folder):
    write_config(folder / 'squares.py', window_size=2)
    write_clip('clip.mp4')
    assert run('clip.mp4', '--max-frames', '5') == 0
    assert [f.seconds for f in open_source('out.mp4')] == pytest.approx(TIMES[:5], abs=1e-4)
    assert len(json.loads((folder / 'out.json').read_text())[0]['seconds']) == 5


def test_delays_of_a_gif():
    first, *others = (Image.fromarray(square_frame(index)) for index in range(3))
    first.save('a.gif', save_all=True, append_images=others, duration=[50, 400, 2000])
    assert run('a.gif') == 0
    overlay = open_source('out.mp4')
    assert [frame.seconds for frame in overlay] == pytest.approx([0, 0.05, 0.45], abs=1e-4)
    assert overlay.end_s == pytest.approx(2.45, abs=1e-3)


def test_pages_of_a_tiff(capsys):
    first, *others = (Image.fromarray(square_frame(index)) for index in range(4))
    first.save('stack.tif', save_all=True, append_images=others)
    assert run('stack.tif', '--fps', '2') == 0
    assert [frame.seconds for frame in open_source('out.mp4')] == [0, 0.5, 1, 1.5]
    assert 'stack.tif: 64x48, 4 frames' in capsys.readouterr().out
    assert run('stack.tif', '--out', 'out.png') == 1
    assert '--out out.png: must end in .mp4 (the input is a video)' in capsys.readouterr().err


def test_ranges(capsys):
    os.mkdir('deep')
    for index in range(3):
        values = square_frame(index)[..., ::-1].astype(np.uint16) * 16
        cv2.imwrite(f'deep/{index}.png', values)
    assert run('deep') == 0
    printed = capsys.readouterr().out
    assert '2 tracks of score >= 0.2' in printed
    assert printed.count('deep: 16-bit values up to') == 1
    assert run('deep', '--range', '0', '65535') == 0
    printed = capsys.readouterr().out
    assert 'deep: 0 to 65535 become 0 to 255' in printed
    for frame in open_source('out.mp4'):
        assert frame.image.max() < 60  # dark, as asked for
    for wrong in (['5', '5'], ['nan', '1'], ['0', 'inf']):
        assert run('deep', '--range', *wrong) == 1
        assert f'the range of values {" ".join(wrong)}: the first' in capsys.readouterr().err
    write_clip('clip.mp4')
    assert run('clip.mp4', '--range', '0', '9') == 1
    assert 'clip.mp4: a range of values is for' in capsys.readouterr().err


def test_what_is_left_out_of_a_folder_is_said_before_the_work(folder, capsys):
    write_frames(folder / 'frames')
    cv2.imwrite('frames/00003_mask.png', np.zeros((48, 64), np.uint8))
    assert run('frames') == 0
    printed = capsys.readouterr().out
    assert 'frames: 7 frames; left out: 00003_mask.png' in printed
    assert open_source('out.mp4').length == 7


@pytest.mark.parametrize('live', [False, True])
def test_a_pipe(folder, live, capsys):
    with VideoWriter('clip.mp4', 6, growing=True) as writer:
        for index in range(7):
            writer.write(square_frame(index))
    reading, writing = os.pipe()
    os.write(writing, (folder / 'clip.mp4').read_bytes())
    os.close(writing)
    try:
        options, config = (['--live'], 'live.py') if live else ([], 'squares.py')
        assert run(f'pipe:{reading}', *options, config=config) == 0
    finally:
        os.close(reading)
    assert len(list(open_source('out.mp4'))) == 7


def test_names_with_colons():
    write_clip('12:30:05 rec.mp4')
    assert run('12:30:05 rec.mp4', '--out', '1:2/3:4.mp4') == 0
    assert len(list(open_source('1:2/3:4.mp4'))) == len(TIMES)
    assert os.listdir('1:2') == ['3:4.mp4']
