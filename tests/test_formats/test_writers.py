import json
import multiprocessing
import os
import resource
import signal
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.formats.results_folder import (
    complete_results,
    holds_results,
    remove_results,
    zip_results,
)
from mmvseg.formats.writers import (
    InstanceWriter,
    PanopticWriter,
    SemanticWriter,
    build_writer,
)
from mmvseg.structures import CodedMaps, Segment, VideoInstances, VideoPanoptic, VideoSemantic

META = dict(
    classes=('person', 'car', 'sky', 'road'),
    category_ids=(61, 7, 0, 123),
    palette=((220, 20, 60), (0, 0, 142), (70, 130, 180), (0, 0, 142)),
    thing_classes=('person', 'car'),
    stuff_classes=('sky', 'road'),
)
SIZE = (12, 20)


def video(video_id, num_frames=3):
    frames = [f'/data/images/{video_id}/{5 * t:05d}.jpg' for t in range(num_frames)]
    return dict(video_id=video_id, frames=frames, height=SIZE[0], width=SIZE[1])


def panoptic(seed, num_frames=3, num_segments=6):
    """Rectangles of segments whose ids have gaps; the last segment is in no frame."""
    rng = np.random.default_rng(seed)
    ids = np.sort(rng.choice(np.arange(1, 5000), num_segments, replace=False))
    labels = rng.integers(0, 4, num_segments)
    segments = [
        Segment(int(i), int(label), bool(label < 2), 0.5, n)
        for n, (i, label) in enumerate(zip(ids, labels, strict=True))
    ]
    maps = CodedMaps()
    for _ in range(num_frames):
        segment_map = np.zeros(SIZE, np.uint16)
        for i in ids[:-1]:
            y, x = rng.integers(0, SIZE)
            segment_map[y : y + 6, x : x + 9] = i
        maps.append(segment_map)
    return VideoPanoptic(segments, maps)


def semantic(seed, num_frames=3):
    maps = np.random.default_rng(seed).integers(0, 4, (num_frames, *SIZE), np.uint8)
    return VideoSemantic(CodedMaps(maps))


def read_ids(path):
    with Image.open(path) as image:
        assert image.mode == 'RGB'
        return np.array(image).astype(int) @ [1, 256, 65536]


def read_grey(path):
    with Image.open(path) as image:
        assert image.mode == 'L'
        return np.array(image)


def tree(folder):
    """Every file with its content."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob('*'))
        if path.is_file()
    }


KINDS = [(PanopticWriter, panoptic), (SemanticWriter, semantic)]
kinds = pytest.mark.parametrize(('kind', 'make'), KINDS)


@pytest.fixture
def file_size_limit():
    """Let no file grow beyond some bytes, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize('num_segments', [2, 6, 300])
def test_segments_are_read_back(tmp_path, num_segments):
    record, result = video('a b/1'), panoptic(1, num_segments=num_segments)
    writer = PanopticWriter(tmp_path, META)
    writer.add(record, result)
    content = json.loads(writer.merge(['a b/1']).read_text())
    (annotation,) = content['annotations']
    assert annotation['video_id'] == 'a b/1'
    names = [frame['file_name'] for frame in annotation['annotations']]
    assert names == ['00000.jpg', '00005.jpg', '00010.jpg']

    by_id = {segment.id: segment for segment in result.segments}
    written_as = {0: 0}
    for frame, expected in zip(annotation['annotations'], result.maps, strict=True):
        png = tmp_path / f'pan_pred/a b/1/{frame["file_name"][:-4]}.png'
        found = read_ids(png)
        pairs = {(int(a), int(b)) for a, b in zip(expected.flat, found.flat, strict=True)}
        for mine, written in pairs:
            assert written_as.setdefault(mine, written) == written  # over all frames
        listed = {info['id']: info for info in frame['segments_info']}
        assert len(listed) == len(frame['segments_info'])
        assert set(listed) == {written for _, written in pairs} - {0}
        for mine, written in pairs - {(0, 0)}:
            info = listed[written]
            rows, columns = np.nonzero(found == written)
            assert info['area'] == len(rows)
            x, y, width, height = info['bbox']
            assert (x, y) == (columns.min(), rows.min())
            assert (x + width - 1, y + height - 1) == (columns.max(), rows.max())
            assert info['category_id'] == META['category_ids'][by_id[mine].label]
            assert info['iscrowd'] == 0
    assert len(set(written_as.values())) == len(written_as)


def test_stuff_has_the_colour_of_its_class(tmp_path):
    segments = [Segment(4, 3, False, 0.5, 0), Segment(9, 1, True, 0.5, 1)]
    segment_map = np.zeros(SIZE, np.int32)
    segment_map[:4], segment_map[4:8] = 4, 9
    PanopticWriter(tmp_path, META).add(video('a', 1), VideoPanoptic(segments, [segment_map]))
    with Image.open(tmp_path / 'pan_pred/a/00000.png') as image:
        pixels = np.array(image)
    assert (pixels[:4] == [0, 0, 142]).all()
    assert (pixels[4:8] != [0, 0, 142]).any()  # cars have it too, but roads come first
    assert not pixels[8:].any()


def test_frames_without_segments(tmp_path):
    writer = PanopticWriter(tmp_path, META)
    nothing = np.zeros(SIZE, np.uint16)
    writer.add(video('a', 1), VideoPanoptic([], [nothing]))
    (annotation,) = json.loads(writer.merge(['a']).read_text())['annotations']
    assert annotation['annotations'] == [dict(file_name='00000.jpg', segments_info=[])]
    assert not read_ids(tmp_path / 'pan_pred/a/00000.png').any()


@pytest.mark.parametrize('foreign', [2, 4, 900])
def test_ids_of_no_segment_are_no_void(tmp_path, foreign):
    segments = [Segment(1, 0, True, 0.5, 0), Segment(3, 0, True, 0.5, 0)]
    result = VideoPanoptic(segments, [np.full(SIZE, foreign)])
    with pytest.raises((ValueError, IndexError)):
        PanopticWriter(tmp_path, META).add(video('a', 1), result)
    assert PanopticWriter(tmp_path, META).finished() == set()


def test_classes_become_ids(tmp_path):
    result = semantic(3, num_frames=1)
    writer = SemanticWriter(tmp_path, META)
    writer.add(video('a', 1), result)
    expected = np.array([61, 7, 0, 123])[result.maps[0]]
    assert (read_grey(tmp_path / 'a/00000.png') == expected).all()
    writer.merge(['a'])
    assert json.loads((tmp_path / 'videos.json').read_text()) == [
        dict(video_id='a', pngs=['00000.png'])
    ]


def test_ids_beyond_8_bits(tmp_path):
    with pytest.raises(UserError, match=r"class 'road' has the id 256.*0\.\.255"):
        SemanticWriter(tmp_path, META | dict(category_ids=(61, 7, 0, 256)))


@kinds
def test_maps_have_to_be_those_of_the_frames(tmp_path, kind, make):
    writer = kind(tmp_path, META)
    for num_frames in (2, 4):
        with pytest.raises(ValueError, match=r'zip\(\)'):
            writer.add(video('a', 3), make(1, num_frames=num_frames))
    assert writer.finished() == set()


@kinds
def test_files_do_not_depend_on_processes_and_order(tmp_path, kind, make):
    order = ['d', 'b', 'c', 'a']
    whole = kind(tmp_path / 'whole', META)
    for seed, name in enumerate(order):
        whole.add(video(name), make(seed))
    whole.merge(order)

    first, second = (kind(tmp_path / 'parts', META, rank) for rank in range(2))
    first.add(video('c'), make(2))
    second.add(video('a'), make(3))
    with second.partial_path.open('a') as file:
        file.write('{"video_id": "b", "entr')
    (first.out_dir / first.png_folder / 'b').mkdir(parents=True)
    (first.out_dir / first.png_folder / 'b/00000.png').write_bytes(b'half')
    third = kind(tmp_path / 'parts', META)
    assert third.finished() == {'a', 'c'}
    for seed, name in enumerate(order):
        if name not in third.finished():
            third.add(video(name), make(seed))
    third.merge(order)
    assert tree(tmp_path / 'whole') == tree(tmp_path / 'parts')
    content = json.loads(third.results_path.read_text())
    items = content if isinstance(content, list) else content['annotations']
    assert [item['video_id'] for item in items] == order


def write_on_and_on(kind, make, folder, said):
    writer = kind(folder, META)
    for number in range(10**6):
        writer.add(video(f'v{number}', 2), make(number, num_frames=2))
        said.send(number)


@kinds
def test_kill_9_loses_no_finished_video(tmp_path, kind, make):
    context = multiprocessing.get_context('fork')
    heard, said = context.Pipe(duplex=False)
    process = context.Process(target=write_on_and_on, args=(kind, make, tmp_path, said))
    process.start()
    while (last := heard.recv()) < 10:
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    while heard.poll():
        last = heard.recv()
    writer = kind(tmp_path, META)
    finished = writer.finished()
    assert len(finished) in (last + 1, last + 2)
    for name in finished:
        for png in ('00000.png', '00005.png'):
            with Image.open(tmp_path / writer.png_folder / name / png) as image:
                image.load()


@kinds
def test_videos_whose_images_are_gone_are_not_finished(tmp_path, kind, make):
    writer = kind(tmp_path, META)
    for name in 'abc':
        writer.add(video(name), make(1))
    folder = tmp_path / writer.png_folder
    (folder / 'a/00005.png').unlink()
    for path in (folder / 'b').iterdir():
        path.unlink()
    (folder / 'b').rmdir()
    assert writer.finished() == {'c'}
    with pytest.raises(UserError, match='2 of 3 videos have no result, the first is video a'):
        writer.merge('abc')
    writer.add(video('a'), make(1))
    writer.add(video('b'), make(1))
    writer.merge('abc')


@kinds
def test_full_disk(tmp_path, kind, make, file_size_limit):
    writer = kind(tmp_path, META)
    writer.add(video('a', 1), make(1, num_frames=1))
    file_size_limit(60)
    with pytest.raises(UserError, match=r'b/00000\.png: cannot be written.*is safe'):
        writer.add(video('b'), make(2))
    file_size_limit(resource.RLIM_INFINITY)
    assert writer.finished() == {'a'}
    writer.add(video('b'), make(2))
    assert writer.finished() == {'a', 'b'}


@pytest.mark.parametrize('name', ['../x', 'a/../../x', '/tmp/x', '..', '.', ''])
@kinds
def test_names_that_lead_elsewhere(tmp_path, kind, make, name):
    writer = kind(tmp_path / 'out', META)
    with pytest.raises(UserError, match='would lie outside of their folder'):
        writer.add(video(name), make(1))
    line = dict(video_id=name, entries=[])
    writer.partial_path.write_text(json.dumps(line) + '\n')
    with pytest.raises(UserError, match='would lie outside of their folder'):
        writer.finished()
    with pytest.raises(UserError, match='would lie outside of their folder'):
        writer.check_videos([video('a'), video(name)])
    assert [path.name for path in tmp_path.iterdir()] == ['out']


@kinds
def test_videos_and_frames_that_would_share_files(tmp_path, kind, make):
    writer = kind(tmp_path, META)
    writer.check_videos([video('a'), video('b/a'), video('b/c')])
    with pytest.raises(UserError, match=r"videos '\./a' and 'a' would share the folder a"):
        writer.check_videos([video('./a'), video('a')])
    with pytest.raises(UserError, match="video 'a/x/b' lies in the folder of video 'a'"):
        writer.check_videos([video('a/x/b'), video('a')])
    twice = dict(video_id='v', frames=['v/1.jpg', 'v/2.jpg', 'v/1.png'])
    with pytest.raises(UserError, match=r"'v': .* v/1\.jpg and v/1\.png would both be 1\.png"):
        writer.check_videos([twice])
    with pytest.raises(UserError, match='rename one of them'):
        writer.add(twice, make(1))


@kinds
def test_results_of_another_kind_are_refused(tmp_path, kind, make):
    kind(tmp_path, META).add(video('a'), make(1))
    for other in (InstanceWriter, PanopticWriter, SemanticWriter):
        if other is not kind:
            with pytest.raises(UserError, match='line 1: is no result of this data set'):
                other(tmp_path, META).finished()


def test_results_with_other_categories_are_refused(tmp_path):
    PanopticWriter(tmp_path, META).add(video('a'), panoptic(1))
    with pytest.raises(UserError, match='unknown category_id'):
        PanopticWriter(tmp_path, META | dict(category_ids=(1, 2, 3, 4))).finished()


def test_the_task_decides_and_names_are_checked_before_a_long_run(tmp_path):
    videos = [video('a'), video('../b')]
    dataset = SimpleNamespace(metainfo=META, videos=videos, results_form='vipseg')
    assert isinstance(build_writer('vis', tmp_path, dataset), InstanceWriter)
    for task in ('vps', 'vss'):
        with pytest.raises(UserError, match=r"'\.\./b'"):
            build_writer(task, tmp_path, dataset)
    dataset.videos = dataset.videos[:1]
    assert isinstance(build_writer('vps', tmp_path, dataset, 2), PanopticWriter)
    assert isinstance(build_writer('vss', tmp_path, dataset, 2), SemanticWriter)


def write(kind, folder):
    """A complete folder of results; the names of its files without the joined one."""
    writer = kind(folder, META)
    make = dict(KINDS).get(kind)
    for seed, name in enumerate('ba'):
        if make:
            result = make(seed)
        else:
            result = VideoInstances(np.zeros(0), np.zeros(0, int), [], np.zeros(0, int))
        writer.add(video(name), result)
    assert complete_results(folder) is None
    assert holds_results(folder)
    assert writer.merge('ba') == complete_results(folder)
    return sorted(set(tree(folder)) - {writer.file_name})


@pytest.mark.parametrize('kind', [InstanceWriter, PanopticWriter, SemanticWriter])
def test_the_archive_holds_what_the_servers_want(tmp_path, kind):
    names = write(kind, tmp_path)
    (tmp_path / 'metrics.json').touch()
    (tmp_path / 'run.json').touch()
    expected = names if kind is SemanticWriter else [kind.file_name, *names]
    with zipfile.ZipFile(zip_results(tmp_path)) as archive:
        assert sorted(archive.namelist()) == sorted(expected)
        for name in expected:
            assert archive.read(name) == (tmp_path / name).read_bytes()
    if kind is SemanticWriter:
        frames = ('00000', '00005', '00010')
        assert names == [f'{v}/{frame}.png' for v in 'ab' for frame in frames]
    before = (tmp_path / 'submission.zip').read_bytes()
    for name in expected:  # written at another time
        os.utime(tmp_path / name, (1_000_000_000, 1_000_000_000))
    assert zip_results(tmp_path).read_bytes() == before


@pytest.mark.parametrize('kind', [InstanceWriter, PanopticWriter, SemanticWriter])
def test_full_disk_while_zipping(tmp_path, kind, file_size_limit):
    write(kind, tmp_path)
    before = tree(tmp_path)
    file_size_limit(50)
    with pytest.raises(UserError, match=r'submission\.zip: cannot be written'):
        zip_results(tmp_path)
    assert tree(tmp_path) == before


def test_nothing_to_zip(tmp_path):
    with pytest.raises(UserError, match='has no complete results; run the test first'):
        zip_results(tmp_path)
    names = write(SemanticWriter, tmp_path)
    (tmp_path / names[0]).unlink()
    with pytest.raises(UserError, match=rf'{names[0]}: cannot be written or read'):
        zip_results(tmp_path)


@pytest.mark.parametrize('complete', [True, False])
@pytest.mark.parametrize('kind', [InstanceWriter, PanopticWriter, SemanticWriter])
def test_what_a_run_wrote_can_be_thrown_away(tmp_path, kind, complete):
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a/notes.txt').touch()
    if complete:
        write(kind, tmp_path)
        zip_results(tmp_path)
        (tmp_path / 'metrics.json').touch()
    else:
        result = dict(KINDS).get(kind, lambda seed: VideoInstances(*[np.zeros(0)] * 4))(0)
        for name in 'ab':
            kind(tmp_path, META).add(video(name), result)
        with (tmp_path / 'results.partial.rank0.jsonl').open('a') as file:
            file.write('{"video_id')
    remove_results(tmp_path)
    assert [*tree(tmp_path)] == ['a/notes.txt']
    assert not holds_results(tmp_path)
