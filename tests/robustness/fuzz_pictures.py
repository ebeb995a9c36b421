"""Broken pictures: frames, masks, maps."""

import io
import struct
import zlib
from pathlib import Path

from fuzz_bytes import damage
from fuzz_case import Case, Expect, kind

#: Pictures of the scene and the commands that read them.
FRAMES = {
    'data/JPEGImages/*/*.jpg': ('train', 'test', 'test_vis', 'check', 'draw', 'demo_toy'),
    'data/images/*.png': ('train_coco', 'check_coco'),
    'data/images/val*/*.jpg': ('test_vps', 'test_vis_vps', 'check_vps', 'draw_vps'),
    'data/images/train*/*.jpg': ('train_vps',),
    'data/data/val*/origin/*.jpg': ('test_vss', 'test_vis_vss', 'check_vss', 'draw_vss'),
    'data/data/train*/origin/*.jpg': ('train_vss',),
    'release/images/*/*.jpg': ('resize',),
    'frames/*.png': ('demo_frames', 'demo_frames_live', 'demo_frames_vps'),
}
MASKS = {
    'data/panomasksRGB/val*/*.png': ('test_vps', 'vpq', 'stq', 'check_vps', 'draw_vps'),
    'data/panomasksRGB/train*/*.png': ('train_vps',),
    'results/pan_pred/*/*.png': ('vpq', 'stq', 'draw_vps'),
    'pred/pan_pred/*/*.png': ('vpq_small', 'stq_small'),
    'data/data/val*/mask/*.png': ('test_vss', 'test_vis_vss', 'vss', 'check_vss', 'draw_vss'),
    'data/data/train*/mask/*.png': ('train_vss',),
    'results/val*/*.png': ('vss', 'draw_vss'),
    'release/panomasksRGB/*/*.png': ('resize',),
}
SIGNATURE = b'\x89PNG\r\n\x1a\n'


def choose(case: Case, table: dict[str, tuple[str, ...]]) -> Path:
    """Take a picture and a command that reads it."""
    pattern = case.rng.choice([*table])
    case.use(case.rng.choice(table[pattern]))
    return case.rng.choice(case.files(pattern))


@kind
def frame_bytes(case: Case) -> None:
    """Bits of a frame are flipped, blocks lost."""
    path = choose(case, FRAMES)
    data, case.note = damage(case.rng, path.read_bytes())
    case.put(path, data)


@kind
def mask_bytes(case: Case) -> None:
    """Bits of a mask are flipped, blocks lost: every chunk has a checksum, so it can be seen."""
    path = choose(case, MASKS)
    data, case.note = damage(case.rng, path.read_bytes())
    case.expect = Expect.REFUSED_OR_SAME
    if case.tool in ('train', 'test', 'test_vis', 'visualize_results') or data[:8] != SIGNATURE:
        case.expect = Expect.ANYTHING  # not all of them read all masks
    case.put(path, data)


def png(width: int, height: int, depth: int, color: int, pixels: bytes, *extra: bytes) -> bytes:
    """A PNG of that header and compressed pixels."""
    ihdr = struct.pack('>IIBBBBB', width, height, depth, color, 0, 0, 0)
    return SIGNATURE + b''.join(
        [chunk(b'IHDR', ihdr), *extra, chunk(b'IDAT', pixels), chunk(b'IEND', b'')]
    )


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))


SIZES = [
    *((0, 48), (1, 1), (60000, 60000), (10**6, 10**6), (2**31 - 1, 1), (1, 2**31 - 1)),
    *((2**32 - 1, 2**32 - 1), (2**31 - 1, 2**31 - 1), (20000, 20000), (65536, 65536)),
]


@kind
def declared_sizes(case: Case) -> None:
    """A PNG of a few bytes that declares an enormous size."""
    path = choose(case, case.rng.choice((FRAMES, MASKS)))
    width, height = case.rng.choice(SIZES)
    depth, color = case.rng.choice(((8, 2), (8, 0), (8, 3), (16, 2), (1, 0), (8, 6)))
    palette = [chunk(b'PLTE', bytes(768))] if color == 3 else []
    case.note = f'{width}x{height}, {depth} bits, kind {color}'
    if (width, height) == (20000, 20000) and depth * (3 if color == 2 else 1) <= 8:
        packed = zlib.compress(bytes(height * (1 + width * depth // 8)), 1)
    else:
        packed = zlib.compress(bytes(case.rng.choice((10, 100000))))
    case.put(path, png(width, height, depth, color, packed, *palette))


@kind
def picture_kinds(case: Case) -> None:
    """A picture of another mode, format or size under the same name."""
    from PIL import Image

    path = choose(case, case.rng.choice((FRAMES, MASKS)))
    picture = Image.open(path)
    mode = case.rng.choice(('1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'I;16', 'CMYK', 'F', 'I'))
    size = case.rng.choice((picture.size, picture.size, (1, 1), (31, 17), picture.size[::-1]))
    formats = ('PNG', 'JPEG', 'GIF', 'TIFF', 'WEBP', 'BMP', 'PPM')
    form = case.rng.choice(('same', 'same', *formats))
    form = picture.format if form == 'same' else form
    case.note = f'{mode} {size} {form}'
    data = io.BytesIO()
    if mode == 'I;16':
        changed = picture.convert('L').resize(size).point(lambda value: value * 257, 'I')
        changed = changed.convert('I;16')
    else:
        changed = picture.convert('RGB').convert(mode).resize(size)
    try:
        changed.save(data, form)
    except (OSError, ValueError, KeyError):  # the format has no such mode
        data = io.BytesIO()
        picture.convert('RGB').resize(size).save(data, 'PNG')
    case.put(path, data.getvalue())


@kind
def masks_neutral(case: Case) -> None:
    """The same pixels, written otherwise."""
    from PIL import Image, PngImagePlugin

    path = choose(case, MASKS)
    picture = Image.open(path)
    notes = PngImagePlugin.PngInfo()
    notes.add_text('Software', 'another program')
    data = io.BytesIO()
    level = case.rng.choice((0, 1, 9))
    picture.save(data, 'PNG', pnginfo=notes, compress_level=level, dpi=(72, 72))
    case.expect = Expect.SAME
    case.put(path, data.getvalue())


@kind
def no_picture(case: Case) -> None:
    """In place of a picture lies something else, or nothing."""
    path = choose(case, case.rng.choice((FRAMES, MASKS)))
    path.unlink()
    how = case.rng.choice(('nothing', 'folder', 'loop', 'zero', 'pipe', 'nowhere', 'socket'))
    case.note = how
    if how == 'folder':
        path.mkdir()
    elif how == 'loop':
        path.symlink_to(path.name)
    elif how == 'zero':
        path.symlink_to('/dev/zero')
    elif how == 'nowhere':
        path.symlink_to('absent.png')
    elif how == 'pipe':
        import os

        os.mkfifo(path)
    elif how == 'socket':
        path.symlink_to('/dev/null')
