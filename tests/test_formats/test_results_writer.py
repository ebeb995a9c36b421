import json
import multiprocessing
import os
import resource
import signal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmvseg.errors import UserError
from mmvseg.formats.writers import InstanceWriter
from mmvseg.structures import VideoInstances

META = dict(category_ids=[1, 2])
RLE = dict(size=[3, 4], counts=b'<')


def video(video_id):
    return dict(video_id=video_id)


def tubes(*scores, label=0):
    masks = [[RLE, None]] * len(scores)
    labels = np.full(len(scores), label)
    return VideoInstances(np.array(scores), labels, masks, np.arange(len(scores)))


def found(video_id):
    return tubes(*(0.75, 1 / 3, 1e-7)[: video_id % 4])


def entry(video_id, score):
    masks = [dict(size=[3, 4], counts='<'), None]
    return dict(video_id=video_id, score=score, category_id=1, segmentations=masks)


def entries(video_id):
    return [entry(video_id, score) for score in (0.75, 1 / 3, 1e-7)][: video_id % 4]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def file_size_limit():
    """Let no file grow beyond some bytes, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_files_of_all_processes_become_one_in_the_order_asked(tmp_path):
    first, second = (InstanceWriter(tmp_path / 'deep/er', META, rank) for rank in range(2))
    for writer, video_ids in ((first, [5, 9]), (second, [7, 4])):
        for video_id in video_ids:
            writer.add(video(video_id), found(video_id))
    assert first.finished() == {5, 9, 7, 4}

    order = [9, 4, 5, 7]
    path = first.merge(order)
    assert path == tmp_path / 'deep/er/results.json'
    assert json.loads(path.read_text()) == [e for i in order for e in entries(i)]
    assert names(path.parent) == ['results.json']


def test_nothing_found_in_any_video_is_an_empty_list(tmp_path):
    writer = InstanceWriter(tmp_path, META)
    writer.add(video(4), found(4))
    assert writer.finished() == {4}
    assert json.loads(writer.merge([4]).read_text()) == []


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2), st.integers(1, 10**6))
def test_a_run_killed_within_a_line_goes_on(tmp_path_factory, complete, cut):
    folder = tmp_path_factory.mktemp('results')
    killed = InstanceWriter(folder, META)
    for video_id in range(1, 2 + complete):
        killed.add(video(video_id), found(video_id))
    content = killed.partial_path.read_bytes()
    last = len(content.splitlines(keepends=True)[-1])
    killed.partial_path.write_bytes(content[: len(content) - 1 - cut % last])

    writer = InstanceWriter(folder, META)
    assert writer.finished() == set(range(1, 1 + complete))
    for video_id in range(1, 5):
        if video_id not in writer.finished():
            writer.add(video(video_id), found(video_id))
    merged = json.loads(writer.merge(range(1, 5)).read_text())
    assert merged == [e for i in range(1, 5) for e in entries(i)]


def write_on_and_on(folder, said):
    writer = InstanceWriter(folder, META)
    for video_id in range(1, 10**6):
        writer.add(video(video_id), tubes(0.5))
        said.send(video_id)


def test_kill_9_loses_no_finished_video(tmp_path):
    context = multiprocessing.get_context('fork')
    heard, said = context.Pipe(duplex=False)
    process = context.Process(target=write_on_and_on, args=(tmp_path, said))
    process.start()
    while (last := heard.recv()) < 20:
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    while heard.poll():
        last = heard.recv()
    assert len(InstanceWriter(tmp_path, META).finished()) in (last, last + 1)


def test_fewer_processes_can_go_on(tmp_path):
    InstanceWriter(tmp_path, META, rank=0).add(video(1), found(1))
    InstanceWriter(tmp_path, META, rank=1).add(video(2), found(2))
    with (tmp_path / 'results.partial.rank1.jsonl').open('a') as file:
        file.write('{"video_id": 3, "entr')
    writer = InstanceWriter(tmp_path, META)
    assert writer.finished() == {1, 2}
    writer.add(video(3), found(3))
    assert len(json.loads(writer.merge([1, 2, 3]).read_text())) == 6


def test_a_video_written_twice_counts_once(tmp_path):
    for rank, score in ((0, 0.25), (1, 0.75)):
        InstanceWriter(tmp_path, META, rank).add(video(1), tubes(score))
    merged = InstanceWriter(tmp_path, META).merge([1])
    assert json.loads(merged.read_text()) == [entry(1, 0.25)]


def test_full_disk_while_adding(tmp_path, file_size_limit):
    writer = InstanceWriter(tmp_path, META)
    writer.add(video(1), found(1))
    size = writer.partial_path.stat().st_size
    file_size_limit(size + 40)
    with pytest.raises(
        UserError, match=r'rank0\.jsonl: cannot be written.*finished before is safe'
    ):
        writer.add(video(2), found(2))
    assert writer.partial_path.stat().st_size == size
    assert writer.finished() == {1}


def test_full_disk_while_merging(tmp_path, file_size_limit):
    writer = InstanceWriter(tmp_path, META)
    for video_id in (1, 2, 3):
        writer.add(video(video_id), found(video_id))
    file_size_limit(100)
    with pytest.raises(UserError, match=r'results\.json: cannot be written'):
        writer.merge([1, 2, 3])
    assert names(tmp_path) == ['results.partial.rank0.jsonl']
    assert writer.finished() == {1, 2, 3}


def test_merge_needs_exactly_the_videos(tmp_path):
    writer = InstanceWriter(tmp_path, META)
    writer.add(video(1), found(1))
    with pytest.raises(UserError, match='1 of 2 videos have no result, the first is video 2'):
        writer.merge([1, 2])
    with pytest.raises(UserError, match='results of video 1, which is not in the data set'):
        writer.merge([])
    assert writer.finished() == {1}


@pytest.mark.parametrize('line', ['{"video_id": 1', 'null', '{"video_id": 1}', '\x00\x00'])
def test_a_damaged_line_is_named(tmp_path, line):
    writer = InstanceWriter(tmp_path, META)
    writer.add(video(1), found(1))
    with writer.partial_path.open('a') as file:
        file.write(line + '\n')
    with pytest.raises(UserError, match=r'rank0\.jsonl: line 2: is no result'):
        writer.finished()


def test_results_of_another_data_set_are_refused(tmp_path):
    InstanceWriter(tmp_path, META).add(video(1), found(1))
    with pytest.raises(UserError, match='unknown category_id 1'):
        InstanceWriter(tmp_path, dict(category_ids=[7])).finished()


def test_lines_that_no_run_writes_are_refused(tmp_path):
    writer = InstanceWriter(tmp_path, META)
    line = json.dumps(dict(video_id=1, entries=[entry(2, 0.5)]))
    writer.partial_path.write_text(f'{line}\n')
    with pytest.raises(UserError, match='entry of video 2 among those of 1'):
        writer.finished()


def test_scores_have_to_be_finite(tmp_path):
    writer = InstanceWriter(tmp_path, META)
    with pytest.raises(UserError, match='video 1: a score is not finite'):
        writer.add(video(1), tubes(0.5, float('nan')))
    assert writer.finished() == set()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='file/results: cannot be written'):
        InstanceWriter(tmp_path / 'file/results', META)
