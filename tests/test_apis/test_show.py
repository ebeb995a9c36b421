"""Pages of results: what the command reads, what it writes, what it refuses."""

import json
import os
import shutil
import signal
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import pytest
from map_results import write_vps, write_vss
from show_scenes import (
    GREEN,
    LENGTH,
    RED,
    contents,
    entry,
    listed,
    run,
    run_with_truth,
    tube,
    video_data,
    write_json,
    write_scene,
)
from squares import square_frame, write_frames

from mmvseg.commands import main
from mmvseg.media import VideoWriter, open_source
from mmvseg.media.images import read_image
from mmvseg.pages.site import THUMB_WIDTH
from mmvseg.progress import ProgressReport
from mmvseg.visualization import track_color


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_scene()
    return tmp_path


def test_with_truth(folder, capsys):
    assert run_with_truth() == 0
    assert 'page/index.html: 2 videos, ' in capsys.readouterr().out
    site = listed()
    assert [video['name'] for video in site['videos']] == ['first', 'second']
    first, second = site['videos']
    assert second['errors'] == []
    kinds = {(kind, category): cost for _, kind, category, _, cost in first['errors']}
    assert kinds['missed', 'dog'] == 1
    assert ('class', 'cat') in kinds
    data = video_data()
    assert [item['id'] for item in data['objects']] == [70, 71]
    (tracks,) = data['runs']
    assert [(track['id'], track['label'], track['hidden']) for track in tracks] == [
        (2, 'cat #2 0.80', False),
        (1, 'dog #1 0.30', True),
    ]
    assert [code != 0 for code in tracks[0]['masks']] == [True, False, True, True]
    assert tracks[0]['masks'][2] == tube(RED)[2]['counts']
    assert tracks[0]['color'] == data['objects'][0]['color'] == list(track_color(0))


def test_errors_are_those_of_analyze(folder):
    run_with_truth()
    argv = ['mmvseg', 'analyze', 'gt.json', 'results.json', '--min-score', '0.2', '--out', 'report']
    with mock.patch('sys.argv', argv), pytest.raises(SystemExit):
        main.main()
    for video in json.loads(Path('report/report.json').read_text())['videos']:
        (shown,) = [one for one in listed()['videos'] if one['name'] == video['name']]
        counts = dict.fromkeys(video['counts'], 0)
        for _, kind, _, count, _ in shown['errors']:
            counts[kind] += count
        assert counts == video['counts']
        assert sum(entry[-1] for entry in shown['errors']) == pytest.approx(video['cost'])


def test_pictures(folder):
    run_with_truth()
    movie = open_source('page/videos/first.mp4')
    assert (movie.length, movie.fps, movie.size) == (LENGTH, 6, (48, 64))
    for index, _, image in movie:
        assert np.abs(image.astype(int) - square_frame(index)).mean() < 10
    thumb = read_image('page/videos/second.jpg')
    assert thumb.shape == (240, THUMB_WIDTH, 3)
    green = np.abs(thumb[150:200, 210:270].mean((0, 1)) - track_color(0)).max()
    grey = np.abs(thumb[60:100, 210:270].mean((0, 1)) - 60).max()
    assert green < 150  # the mask of the track lies on the square
    assert grey < 10


def test_errors_stand_on_the_page(folder):
    run_with_truth()
    page = Path('page/videos/first.html').read_text()
    assert 'no track is right about this dog' in page
    assert 'data-object="1"' in page
    assert 'page/videos/first.html' not in page
    second = Path('page/videos/second.html').read_text()
    assert '<p class="note empty">None.</p>' in second


def test_without_annotations(folder):
    assert run_with_truth(ann='bare.json') == 0
    assert listed()['kinds'] == []
    assert listed()['videos'][0]['objects'] is None
    assert video_data()['objects'] == []
    assert [track['id'] for track in video_data()['runs'][0]] == [2, 1]


def test_against(folder, capsys):
    better = [entry(3, 2, 0.9, tube(RED)), entry(3, 5, 0.7, tube(GREEN))]
    write_json('b.json', better)
    assert run_with_truth('--against', 'b.json') == 0
    runs = listed()['videos'][0]['errors']
    assert {entry[0] for entry in runs} == {0}
    assert {kind for run, kind, *_ in listed()['videos'][1]['errors'] if run == 1} == {'missed'}
    data = video_data()
    assert [len(tracks) for tracks in data['runs']] == [2, 2]
    assert data['runs'][0][0]['color'] == data['runs'][1][0]['color']
    assert run_with_truth('--against', 'absent.json') == 1
    assert 'absent.json: cannot be read' in capsys.readouterr().err


def test_colours_agree_without_truth(folder):
    write_json('b.json', [entry(3, 5, 0.9, tube(GREEN)), entry(3, 2, 0.7, tube(RED))])
    run_with_truth('--against', 'b.json', ann='bare.json')
    (first, _), (other, same) = video_data()['runs']
    assert first['color'] == same['color'] != other['color']


def test_score_threshold(folder):
    run_with_truth('--score-thr', '0.05')
    assert [track['id'] for track in video_data()['runs'][0]] == [2, 1, 0]
    assert not any(kind == 'missed' for _, kind, *_ in listed()['videos'][0]['errors'])
    run_with_truth('--score-thr', '0.5')
    assert [track['id'] for track in video_data()['runs'][0]] == [2]
    assert 'Tracks of a score from 0.5 on.' in Path('page/index.html').read_text()


def test_choice_of_videos(folder, capsys):
    run_with_truth('--first', '1')
    assert [video['name'] for video in listed()['videos']] == ['first']
    shutil.rmtree('page')
    run_with_truth('--video', '8')
    assert sorted(path.name for path in Path('page/videos').iterdir()) == [
        *(f'second.{suffix}' for suffix in ('html', 'jpg', 'js', 'mp4'))
    ]
    assert run_with_truth('--video', 'third') == 1
    assert 'no video third among its 2' in capsys.readouterr().err


def test_frame_rate(folder):
    run_with_truth('--fps', '12')
    assert open_source('page/videos/first.mp4').fps == 12
    assert video_data()['fps'] == 12


def test_frames_of_16_bits(folder):
    for index in range(LENGTH):
        cv2.imwrite(f'frames/first/{index:05d}.png', np.full((48, 64, 3), 1000, np.uint16))
    means = []
    for options in ((), ('--range', '0', '2000')):
        assert run_with_truth('--video', 'first', *options) == 0
        means.append(next(iter(open_source('page/videos/first.mp4'))).image.mean())
    assert means[1] > means[0] + 80


def test_links_out_of_the_root_need_the_option(folder, capsys):
    (folder / 'frames/first').rename(folder / 'elsewhere')
    (folder / 'frames/first').symlink_to('../elsewhere')
    assert run_with_truth() == 1
    assert 'a link leads out of the folder frames' in capsys.readouterr().err
    assert run_with_truth('--allow-outside-root') == 0


@pytest.mark.parametrize(
    ('write', 'ann', 'tubes', 'noun'),
    [
        (write_vps, 'gt/panoptic_gt_val.json', 4, 'segments'),
        (write_vss, 'gt/val.txt', 4, 'classes'),
    ],
)
def test_maps(tmp_path, monkeypatch, capsys, write, ann, tubes, noun):
    monkeypatch.chdir(tmp_path)
    write()
    assert run('--ann', ann, results='pred') == 0
    data = video_data()
    assert (len(data['objects']), len(data['runs'][0])) == (tubes, tubes)
    assert (listed()['noun'], listed()['kinds']) == (noun, [])
    red = next(tube for tube in data['runs'][0] if tube['label'].startswith('red #'))
    assert red['masks'][0] == tube(RED)[0]['counts']
    assert red['label'].count(' ') == 1  # no score
    assert f'frames 0 to 2: shown by {red["label"]}' in Path('page/videos/first.html').read_text()
    assert run('--ann', ann, '--score-thr', '0.5', results='pred') == 1
    assert '--score-thr: pred holds no scores' in capsys.readouterr().err
    write_json('results.json', [])
    assert run('--ann', ann, '--against', 'results.json', results='pred') == 1
    assert f'holds tracks, pred holds {noun}' in capsys.readouterr().err


def test_what_is_missing_is_said(folder, capsys):
    assert run() == 1
    assert '--ann: needed, the annotation file' in capsys.readouterr().err
    assert run('--ann', 'gt.json') == 1
    assert '--root: needed' in capsys.readouterr().err
    assert run('--root', 'frames/first') == 1
    assert 'official results need the annotation file that lists their videos: --ann' in (
        capsys.readouterr().err
    )


def test_pages_of_others_are_not_overwritten(folder, capsys):
    Path('page').mkdir()
    Path('page/index.html').write_text('mine')
    assert run_with_truth() == 1
    assert 'holds an index.html that is not of mmvseg show' in capsys.readouterr().err
    assert Path('page/index.html').read_text() == 'mine'
    write_frames(folder / 'page/videos/street', 2)
    for root in ('page/videos', 'page/videos/street'):
        assert run('--root', root) == 1
        assert '--out page/videos: holds the input of this run' in capsys.readouterr().err
    Path('page/videos.js').write_text('[]')
    assert run('--root', 'a', results='page/videos.js') == 1
    assert 'videos.js: is an input of this run' in capsys.readouterr().err


def test_a_second_run_takes_the_place_of_the_first(folder):
    run_with_truth()
    before = contents('page')
    assert run_with_truth() == 0
    assert contents('page') == before  # equal, byte for byte
    run_with_truth('--first', '1')
    assert len(listed()['videos']) == 1


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_what_is_whole_before_a_signal_is_kept(folder, monkeypatch, capsys, number):
    advance = ProgressReport.advance

    def stopped(self):
        advance(self)
        os.kill(os.getpid(), number)

    monkeypatch.setattr(ProgressReport, 'advance', stopped)
    assert run_with_truth() == 128 + number
    assert 'stopped: 1 of 2 videos have pages' in capsys.readouterr().err
    assert [video['name'] for video in listed()['videos']] == ['first']
    assert not list(Path('page').rglob('.*'))


def test_a_signal_within_a_video_drops_it(folder, monkeypatch, capsys):
    write = VideoWriter.write

    def stopped(self, image):
        write(self, image)
        if 'second' in str(self.path):
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(VideoWriter, 'write', stopped)
    assert run_with_truth() == 130
    assert 'stopped: 1 of 2 videos have pages' in capsys.readouterr().err
    assert not list(Path('page').rglob('*second*'))
