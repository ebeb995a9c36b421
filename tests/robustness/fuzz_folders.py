"""Work dirs and results folders that are no such, damaged or taken."""

import os

from fuzz_bytes import cut, damage
from fuzz_case import Case, Expect, kind
from fuzz_checkpoints import trained
from fuzz_json import NAMES, change
from fuzz_json import load as load_json
from fuzz_json import save as save_json
from fuzz_server import Limits, Outcome
from fuzz_verdict import ESCAPE
from mutations import EXTREMES, VALUES, places

#: Commands with the folder or file that each writes.
WRITERS = {
    **dict(
        train='fresh', resume_from='fresh', test_vis='results', draw='drawn', test='numbers.json'
    ),
    **dict(publish='published/model.pth', convert='out.pth', resize='resized', vpq='numbers.json'),
    **dict(test_vis_vps='out', test_vis_vss='out', draw_vss='drawn', ytvis='numbers.json'),
}


@kind
def output_places(case: Case) -> None:
    """Places that cannot be written, or hold something else."""
    name = case.rng.choice([*WRITERS])
    case.use(name)
    old = WRITERS[name]
    suffix = os.path.splitext(old)[1]
    impossible = ['/dev/null/x', '/proc/x', 'afile/x', 'x' * 300, 'loop/x', '/dev/full/x']
    odd = [
        '',
        '.',
        '/dev/null',
        'afile',
        'adir',
        'new/a/b/c',
        'dangling',
        f'{ESCAPE}',
        '\udcff',
        'a b',
    ]
    odd += ['²', 'x/' * 100 + 'y', '-x', '--out', '~', '%s', "a'b", 'a:b', 'a\nb']
    (case.folder / 'afile').write_bytes(b'mine')
    (case.folder / 'adir/sub').mkdir(parents=True)
    (case.folder / 'adir/mine.txt').write_bytes(b'mine')
    (case.folder / 'loop').symlink_to('loop')
    (case.folder / 'dangling').symlink_to('absent/nowhere')
    given = case.rng.choice([*impossible, *odd])
    place = given + suffix if given not in ('.', '', '/dev/null', 'adir', 'afile') else given
    case.swap(old, place)
    case.outputs, case.note = (), place[:40]
    if given in impossible:
        case.expect = Expect.REFUSED

    def kept(case: Case, outcome: Outcome) -> str | None:
        mine = (case.folder / 'adir/mine.txt', case.folder / 'afile')
        gone = [path.name for path in mine if not path.exists()]
        return f'{gone[0]} of the user is gone' if gone else None

    case.check = kept


@kind
def pointers(case: Case) -> None:
    """The note of the last checkpoint is broken, or what it names is."""
    case.use('resume')
    case.check = trained
    pointer = case.folder / 'work/last_checkpoint'
    newest = case.folder / 'work/iter_4.pth'
    data = newest.read_bytes()
    how = case.rng.choice(('none', 'text', 'text', 'cut', 'gone', 'bytes', 'swap', 'folder'))
    case.note = how
    if how == 'none':
        pointer.unlink()
        case.expect = Expect.SAME
    elif how == 'text':
        text = case.rng.choice(['', 'absent.pth', '\0', 'x' * 5000, '/', '.', 'iter_4', *NAMES])
        case.put(pointer, text.encode(errors='surrogatepass'))
        case.note, case.expect = repr(text[:30]), Expect.REFUSED_OR_SAME
    elif how == 'cut':
        case.put(newest, cut(case.rng, data))
        case.expect = Expect.REFUSED_OR_SAME
    elif how == 'gone':
        newest.unlink()
        case.expect = Expect.REFUSED_OR_SAME
    elif how == 'bytes':
        case.put(pointer, damage(case.rng, pointer.read_bytes())[0])
        case.expect = Expect.REFUSED_OR_SAME
    elif how == 'folder':
        pointer.unlink()
        pointer.mkdir()
        case.expect = Expect.REFUSED_OR_SAME
    else:
        case.put(newest, (case.folder / 'work/iter_2.pth').read_bytes())
        case.expect = Expect.REFUSED_OR_SAME


@kind
def work_dirs_in_use(case: Case) -> None:
    """A new run in the folder of an earlier one must not overwrite its checkpoints."""
    case.use('train')
    case.swap('fresh', 'work')
    before = {path.name: path.read_bytes() for path in case.files('work/*.pth')}
    case.outputs = ()
    if case.rng.random() < 0.5:
        (case.folder / 'work/last_checkpoint').unlink()

    def kept(case: Case, outcome: Outcome) -> str | None:
        for name, data in before.items():
            copies = [path.read_bytes() for path in case.folder.rglob(name)]
            if data not in copies:
                return f'{name} of an earlier run is gone'
        return None

    case.check = kept


@kind
def results_in_use(case: Case) -> None:
    """A results folder holds something of another run, or damaged files of this one."""
    name = case.rng.choice(('test_vis', 'test_vis_vps', 'test_vis_vss'))
    case.use(name)
    out = case.folder / ('results' if name == 'test_vis' else 'out')
    out.mkdir()
    names = [
        'results.json',
        'pred.json',
        'videos.json',
        'run.json',
        'metrics.json',
        'submission.zip',
    ]
    names += ['results.partial.rank0.jsonl', 'results.partial.rank1.jsonl', '.results.json.part']
    target = out / case.rng.choice(names)
    content = case.rng.choice(
        [
            *(b'', b'{', b'[]', b'null', b'{"video_id": 1, "entries": []}\n', b'\0' * 100, b'\xff'),
            *(
                b'{"video_id": 99, "entries": []}\n',
                b'{"video_id": 1, "entries": [{}]}\n',
                b'[' * 10000,
            ),
        ]
    )
    case.note = f'{target.name} {content[:20]!r}'
    target.write_bytes(content)
    if case.rng.random() < 0.2:
        target.unlink()
        target.mkdir()
        case.note = f'{target.name} is a folder'
    case.expect = Expect.REFUSED_OR_SAME


@kind
def layouts(case: Case) -> None:
    """A file or folder of a data set is missing, doubled or of another kind."""
    commands = (
        'train',
        'test_vis',
        'check',
        'draw',
        'train_coco',
        'train_vps',
        'test_vis_vps',
        'vpq',
    )
    commands += ('stq', 'check_vps', 'draw_vps', 'train_vss', 'test_vis_vss', 'vss', 'check_vss')
    case.use(case.rng.choice((*commands, 'draw_vss', 'resize', 'resize', 'ytvis')))
    found = sorted(
        path
        for path in case.folder.rglob('*')
        if path.relative_to(case.folder).parts[0] in ('data', 'results', 'release')
        or path.name == 'results.json'
    )
    path = case.rng.choice(found)
    case.note = str(path.relative_to(case.folder))
    how = case.rng.choice(('remove', 'remove', 'empty', 'rename', 'exchange', 'link', 'extra'))
    case.note += f' {how}'
    gone = path.with_name(f'{path.name}_gone')
    if how == 'extra':
        place = path if path.is_dir() else path.parent
        for name in ('x.txt', '.hidden', '99999.png', 'sub', case.rng.choice(NAMES[8:10])):
            (place / f'{name}_').write_bytes(b'x')
        return
    path.rename(gone if how in ('rename', 'link') else case.folder / 'gone')
    if how == 'empty':
        (path.mkdir if (case.folder / 'gone').is_dir() else path.touch)()
    elif how == 'exchange':
        (path.touch if (case.folder / 'gone').is_dir() else path.mkdir)()
    elif how == 'link':
        path.symlink_to(gone.name)


@kind
def notes_of_runs(case: Case) -> None:
    """Other small files of the tools: notes of a conversion, statistics, names of classes."""
    case.use('resize')
    path = case.files('release/*.json')[case.rng.randrange(2)]
    path, content = load_json(case, str(path.relative_to(case.folder)))
    place = case.rng.choice(places(content))
    change(case.rng, content, place, VALUES + EXTREMES)
    case.note = str(place)
    save_json(case, path, content)


@kind
def full_disks(case: Case) -> None:
    """No file can be larger than some bytes."""
    case.use(case.rng.choice([*WRITERS, 'demo_mp4', 'demo_frames_vps', 'draw_vps', 'train_vps']))
    size = case.rng.choice((6000, 10000, 20000, 40000))
    case.limits = Limits(file_size=size)
    case.note, case.expect = f'{size} bytes', Expect.REFUSED_OR_SAME
