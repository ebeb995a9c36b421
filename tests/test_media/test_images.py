"""Pictures are bounded by their headers, and every way of being broken ends in one message."""

import os
import random
import struct
import zlib
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.formats.pictures import frame_rule
from mmvseg.media import images, open_source
from mmvseg.media.images import (
    read_class_map,
    read_grey_map,
    read_image,
    read_image_size,
    read_rgba_map,
    read_segment_map,
    write_image,
)

VALUES = (np.arange(600).reshape(20, 30) % 7).astype(np.uint8)


def check_frame(path):
    if rule := frame_rule(path):
        raise UserError(rule)


NAMING_READERS = [
    read_image,
    read_image_size,
    read_class_map,
    read_grey_map,
    read_segment_map,
    read_rgba_map,
]
READERS = [*NAMING_READERS, check_frame]


def png(width, height, bits=8, color=2, pixels=b'\0'):
    """A PNG that declares what it is told to."""

    def chunk(kind, data):
        return (
            struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
        )

    header = struct.pack('>IIBBBBB', width, height, bits, color, 0, 0, 0)
    palette = chunk(b'PLTE', bytes(range(6))) if color == 3 else b''
    body = chunk(b'IDAT', zlib.compress(pixels)) + chunk(b'IEND', b'')
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + palette + body


def encoded(kind, array=VALUES, **options):
    buffer = BytesIO()
    Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def never_decoded(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError('decoded')

    monkeypatch.setattr(cv2, 'imdecode', refuse)
    monkeypatch.setattr(images.PngImagePlugin.PngImageFile, 'load', refuse)


@pytest.mark.parametrize(
    ('width', 'height', 'color'),
    [
        (60_000, 60_000, 2),
        (1_000_000, 1_000_000, 2),
        (2**31 - 1, 1, 3),
        (1, 70_000, 0),
        (16_384, 8_193, 3),
        (2_000, 2_000, 2),  # more than so few bytes can hold
        (2_000, 2_000, 3),
    ],
)
@pytest.mark.parametrize('reader', READERS)
def test_enormous_pngs_are_refused_by_their_headers(
    tmp_path, never_decoded, reader, width, height, color
):
    path = tmp_path / 'frame.png'
    path.write_bytes(png(width, height, color=color))
    maps = {
        read_class_map: 'classes',
        read_grey_map: 'numbers',
        read_segment_map: 'segment ids',
        read_rgba_map: 'four numbers',
    }
    declared = rf'not a readable image \(declares {width} x {height} pixels'
    with pytest.raises(UserError, match=rf'{declared}|a map of {maps.get(reader)}'):
        reader(path)


@pytest.mark.parametrize('reader', [read_image, read_class_map, check_frame])
def test_chunks_longer_than_the_file_are_not_made_room_for(tmp_path, never_decoded, reader):
    data = encoded('PNG')
    start = data.index(b'IDAT') - 4
    path = tmp_path / 'frame.png'
    path.write_bytes(data[:start] + (2**31 - 1).to_bytes(4, 'big') + data[start + 4 :])
    with pytest.raises(UserError, match=r'not a readable image \(truncated or damaged'):
        reader(path)


@pytest.mark.parametrize('kind', ['BMP', 'TIFF'])
@pytest.mark.parametrize('side', [12_000, 60_000])
def test_other_enormous_pictures(tmp_path, never_decoded, kind, side):
    data = bytearray(encoded(kind))
    for plain in (20, 30):  # height and width
        packed = struct.pack('<I', plain)
        data = data.replace(packed, struct.pack('<I', side))
    path = tmp_path / 'frame'
    path.write_bytes(data)
    with pytest.raises(UserError, match=r'frame: not a readable image \((declares|has over) '):
        read_image(path)


def test_an_enormous_jpeg(tmp_path, never_decoded):
    data = encoded('JPEG').replace(struct.pack('>HH', 20, 30), struct.pack('>HH', 65_000, 65_000))
    path = tmp_path / 'frame.jpg'
    path.write_bytes(data)
    with pytest.raises(UserError, match=r'frame\.jpg: .*declares 65000 x 65000 pixels'):
        read_image(path)


@pytest.mark.filterwarnings('error')
def test_large_pictures_within_the_bounds_are_read_in_silence(tmp_path):
    path = tmp_path / 'large.png'
    cv2.imwrite(str(path), np.zeros((6_000, 16_000), np.uint8))  # all zero: the tightest code
    assert read_class_map(path).shape == (6_000, 16_000)


@pytest.mark.parametrize(('reader', 'color'), [(read_class_map, 3), (read_segment_map, 2)])
def test_sizes_are_compared_before_anything_is_decoded(tmp_path, never_decoded, reader, color):
    path = tmp_path / '0.png'
    path.write_bytes(png(9_000, 9_000, color=color, pixels=bytes(300_000)))
    message = r'0\.png: 9000x9000 pixels, the frames of the video have 30x20'
    with pytest.raises(UserError, match=message):
        reader(path, (20, 30))


def test_alpha_is_a_number_as_others_are(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (4, 5, 4), dtype=np.uint8)
    values[0, :, 3] = 0
    path = tmp_path / '0.png'
    path.write_bytes(encoded('PNG', values))
    np.testing.assert_array_equal(read_rgba_map(path, (4, 5)), values)
    path.write_bytes(encoded('PNG', values[..., :3]))
    with pytest.raises(UserError, match=r'0\.png: a map of four numbers .* this is RGB 8 bit'):
        read_rgba_map(path)


@pytest.mark.parametrize('reader', READERS)
def test_names_and_files_that_are_none(tmp_path, reader):
    os.mkfifo(tmp_path / 'pipe.png')
    paths = [tmp_path / 'pipe.png', '/dev/zero', tmp_path, tmp_path / 'a\0.png', tmp_path / 'none']
    for path in paths:
        with pytest.raises(UserError, match=r'cannot be read|missing file'):
            reader(path)


def test_kinds_of_class_maps(tmp_path):
    path = tmp_path / '0.png'
    for colors in (2, 4, 16, 256):
        picture = Image.fromarray(VALUES % min(colors, 7))
        picture.putpalette([7 * i % 256 for i in range(3 * colors)])
        picture.save(path)
        np.testing.assert_array_equal(read_class_map(path), VALUES % min(colors, 7))
    # Pillow would scale the values of grey with fewer bits
    for bits in (1, 2, 4):
        path.write_bytes(png(4, 1, bits=bits, color=0, pixels=bytes(2)))
        with pytest.raises(UserError, match=f'one 8-bit channel.* this is grey {bits} bit'):
            read_class_map(path)
        with pytest.raises(UserError, match=f'8 or 16 bits, this is grey {bits} bit'):
            read_grey_map(path)
    for dtype in (np.uint8, np.uint16):
        values = VALUES.astype(dtype) * (np.iinfo(dtype).max // 6)
        cv2.imwrite(str(path), values)
        np.testing.assert_array_equal(read_grey_map(path), values)
    path.write_bytes(encoded('JPEG'))
    with pytest.raises(UserError, match=r'0\.png: .*not a PNG'):
        read_class_map(path)


@pytest.mark.parametrize('kind', ['PNG', 'JPEG', 'WEBP'])
@pytest.mark.parametrize('orientation', [1, 3, 6, 8])
def test_sizes_are_those_of_the_upright_picture(tmp_path, kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / 'picture'
    path.write_bytes(encoded(kind, np.stack([VALUES] * 3, -1), exif=exif))
    assert read_image_size(path) == read_image(path).shape[:2]
    assert read_image_size(path) == ((30, 20) if orientation in (6, 8) else (20, 30))


@pytest.mark.filterwarnings('ignore::UserWarning:PIL')
def test_damaged_bytes_end_in_a_message(tmp_path):
    rgb = np.stack([VALUES] * 3, -1)
    sound = [encoded('PNG'), *(encoded(k, rgb) for k in ('PNG', 'JPEG', 'BMP', 'TIFF', 'WEBP'))]
    rng, path = random.Random(0), tmp_path / 'picture'
    for _ in range(400):
        broken = bytearray(rng.choice(sound))
        for _ in range(rng.randint(1, 4)):
            broken[rng.randrange(min(len(broken), rng.choice([60, 9999])))] = rng.randrange(256)
        path.write_bytes(broken[: rng.randint(0, len(broken))] if rng.random() < 0.2 else broken)
        for reader in NAMING_READERS:
            try:
                reader(path)
            except UserError as error:
                assert str(error).startswith(f'{path}: ')  # noqa: PT017


@pytest.mark.parametrize('name', ['0.png', '1.png'])
def test_a_folder_of_frames_names_the_one_that_declares_too_much(tmp_path, name):
    for other in ('0.png', '1.png'):
        (tmp_path / other).write_bytes(encoded('PNG'))
    (tmp_path / name).write_bytes(png(60_000, 60_000))
    with pytest.raises(UserError, match=rf'{name}: .*declares 60000 x 60000 pixels'):
        list(open_source(tmp_path))


def test_frames_named_by_other_digits(tmp_path):
    for name in ('².png', '٣.png', '10.png', '9.png'):
        (tmp_path / name).write_bytes(encoded('PNG'))
    found = [os.path.basename(path) for path in open_source(tmp_path).paths]
    assert found[:2] == ['9.png', '10.png'] or found[2:] == ['9.png', '10.png']
    assert len(found) == 4


def test_webp_is_lossless_unless_asked(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    sizes = []
    for quality in (None, 90, 30):
        write_image(tmp_path / 'a.webp', image, quality)
        assert (read_image(tmp_path / 'a.webp') == image).all() == (quality is None)
        sizes.append((tmp_path / 'a.webp').stat().st_size)
    assert sizes == sorted(sizes, reverse=True)
