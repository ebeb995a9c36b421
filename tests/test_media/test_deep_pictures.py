"""Pictures of more than 8 bits, and of several pages: one rule for a whole video."""

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.media import VideoWriter, open_source
from mmvseg.media.images import read_image
from mmvseg.media.paged_source import TiffStack
from mmvseg.media.pixel_values import to_uint8


def ramp(high, dtype=np.uint16):
    """Values from 0 to ``high``."""
    return np.linspace(0, high, 24 * 32).round().astype(dtype).reshape(24, 32)


def write_frames(folder, *highs, kind='png'):
    folder.mkdir(exist_ok=True)
    for index, high in enumerate(highs):
        cv2.imwrite(str(folder / f'{index}.{kind}'), ramp(high))
    return folder


@pytest.mark.parametrize('kind', ['png', 'tif'])
@pytest.mark.parametrize(
    ('peak', 'white'), [(200, 255), (1000, 1023), (3584, 4095), (16000, 16383)]
)
def test_bits_of_a_sensor(tmp_path, kind, peak, white):
    source = open_source(write_frames(tmp_path / 'v', peak // 9, peak, peak // 3, kind=kind))
    frames = list(source)
    for frame, high in zip(frames, (peak // 9, peak, peak // 3), strict=True):
        expected = np.round(ramp(high) * (255 / white))
        np.testing.assert_array_equal(frame.image, np.stack([expected] * 3, -1))
    assert source.notes == [
        f'v: 16-bit values up to {peak}: 0 to {white} become 0 to 255 (--range LOW HIGH for others)'
    ]


def test_real_16_bits_lose_the_lower_eight(tmp_path):
    source = open_source(write_frames(tmp_path / 'v', 300, 65535))  # dark at first
    for frame, high in zip(source, (300, 65535), strict=True):
        np.testing.assert_array_equal(frame.image[..., 0], ramp(high) >> 8)
    np.testing.assert_array_equal(read_image(tmp_path / 'v/1.png')[..., 0], ramp(65535) >> 8)
    assert '0 to 65535 become 0 to 255' in source.notes[0]


def test_a_range_of_ones_own(tmp_path):
    source = open_source(write_frames(tmp_path / 'v', 4000), value_range=(1000, 3000))
    expected = np.clip(np.round((ramp(4000).astype(float) - 1000) * 255 / 2000), 0, 255)
    image = next(iter(source)).image
    np.testing.assert_array_equal(image[..., 0], expected)
    assert source.notes == ['v: 1000 to 3000 become 0 to 255 (--range LOW HIGH for others)']
    np.testing.assert_array_equal(read_image(tmp_path / 'v/0.png', (1000, 3000)), image)
    with VideoWriter(video := tmp_path / 'a.mp4', 5) as writer:
        writer.write(image)
    with pytest.raises(UserError, match='16-bit greys; this video has the pixels yuv420p'):
        open_source(video, value_range=(0, 9))


@pytest.mark.parametrize('dtype', [np.float32, np.float64, np.int16, np.int32])
def test_other_numbers_need_a_range(tmp_path, dtype):
    values = ramp(100, dtype) - 20
    path = tmp_path / 'a.tif'
    cv2.imwrite(str(path), values)
    with pytest.raises(UserError, match=r'a\.tif: holds \w+ values.*--range LOW HIGH'):
        next(iter(open_source(path)))
    with pytest.raises(UserError, match=r'a\.tif: holds \w+ values.*value_range'):
        read_image(path)
    image = next(iter(open_source(path, value_range=(-20, 80)))).image
    expected = np.clip(np.round((values.astype(float) + 20) * 2.55), 0, 255)
    np.testing.assert_allclose(image[..., 1], expected, atol=1)


def test_colours_of_16_bits(tmp_path):
    values = np.stack([ramp(900), ramp(90), ramp(9)], -1)  # BGR, as OpenCV writes
    cv2.imwrite(str(tmp_path / 'a.png'), values)
    image = next(iter(open_source(tmp_path / 'a.png'))).image
    np.testing.assert_array_equal(image, np.round(values[..., ::-1] * (255 / 1023)))


def test_videos_of_16_bit_greys(tmp_path):
    path = tmp_path / 'thermal.mkv'
    with av.open(str(path), 'w') as container:
        stream = container.add_stream('ffv1', rate=5)
        stream.height, stream.width, stream.pix_fmt = 24, 32, 'gray16le'
        for high in (1000, 9000):
            frame = av.VideoFrame.from_ndarray(ramp(high), format='gray16le')
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    for value_range, white in ((None, 2**14 - 1), ((0, 9000), 9000)):
        source = open_source(path, value_range=value_range)
        assert f'0 to {white} become 0 to 255' in source.notes[0]
        for frame, high in zip(source, (1000, 9000), strict=True):
            np.testing.assert_array_equal(
                frame.image, np.stack([np.round(ramp(high) * (255 / white))] * 3, -1)
            )


def test_frames_of_several_types_are_refused(tmp_path):
    write_frames(tmp_path / 'v', 4000, 4000)
    cv2.imwrite(str(tmp_path / 'v/1.png'), ramp(255, np.uint8))
    with pytest.raises(UserError, match=r'1\.png: frame 1 has values of uint8'):
        open_source(tmp_path / 'v')


def test_8_bits_are_as_they_are():
    values = ramp(255, np.uint8)
    assert to_uint8(values, None, '') is values


def write_stack(path, count, high=4000):
    pages = [Image.fromarray(ramp(high * (index + 1) // count)) for index in range(count)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    return path


def test_pages_of_a_tiff_are_frames(tmp_path, monkeypatch):
    # a few pages at a time, as of large ones
    monkeypatch.setattr('mmvseg.media.paged_source._CHUNK_BYTES', 2 * 8 * 24 * 32)
    source = open_source(write_stack(tmp_path / 'stack.tif', 5), fps=4)
    assert (source.length, source.size, source.name) == (5, (24, 32), 'stack')
    assert '0 to 4095 become 0 to 255' in source.notes[0]
    for _ in range(2):
        frames = list(source)
        assert [frame.seconds for frame in frames] == [0, 0.25, 0.5, 0.75, 1]
        for index, frame in enumerate(frames):
            expected = np.round(ramp(800 * (index + 1)) * (255 / 4095))
            np.testing.assert_array_equal(frame.image[..., 2], expected)
    assert source.frame_path(3) == f'{tmp_path}/stack.tif#3'


def test_a_stack_in_a_folder_of_frames_is_refused(tmp_path):
    write_frames(tmp_path / 'v', 4000, kind='tif')
    write_stack(tmp_path / 'v/1.tif', 3)
    with pytest.raises(UserError, match=r'1\.tif: has 3 pages or frames'):
        list(open_source(tmp_path / 'v'))


def test_pages_of_several_sizes(tmp_path):
    pages = [Image.fromarray(np.zeros(size, np.uint8)) for size in ((8, 8), (8, 8), (4, 8))]
    pages[0].save(tmp_path / 'a.tif', save_all=True, append_images=pages[1:])
    with pytest.raises(UserError, match=r'a\.tif#2: frame 2 is 8x4 pixels'):
        list(open_source(tmp_path / 'a.tif'))


def test_thumbnails_are_no_pages(tmp_path):
    path = tmp_path / 'scan.tif'
    page, thumbnail = (Image.fromarray(np.full(size, 7, np.uint8)) for size in ((16, 16), (4, 4)))
    thumbnail.encoderinfo = dict(tiffinfo={254: 1})
    page.save(path, save_all=True, append_images=[thumbnail])
    with Image.open(path) as image:
        assert image.n_frames == 2
    assert open_source(path).length == 1
    assert read_image(path).shape == (16, 16, 3)


@pytest.mark.parametrize('seed', range(60))
def test_damaged_stacks_end_in_a_message(tmp_path, seed):
    rng = np.random.default_rng(seed)
    data = bytearray(write_stack(tmp_path / 'a.tif', 3).read_bytes())
    for _ in range(rng.integers(1, 5)):
        place = rng.integers(len(data)) if seed % 2 else 8 + 1536 + rng.integers(300)
        data[place % len(data)] = rng.integers(256)
    (tmp_path / 'a.tif').write_bytes(data[: rng.integers(len(data))] if seed % 5 == 0 else data)
    try:
        list(open_source(tmp_path / 'a.tif'))
    except UserError as error:
        assert 'a.tif' in str(error)  # noqa: PT017


def test_a_page_that_declares_too_much(tmp_path, monkeypatch):
    path = write_stack(tmp_path / 'a.tif', 3)
    monkeypatch.setattr('mmvseg.media.paged_source.MAX_PIXELS', 100)
    with pytest.raises(UserError, match=r'a\.tif: not a readable image \(declares 32 x 24'):
        TiffStack(path, 6)
