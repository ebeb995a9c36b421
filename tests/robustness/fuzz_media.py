"""Broken videos, folders of frames and command lines of the demo."""

import os
import struct

from fuzz_bytes import damage
from fuzz_case import Case, Expect, kind
from fuzz_verdict import ESCAPE

VIDEOS = {
    'clip.mp4': ('demo_mp4', 'demo_live', 'demo_vps', 'demo_vss'),
    **{f'clip.{suffix}': (f'demo_{suffix}',) for suffix in ('avi', 'ts', 'gif', 'webp', 'tif')},
}
PICTURES = ('png', 'jpg', 'bmp', 'webp', 'tif')
DEMOS = ('demo_mp4', 'demo_live', 'demo_frames', 'demo_frames_live', 'demo_vps', 'demo_vss')


def choose(case: Case) -> str:
    """Take a video and a command that reads it."""
    name = case.rng.choice([*VIDEOS, 'clip.mp4', 'clip.mp4'])
    case.use(case.rng.choice(VIDEOS[name]))
    return name


@kind
def video_bytes(case: Case) -> None:
    """Bits of a video are flipped, blocks lost."""
    path = case.folder / choose(case)
    data = path.read_bytes()
    for _ in range(case.rng.choice((1, 1, 3))):
        data, case.note = damage(case.rng, data)
    case.put(path, data)


@kind
def video_header(case: Case) -> None:
    """A field of a box, header or directory is extreme."""
    path = case.folder / choose(case)
    data = bytearray(path.read_bytes())
    boxes = (b'moov', b'mvhd', b'tkhd', b'mdhd', b'stsd', b'avc1', b'avcC', b'stts', b'stsc')
    boxes += (b'stsz', b'stco', b'elst', b'ctts', b'avih', b'strh', b'strf', b'VP8 ', b'ANIM')
    found = [data.find(name) for name in boxes if name in data] or [case.rng.randrange(64)]
    start = max(case.rng.choice(found) - 4 + 4 * case.rng.randrange(16), 0)
    value = case.rng.choice((0, 1, 2**31 - 1, 2**31, 2**32 - 1, 65536, 0xFFFF, 10**6))
    data[start : start + 4] = struct.pack(case.rng.choice('<>') + 'I', value)
    case.note = f'{value} at {start}'
    case.put(path, bytes(data))


@kind
def picture_bytes(case: Case) -> None:
    """A single picture is damaged."""
    suffix = case.rng.choice(PICTURES)
    case.use(f'demo_picture_{suffix}')
    path = case.folder / f'picture.{suffix}'
    data, case.note = damage(case.rng, path.read_bytes())
    case.put(path, data)


@kind
def other_suffix(case: Case) -> None:
    """A file of one kind under the name of another."""
    source, target = case.rng.sample(
        [*VIDEOS, *(f'picture.{suffix}' for suffix in PICTURES), 'squares.py', 'squares.pth'], 2
    )
    case.use('demo_mp4')
    data = (case.folder / source).read_bytes()
    name = f'other{os.path.splitext(target)[1]}'
    case.put(case.folder / name, data)
    case.swap('clip.mp4', name)
    if '.py' in source or '.pth' in source or source.startswith('picture'):
        case.swap('out.mp4', case.rng.choice(('out.mp4', 'out.png')))
        case.outputs = ()
    case.note = f'{source} as {name}'


@kind
def frame_folders(case: Case) -> None:
    """Folders of frames with odd names, sizes, counts and company."""
    case.use(case.rng.choice(('demo_frames', 'demo_frames_live', 'demo_frames_vps')))
    folder = case.folder / 'frames'
    paths = case.files('frames/*')
    first = paths[0].read_bytes()
    how = case.rng.choice(('names', 'names', 'size', 'size', 'company', 'none', 'kinds', 'link'))
    case.note = how
    if how == 'names':
        names = ['²', '1²', '\udcff', ' ', '.hidden', f'{ESCAPE}', 'a\nb', '0' * 240, '9' * 200]
        names += [
            '\u0661',
            '%05d',
            '*',
            '[0]',
            '-1',
            '1e400',
            '🙂',
            '00001 copy',
            'x.y',
            '+1',
            '00000.5',
        ]
        for path in case.rng.sample(paths, case.rng.randrange(1, 5)):
            name = case.rng.choice(names)
            case.note += f' {name[:20]!r}'
            path.rename(folder / f'{name}{case.rng.choice((".png", ".PNG", ".jpg"))}')
    elif how == 'size':
        import squares

        for path in case.rng.sample(paths, case.rng.randrange(1, 4)):
            height, width = case.rng.choice(((1, 1), (96, 128), (48, 63), (2, 900), (47, 64)))
            picture = squares.square_frame(0)[:height, :width]
            from PIL import Image

            Image.fromarray(picture).resize((width, height)).save(path)
            case.note += f' {height}x{width}'
    elif how == 'company':
        name = case.rng.choice(('notes.txt', 'Thumbs.db', '.DS_Store', 'mask.png', 'x.mp4', 'sub'))
        if name == 'sub':
            (folder / name).mkdir()
            (folder / name / '00000.png').write_bytes(first)
        else:
            (folder / name).write_bytes(case.rng.choice((b'', b'x', first)))
        case.note += f' {name}'
    elif how == 'none':
        for path in paths[case.rng.randrange(2) :]:
            path.unlink()
    elif how == 'kinds':
        for path in case.rng.sample(paths, 2):
            path.rename(path.with_suffix(case.rng.choice(('.jpg', '.tif', '.bmp', '.gif'))))
    else:
        path = case.rng.choice(paths)
        path.unlink()
        path.symlink_to(case.rng.choice((path.name, 'absent', '/dev/zero', '..')))


@kind
def demo_inputs(case: Case) -> None:
    """What is no video at all."""
    case.use(case.rng.choice(('demo_mp4', 'demo_live')))
    given = case.rng.choice(
        [
            *('/dev/zero', '/dev/null', '/dev/urandom', '/dev/stdin', '-', 'pipe:0', '', '.', '/'),
            *('absent.mp4', 'frames/*.png', 'frames/*.jpg', 'frames/[', '*', 'clip.mp4/', '999'),
            *(
                'http://127.0.0.1:9/x.mp4',
                'rtsp://127.0.0.1:9/x',
                'file:clip.mp4',
                'concat:clip.ts',
            ),
            *('frames/%05d.png', 'lavfi:color', 'x' * 300, 'x' * 5000, '-1', '\udcff.mp4', '²'),
            *(f'{ESCAPE}.mp4', '12:30:05 rec.mp4', 'a b.mp4', "it's.mp4", '%d.mp4', 'data:,x'),
        ]
    )
    case.note = given[:40]
    if given.endswith('.mp4') and '/' not in given and given != 'absent.mp4' and len(given) < 200:
        case.put(case.folder / given, (case.folder / 'clip.mp4').read_bytes())
        if case.name == 'demo_mp4':
            case.expect = Expect.SAME
    case.swap('clip.mp4', given)
    if given in ('/dev/zero', '/dev/null', '/dev/urandom', '/', 'absent.mp4', 'frames/['):
        case.expect = Expect.REFUSED
    elif given in ('/dev/stdin', '-', 'pipe:0'):
        case.stdin = case.rng.choice(('clip.ts', 'squares.py', None))


@kind
def demo_outputs(case: Case) -> None:
    """Outputs that cannot be written."""
    case.use(case.rng.choice(DEMOS))
    option, name = case.rng.choice(
        (('--out', 'out.mp4'), ('--json', 'found.json'), ('--maps', 'maps'))
    )
    suffix = os.path.splitext(name)[1]
    given = case.rng.choice(
        [
            *('/dev/full', '/dev/null/x' + suffix, 'clip.mp4/x' + suffix, 'frames', '/proc/x/y'),
            *('x' * 300 + suffix, 'new/deep/folder/x' + suffix, 'out.xyz', '', '.', 'clip.mp4'),
            *(f'{ESCAPE}{suffix}', '%05d' + suffix, 'a:b' + suffix, '\udcff' + suffix),
        ]
    )
    case.note = f'{option} {given[:30]}'
    case.swap(name, given)
    case.outputs = ()
    if given.startswith(('/dev/', '/proc/', 'clip.mp4/', 'xxx')):
        case.expect = Expect.REFUSED


@kind
def numbers_of_options(case: Case) -> None:
    """Options that count or measure are given what is no such number."""
    values = ['0', '-1', 'nan', 'inf', '1e400', '1e-400', 'x', '', '9' * 400, '²', '1/0', '0/0']
    option, command = case.rng.choice(
        [
            *(('--fps', 'demo_frames'), ('--fps', 'draw'), ('--score-thr', 'draw')),
            *(('--score-thr', 'demo_mp4'), ('--max-frames', 'demo_mp4'), ('--size', 'resize')),
            *(('--jobs', 'resize'), ('--window', 'test_vis'), ('--contact-sheet', 'draw')),
            *(
                ('--video', 'draw'),
                ('--seed', 'train'),
                ('--device', 'demo_mp4'),
                ('--amp', 'train'),
            ),
            *(('--split', 'vss'), ('--gt-coding', 'vss'), ('--allow-missing', 'test')),
        ]
    )
    case.use(command)
    value = case.rng.choice(values)
    case.note = f'{option} {value[:20]}'
    case.args = [*case.args[:3], f'{option}={value}', *case.args[3:]]
