import os
import signal
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from mmvseg.errors import UserError
from mmvseg.media import VideoWriter, open_source


def frames(count, height, width):
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (count, height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return small.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]


def write_all(writer, images):
    for image in images:
        writer.write(image)


@pytest.mark.parametrize('fps', [Fraction(30000, 1001), Fraction(6), Fraction(24000, 1001)])
@pytest.mark.parametrize('size', [(48, 64), (47, 63), (1, 1)])
def test_plays_in_a_browser_with_rate_and_count_of_the_input(tmp_path, fps, size):
    path = tmp_path / 'deep' / 'out.mp4'
    images = frames(7, *size)
    with VideoWriter(path, fps) as writer:
        for image in images:
            writer.write(image)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == 'h264'
        assert stream.codec_context.pix_fmt == 'yuv420p'
        assert stream.average_rate == fps
        padded = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        assert (stream.height, stream.width) == padded
    data = path.read_bytes()
    assert data.index(b'moov') < data.index(b'mdat')  # faststart
    decoded = [frame.image for frame in open_source(path)]
    assert len(decoded) == 7


def test_colours_survive(tmp_path):
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (40, 120, 200)]
    with VideoWriter(tmp_path / 'out.mp4', 5, crf=5) as writer:
        for color in colors:
            writer.write(np.full((32, 32, 3), color, np.uint8))
    for frame, color in zip(open_source(tmp_path / 'out.mp4'), colors, strict=True):
        np.testing.assert_allclose(frame.image.mean((0, 1)), color, atol=4)


def test_crf_changes_the_size(tmp_path):
    sizes = []
    for crf in (10, 45):
        with VideoWriter(tmp_path / 'out.mp4', 5, crf=crf) as writer:
            for image in frames(4, 64, 64):
                writer.write(image)
        sizes.append((tmp_path / 'out.mp4').stat().st_size)
    assert sizes[0] > 1.5 * sizes[1]


def test_frames_to_jump_to(tmp_path):
    for max_gop, longest in ((None, 10), (4, 4)):
        with VideoWriter(tmp_path / 'out.mp4', 6, max_gop=max_gop) as writer:
            for value in range(10):
                writer.write(np.full((32, 32, 3), 100 + value, np.uint8))
        with av.open(str(tmp_path / 'out.mp4')) as container:
            starts = [n for n, f in enumerate(container.decode(video=0)) if f.key_frame]
        assert starts[0] == 0
        assert longest - 1 <= max(np.diff([*starts, 10])) <= longest


def test_a_failed_run_leaves_the_old_file_and_nothing_half_written(tmp_path):
    path = tmp_path / 'out.mp4'
    path.write_bytes(b'old')
    with pytest.raises(ValueError, match='frame 1: size'), VideoWriter(path, 5) as writer:
        write_all(writer, [frames(1, 32, 32)[0], frames(1, 30, 30)[0]])
    assert path.read_bytes() == b'old'
    assert [p.name for p in tmp_path.iterdir()] == ['out.mp4']


def test_no_frames_is_an_error(tmp_path):
    with pytest.raises(UserError, match='no frames'), VideoWriter(tmp_path / 'out.mp4', 5):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('growing', [False, True])
def test_a_file_that_another_run_writes_is_refused(tmp_path, growing):
    path = tmp_path / 'out.mp4'
    with VideoWriter(path, 6, growing=growing) as first:
        first.write(frames(1, 16, 16)[0])
        with pytest.raises(UserError, match=r'out\.mp4: .*another run is writing it'):
            VideoWriter(path, 6, growing=growing)
        first.write(frames(2, 16, 16)[1])
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == 2
    assert [file.name for file in tmp_path.iterdir()] == ['out.mp4']


def test_unwritable_folder_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match=r'out\.mp4: cannot write'):
        VideoWriter(tmp_path / 'file' / 'out.mp4', 5)


def test_growing_video_is_like_any_other_when_it_is_done(tmp_path):
    path = tmp_path / 'deep' / 'out.mp4'
    times = [0.0, 0.1, 0.5, 0.52, 2.0]
    with VideoWriter(path, 10, crf=1, growing=True) as writer:
        for image, seconds in zip(frames(5, 47, 64), times, strict=True):
            writer.write(image, seconds)
    source = open_source(path)
    decoded = list(source)
    assert [frame.seconds for frame in decoded] == pytest.approx(times, abs=1e-4)
    assert decoded[0].image.shape == (48, 64, 3)
    assert source.damage is None
    assert list(path.parent.iterdir()) == [path]


def test_times_that_go_back_keep_the_order(tmp_path):
    with VideoWriter(tmp_path / 'out.mp4', 10, growing=True) as writer:
        for image, seconds in zip(frames(3, 32, 32), (0.5, 0.2, 0.2), strict=True):
            writer.write(image, seconds)
    assert len(list(open_source(tmp_path / 'out.mp4'))) == 3


def test_growing_videos_of_a_full_disk_and_a_killed_program_play(tmp_path):
    """The file-size limit of a process stands for a full disk."""
    code = f"""
import os, resource, signal
import numpy as np
from mmvseg.errors import UserError
from mmvseg.media import VideoWriter

os.chdir({str(tmp_path)!r})
killed = VideoWriter('killed.mp4', 5, growing=True)
for index in range(9):
    killed.write(np.full((48, 64, 3), 20 * index, np.uint8))
resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
rng = np.random.default_rng(0)
try:
    with VideoWriter('full.mp4', 5, crf=30, growing=True) as writer:
        while True:
            writer.write(rng.integers(0, 255, (128, 128, 3), dtype=np.uint8))
except UserError as error:
    print(error, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True)
    assert done.returncode == -signal.SIGKILL
    source = open_source(tmp_path / 'killed.mp4')
    decoded = list(source)
    assert len(decoded) == 8  # all but the last
    assert source.damage is None
    assert abs(decoded[7].image.mean() - 140) < 8
    assert 'full.mp4: cannot write the video' in done.stdout
    assert len(list(open_source(tmp_path / 'full.mp4'))) > 2


def test_growing_video_stays_when_an_exception_ends_it(tmp_path):
    path = tmp_path / 'out.mp4'
    images = [*frames(4, 32, 32), None]
    with pytest.raises(AttributeError), VideoWriter(path, 5, growing=True) as writer:
        write_all(writer, images)
    assert len(list(open_source(path))) == 4
    with pytest.raises(AttributeError), VideoWriter(path, 5, growing=True) as writer:
        write_all(writer, images[4:])
    assert list(tmp_path.iterdir()) == []  # there was no frame


def test_full_disk(tmp_path):
    """The file-size limit of a process stands for a full disk."""
    code = f"""
import resource
import numpy as np
from mmvseg.errors import command_line
from mmvseg.media import VideoWriter

@command_line
def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))
    rng = np.random.default_rng(0)
    with VideoWriter({str(tmp_path / 'out.mp4')!r}, 5, crf=1) as writer:
        for _ in range(40):
            writer.write(rng.integers(0, 255, (128, 128, 3), dtype=np.uint8))

main()
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 1
    assert 'out.mp4: cannot write the video' in done.stderr
    assert 'Traceback' not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, 'sched_setaffinity'), reason='needs Linux')
def test_equal_frames_give_an_equal_file(tmp_path):
    """Whatever lies in memory that was never set, and however many cores there are."""
    code = """
import os, sys
import numpy as np
from mmvseg.media import VideoWriter

os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[2])])
picture = np.random.default_rng(0).integers(0, 255, (30, 27, 3), dtype=np.uint8)
picture = picture.repeat(8, 0).repeat(8, 1)
with VideoWriter(sys.argv[1], 25) as writer:
    for index in range(12):
        writer.write(np.roll(picture, 2 * index, 1))
"""
    videos = []
    for content, cores in (('1', '1'), ('170', '2')):
        path = tmp_path / f'{content}.mp4'
        environment = os.environ | dict(MALLOC_PERTURB_=content)
        arguments = [sys.executable, '-c', code, str(path), cores]
        subprocess.run(arguments, env=environment, check=True)
        videos.append(path.read_bytes())
    assert videos[0] == videos[1]
