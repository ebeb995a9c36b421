import gc
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from mmvseg.errors import UserError
from mmvseg.media import ImageFolder, VideoFile, VideoWriter, open_source


def picture(index, height=24, width=32):
    """A frame that tells its index by its red value."""
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = 10 + 15 * index
    image[..., 2] = 200
    return image


def save(path, image):
    cv2.imwrite(str(path), image[..., ::-1])


def write_video(path, count=10, fps=Fraction(30000, 1001), height=24, width=32):
    with VideoWriter(path, fps, crf=1) as writer:
        for index in range(count):
            writer.write(picture(index, height, width))
    return path


def test_video_file_gives_every_frame_with_its_time(tmp_path):
    source = open_source(write_video(tmp_path / 'clip.mp4'))
    assert (source.name, source.fps, source.size) == ('clip', Fraction(30000, 1001), (24, 32))
    assert source.length == 10
    frames = list(source)
    assert [frame.index for frame in frames] == list(range(10))
    np.testing.assert_allclose([f.seconds for f in frames], np.arange(10) * 1.001 / 30, atol=1e-4)
    for frame in frames:
        assert frame.image.dtype == np.uint8
        assert abs(int(frame.image[..., 0].mean()) - (10 + 15 * frame.index)) <= 3
        assert frame.image[..., 2].mean() > 190  # RGB, not BGR
    assert len(list(source)) == 10  # a second pass
    assert source.damage is None


def test_folder_is_read_in_natural_order(tmp_path):
    for index in (0, 2, 10, 1):
        save(tmp_path / f'frame_{index}.png', picture(index))
    (tmp_path / 'notes.txt').write_text('no image')
    source = open_source(tmp_path, fps=5)
    reds = [int(frame.image[0, 0, 0]) for frame in source]
    assert reds == [10 + 15 * index for index in (0, 1, 2, 10)]
    assert [frame.seconds for frame in source] == pytest.approx([0, 0.2, 0.4, 0.6])
    assert source.length == 4


def test_pattern_and_single_image(tmp_path):
    for index in range(4):
        save(tmp_path / f'{index}.png', picture(index))
    save(tmp_path / '9.jpg', picture(9))
    assert open_source(f'{tmp_path}/*.png').length == 4
    assert open_source(f'{tmp_path}/*.png').name == tmp_path.name
    single = open_source(tmp_path / '3.png')
    assert (single.length, single.name) == (1, '3')
    np.testing.assert_array_equal(next(iter(single)).image, picture(3))


def test_rotated_video_is_turned_upright(tmp_path):
    path = tmp_path / 'phone.mp4'
    with VideoWriter(path, 10, crf=1) as writer:
        image = np.zeros((32, 64, 3), np.uint8)
        image[:, :32] = 255  # the left half is bright
        for _ in range(3):
            writer.write(image)
    data = bytearray(path.read_bytes())
    # A quarter turn clockwise, as phones note it: the track header's matrix (16.16 fixed point).
    start = data.index(b'tkhd') + 44
    one, minus = (1 << 16).to_bytes(4, 'big'), ((1 << 32) - (1 << 16)).to_bytes(4, 'big')
    data[start : start + 20] = bytes(4) + one + bytes(4) + minus + bytes(4)
    path.write_bytes(data)
    source = VideoFile(path)
    assert source.size == (64, 32)
    upright = next(iter(source)).image
    assert upright[:28].mean() > 240  # the left half is on top now
    assert upright[36:].mean() < 15


def test_truncated_video_keeps_what_decodes_and_says_where(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / 'cut.mp4'
    with VideoWriter(path, 10) as writer:
        for _ in range(40):
            writer.write(rng.integers(0, 255, (48, 64, 3), dtype=np.uint8))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    source = VideoFile(path)
    count = len(list(source))
    assert 5 < count < 40
    assert f'cut.mp4: read {count} frames of 40' in source.damage
    assert 'truncated' in source.damage


def test_unreadable_videos_are_named(tmp_path):
    (tmp_path / 'empty.mp4').write_bytes(b'')
    (tmp_path / 'noise.mp4').write_bytes(bytes(range(256)) * 40)
    with pytest.raises(UserError, match=r'empty\.mp4.*empty file'):
        open_source(tmp_path / 'empty.mp4')
    with pytest.raises(UserError, match=r'noise\.mp4: not a readable video'):
        open_source(tmp_path / 'noise.mp4')
    with pytest.raises(UserError, match=r'absent\.mp4: no such file'):
        open_source(tmp_path / 'absent.mp4')


def test_video_without_frames_is_refused(tmp_path):
    whole = write_video(tmp_path / 'clip.mp4').read_bytes()
    # With the index in front, cutting the sample data leaves a well-formed file of 0 frames.
    (tmp_path / 'none.mp4').write_bytes(whole[: whole.index(b'mdat') + 4])
    with pytest.raises(UserError, match=r'none\.mp4: no frame can be decoded'):
        open_source(tmp_path / 'none.mp4')


def test_audio_file_has_no_video_stream(tmp_path):
    import wave

    with wave.open(str(tmp_path / 'sound.wav'), 'wb') as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(1600))
    with pytest.raises(UserError, match=r'sound\.wav: has no video stream'):
        open_source(tmp_path / 'sound.wav')


def test_titles_may_be_in_any_encoding(tmp_path):
    path = write_video(tmp_path / 'clip.mp4', count=3)
    data = path.read_bytes()
    assert b'VideoHandler' in data
    path.write_bytes(data.replace(b'VideoHandler', 'Vidéo Caméra'.encode('latin-1')))
    assert len(list(open_source(path))) == 3


def test_cover_of_a_sound_file_is_no_video(tmp_path):
    done, cover = cv2.imencode('.png', picture(0))
    assert done
    body = b'\0image/png\0\x03\0' + cover.tobytes()  # the front cover
    tag = b'APIC' + len(body).to_bytes(4, 'big') + bytes(2) + body
    size = bytes(len(tag) >> shift & 127 for shift in (21, 14, 7, 0))
    silence = (b'\xff\xfb\x90\x64' + bytes(413)) * 40  # MPEG-1 layer III
    (tmp_path / 'song.mp3').write_bytes(b'ID3\x03\0\0' + size + tag + silence)
    with pytest.raises(UserError, match=r'song\.mp3: has no video stream \(only a cover picture\)'):
        open_source(tmp_path / 'song.mp3')


def test_a_video_keeps_no_frames_in_memory(tmp_path):
    source = open_source(write_video(tmp_path / 'clip.mp4', count=15))
    gc.collect()
    gc.disable()  # frames in circles of references would wait for it
    try:
        before = sum(type(kept) is av.VideoFrame for kept in gc.get_objects())
        for _ in source:
            pass
        after = sum(type(kept) is av.VideoFrame for kept in gc.get_objects())
    finally:
        gc.enable()
    assert after <= before + 1


def test_folder_without_images_says_what_it_found(tmp_path):
    (tmp_path / 'video_1').mkdir()
    with pytest.raises(UserError, match=r'no frames.*video_1'):
        open_source(tmp_path)


def test_frames_of_differing_sizes_are_refused(tmp_path):
    save(tmp_path / '0.png', picture(0))
    save(tmp_path / '1.png', picture(1, height=30))
    with pytest.raises(UserError, match=r'1\.png: frame 1 is 32x30 pixels.*32x24'):
        list(ImageFolder(tmp_path))


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_truncated_image_is_named(tmp_path, suffix):
    for index in range(2):
        rng = np.random.default_rng(index)
        save(tmp_path / f'{index}{suffix}', rng.integers(0, 255, (48, 64, 3), dtype=np.uint8))
    data = (tmp_path / f'1{suffix}').read_bytes()
    (tmp_path / f'1{suffix}').write_bytes(data[: len(data) // 2])
    with pytest.raises(UserError, match=rf'1\{suffix}'):
        list(ImageFolder(tmp_path))


def test_jpeg_with_data_behind_it_is_whole(tmp_path):
    path = tmp_path / 'motion_photo.jpg'
    save(path, picture(3))
    path.write_bytes(path.read_bytes() + bytes(range(200)) * 50)
    assert abs(int(next(iter(open_source(path))).image[..., 0].mean()) - 55) <= 3
