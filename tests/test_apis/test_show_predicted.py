"""Pages of what ``mmvseg predict --json`` wrote: which video belongs to which file."""

import shutil
from pathlib import Path

import pytest
from show_scenes import (
    GREEN,
    LENGTH,
    RED,
    listed,
    predicted,
    run,
    video_data,
    write_json,
    write_scene,
)
from squares import square_frame, write_frames

from mmvseg.media import VideoWriter, open_source


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_scene()
    return tmp_path


def test_a_video_of_predict(folder):
    with VideoWriter('street.mp4', 5) as writer:
        for index in range(LENGTH):
            writer.write(square_frame(index))
    write_json('tracks.json', [predicted(0.4, 11, GREEN), predicted(0.9, 10, RED)])
    assert run('--root', 'street.mp4', results='tracks.json') == 0
    data = video_data('tracks')
    assert [track['label'] for track in data['runs'][0]] == ['red #10 0.90', 'green #11 0.40']
    assert (data['fps'], data['length'], data['objects']) == (5, LENGTH, [])
    assert open_source('page/videos/tracks.mp4').length == LENGTH
    write_json('b.json', [predicted(0.8, 3, RED)])
    assert run('--root', 'street.mp4', '--against', 'b.json', results='tracks.json') == 0
    assert [len(tracks) for tracks in video_data('tracks')['runs']] == [2, 1]


def test_results_of_fewer_frames_show_these(folder):
    write_json('tracks.json', [predicted(0.9, 10, RED, length=2)])
    assert run('--root', 'frames/first', results='tracks.json') == 0
    assert open_source('page/videos/tracks.mp4').length == 2
    assert run('--root', 'frames/first', '--video', 'x', results='tracks.json') == 1


def test_folders_of_predict(folder, capsys):
    (folder / 'tracks').mkdir()
    for name in ('second', 'first'):
        write_json(f'tracks/{name}.json', [predicted(0.9, 10, RED)])
    assert run('--root', 'frames', results='tracks') == 0
    assert [video['name'] for video in listed()['videos']] == ['first', 'second']
    shutil.rmtree('page')
    assert run('--root', 'frames', '--video', 'second', results='tracks') == 0
    assert [video['name'] for video in listed()['videos']] == ['second']
    assert run('--root', 'frames', '--video', 'x', results='tracks') == 1
    assert 'tracks: no video x' in capsys.readouterr().err
    shutil.rmtree('page')
    write_json('tracks/third.json', [])
    assert run('--root', 'frames', results='tracks') == 1
    assert '--root frames: holds no video third' in capsys.readouterr().err
    assert not list(Path('page').rglob('*.html'))
    (folder / 'other').mkdir()
    assert run('--root', 'frames', '--against', 'other', results='tracks') == 1
    assert '--against other: has no first.json' in capsys.readouterr().err
    assert run('--root', 'frames', results='other') == 1
    assert 'other: holds no .json of mmvseg predict' in capsys.readouterr().err


def test_broken_files_of_predict_are_named(folder, capsys):
    write_json('tracks.json', [predicted(0.4, 11, GREEN) | dict(track_id='x')])
    assert run('--root', 'frames/first', results='tracks.json') == 1
    assert "tracks.json: entry 0, track_id: 'x'" in capsys.readouterr().err
    assert not Path('page/index.html').exists()


def test_tracks_of_one_number_are_hidden_one_by_one(folder):
    again = predicted(0.5, 10, RED) | dict(category='green')
    write_json('tracks.json', [predicted(0.9, 10, RED), again])
    assert run('--root', 'frames/first', results='tracks.json') == 0
    assert [track['hidden'] for track in video_data('tracks')['runs'][0]] == [False, True]


def test_videos_that_do_not_fit_are_named(folder, capsys):
    write_json('tracks.json', [predicted(0.9, 10, RED)])
    write_frames(folder / 'large', LENGTH, height=60)
    assert run('--root', 'large', results='tracks.json') == 1
    assert 'is --root the video that was segmented?' in capsys.readouterr().err
    write_frames(folder / 'short', 2)
    assert run('--root', 'short', results='tracks.json') == 1
    assert 'tracks: ends after 2 frames, but the results cover 4' in capsys.readouterr().err
    assert not Path('page/videos/tracks.html').exists()
