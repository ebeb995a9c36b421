"""Broken and hostile checkpoints."""

import copy
import hashlib
import io
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch
from fuzz_bytes import cut, damage, flip
from fuzz_case import Case, Expect, kind
from fuzz_json import change
from fuzz_server import Outcome
from fuzz_verdict import content as content_of
from fuzz_verdict import sound_results
from mutations import EXTREMES, VALUES, places
from unpickled import Payload

#: Checkpoints as zips, and the commands that read them.
ZIPS = {
    'toy.pth': ('train_from', 'resume_from', 'test', 'test_vis', 'demo_toy', 'publish'),
    'squares.pth': ('demo_mp4', 'demo_live'),
    'maps.pth': ('test_vps', 'test_vis_vss'),
    'published.pth': ('convert',),
    'ours.pth': ('convert_back', 'publish_converted'),
}
OTHERS = {
    'legacy.pth': ('train_from_legacy', 'resume_legacy', 'test_legacy', 'publish_legacy'),
    'toy.safetensors': ('train_from_safe', 'test_safe'),
    'toy.pkl': ('train_from_pickle',),
    'published.safetensors': ('convert_safe',),
    'published.pkl': ('convert_pickle',),
}
STATES = {'toy.pth': ('resume_from',), 'work/iter_4.pth': ('resume',)}


def choose(case: Case, table: dict[str, tuple[str, ...]]) -> Path:
    """Take a checkpoint and a command that reads it."""
    name = case.rng.choice([*table])
    case.use(case.rng.choice(table[name]))
    return case.folder / name


@kind
def zip_bytes(case: Case) -> None:
    """Bits are flipped, blocks lost: every record has a checksum, so it can be seen."""
    path = choose(case, ZIPS)
    data = path.read_bytes()
    if case.rng.random() < 0.5:
        data, case.note = flip(case.rng, data), 'flip'
    else:
        data, case.note = damage(case.rng, data)
    case.expect = Expect.REFUSED_OR_SAME
    if case.name == 'demo_live':
        case.expect = Expect.ANYTHING  # its results have times
    case.put(path, data)


@kind
def bits_of_weights(case: Case) -> None:
    """Bits of values are flipped, the checksums stay."""
    path = choose(case, ZIPS)
    data = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        records = [item for item in archive.infolist() if '/data/' in item.filename]
    record = case.rng.choice([item for item in records if item.file_size])
    name_size, extra_size = struct.unpack_from('<HH', data, record.header_offset + 26)
    start = record.header_offset + 30 + name_size + extra_size
    case.expect = Expect.REFUSED
    case.note = record.filename
    case.put(path, flip(case.rng, data, start, start + record.file_size))


def rewrite(data: bytes, change_record: Any, compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip anew, with right checksums; ``change_record`` gives the content or None."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, 'w', compression) as new:
        for item in old.infolist():
            content = change_record(item.filename, old.read(item))
            if content is not None:
                new.writestr(item.filename, content)
    return out.getvalue()


@kind
def zip_records(case: Case) -> None:
    """Records are compressed, dropped, cut, longer, doubled or renamed."""
    path = choose(case, ZIPS)
    data = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
    target = case.rng.choice(names)
    stored = [name for name in names if '/data/' in name]
    how = case.rng.choice(
        ('deflate', 'deflate', 'bzip', 'stored', 'drop', 'cut', 'longer', 'empty')
    )
    case.note = f'{how} {target}'
    edits = dict(
        drop=lambda name, content: None if name == target else content,
        cut=lambda name, content: cut(case.rng, content) if name == target else content,
        longer=lambda name, content: content + b'\0' * 64 if name == target else content,
        empty=lambda name, content: b'' if name == target else content,
    )
    kinds = dict(deflate=zipfile.ZIP_DEFLATED, bzip=zipfile.ZIP_BZIP2)
    edit = edits.get(how, lambda name, content: content)
    if how in kinds or how == 'stored' or (how == 'drop' and target in stored):
        case.expect = Expect.REFUSED_OR_SAME
    if case.name == 'demo_live':
        case.expect = Expect.ANYTHING
    case.put(path, rewrite(data, edit, kinds.get(how, zipfile.ZIP_STORED)))


@kind
def other_checkpoint_bytes(case: Case) -> None:
    """Damage to formats without checksums."""
    path = choose(case, OTHERS)
    data, case.note = damage(case.rng, path.read_bytes())
    case.put(path, data)


@kind
def safetensors_header(case: Case) -> None:
    """A header that says too much."""
    path = choose(case, {name: value for name, value in OTHERS.items() if 'safe' in name})
    data = path.read_bytes()
    (size,) = struct.unpack_from('<Q', data)
    text = data[8 : 8 + size].decode()
    how = case.rng.choice(('size', 'size', 'offsets', 'shape', 'dtype', 'deep', 'names'))
    case.note = how
    if how == 'size':
        wrong = case.rng.choice((0, 1, 2**20, 2**40, 2**63, 2**64 - 1, len(data)))
        case.put(path, struct.pack('<Q', wrong) + data[8:])
        return
    edits = dict(
        offsets=lambda: text.replace('"data_offsets":[', '"data_offsets":[9', 1),
        shape=lambda: text.replace('"shape":[', f'"shape":[{case.rng.choice((0, 2**40, 7))},', 1),
        dtype=lambda: text.replace('"F32"', case.rng.choice(('"F64"', '"X"', '"I32"', '7')), 1),
        deep=lambda: '[' * 100000,
        names=lambda: text.replace('"backbone', '"\\u0000backbone', 1),
    )
    changed = edits[how]().encode()
    case.put(path, struct.pack('<Q', len(changed)) + changed + data[8 + size :])


@kind
def published_digits(case: Case) -> None:
    """The digits of a hash in a name do not fit the file."""
    path = choose(case, dict(list(ZIPS.items())[:3]))
    right = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    wrong = case.rng.random() < 0.7
    digits = f'{case.rng.getrandbits(32):08x}' if wrong else right
    name = f'{path.stem}-{digits}{path.suffix}'
    path.rename(path.with_name(name))
    case.swap(path.name, name)
    case.args = [text.replace(f'={path.name}', f'={name}') for text in case.args]
    case.expect = Expect.REFUSED if wrong else Expect.SAME
    if not wrong and case.name == 'demo_live':
        case.expect = Expect.ANYTHING
    case.note = 'wrong' if wrong else 'right'


def load(path: Path) -> Any:
    return torch.load(path, map_location='cpu', weights_only=False)  # made by the scene


class _Odd:
    """What no checkpoint holds."""

    def __reduce__(self) -> tuple:
        return (complex, (1, 2))


@kind
def states(case: Case) -> None:
    """A training state whose values are of other types, sizes or gone."""
    path = choose(case, STATES)
    content = load(path)
    outside = {key: value for key, value in content.items() if key != 'state_dict'}
    found = places(outside)
    first = case.rng.choice(sorted({place[0] for place in found}))
    found = [place for place in found if place[0] == first]
    for _ in range(case.rng.choice((1, 1, 2))):
        place = case.rng.choice(found)
        try:
            change(
                case.rng, content, place, [*VALUES, *EXTREMES, torch.zeros(3), torch.tensor(1.0)]
            )
        except (KeyError, IndexError, TypeError):  # the first change has moved it
            continue
    case.note = f'{place}'
    case.check = trained_random if first == 'rng' else trained
    torch.save(content, path)


def trained(case: Case, outcome: Outcome) -> str | None:
    """A run that is continued gets to its end."""
    if any(case.folder.glob('*/iter_6.pth')):
        return None
    return 'nothing is trained, with status 0'


def trained_random(case: Case, outcome: Outcome) -> str | None:
    """The same; random generators that are not restored are spoken of."""
    if fault := trained(case, outcome):
        return fault
    place = next(case.folder.glob('*/iter_6.pth'))
    name = str(place.relative_to(case.folder))
    if content_of(place) == sound_results(case.scene, case.name)[name]:
        return None
    said = 'random' in outcome.err + outcome.out
    return None if said else 'random generators are not restored, without a word'


@kind
def optimizer_tensors(case: Case) -> None:
    """Tensors of the optimizer of other shapes and types."""
    path = choose(case, STATES)
    content = load(path)
    tensors = [
        (state, key)
        for state in content['optimizer']['state'].values()
        for key in state
        if torch.is_tensor(state[key])
    ]
    state, key = case.rng.choice(tensors)
    state[key], case.note = _other_tensor(case, state[key])
    case.note, case.check = f'{key} {case.note}', trained
    torch.save(content, path)


def _other_tensor(case: Case, tensor: torch.Tensor) -> tuple[Any, str]:
    ways = dict(
        longer=lambda: torch.zeros(10000),
        shorter=lambda: torch.zeros(1),
        empty=lambda: torch.zeros(0),
        scalar=lambda: torch.tensor(0.5),
        more=lambda: tensor[None],
        turned=lambda: tensor.flatten(),
        half=lambda: tensor.half(),
        double=lambda: tensor.double(),
        whole=lambda: tensor.long(),
        truth=lambda: tensor.bool(),
        complexes=lambda: tensor.to(torch.complex64),
        nan=lambda: torch.full_like(tensor, float('nan')),
        infinite=lambda: torch.full_like(tensor, float('inf')),
        expanded=lambda: torch.zeros(()).expand(tensor.shape),
        sparse=lambda: tensor.to_sparse(),
        number=lambda: 1.0,
        nothing=lambda: None,
        text=lambda: 'x',
        items=lambda: tensor.tolist(),
    )
    how = case.rng.choice([*ways])
    return ways[how](), how


@kind
def weights(case: Case) -> None:
    """Weights of other shapes and types, other names, or none."""
    table = dict(ZIPS, **{'work/iter_4.pth': ('resume',)})
    path = choose(case, table)
    content = load(path)
    key = 'state_dict' if 'state_dict' in content else 'model'
    state = content[key]
    name = case.rng.choice(sorted(state))
    how = case.rng.choice(('tensor', 'tensor', 'tensor', 'drop', 'rename', 'extra', 'all'))
    if how == 'tensor':
        state[name], case.note = _other_tensor(case, state[name])
    elif how == 'drop':
        del state[name]
    elif how == 'rename':
        new = case.rng.choice(('', 'x', 7, None, 'module.' + name, name + '\0', 'x' * 10000))
        state[new] = state.pop(name)
    elif how == 'extra':
        state['extra'] = case.rng.choice((torch.zeros(3), 'text', None, {}, _Odd()))
    else:
        content[key] = case.rng.choice(({}, [], None, 7, 'x', [*state], torch.zeros(3)))
    case.note = f'{how} {name} {case.note}'
    torch.save(content, path)


@kind
def notes_of_checkpoints(case: Case) -> None:
    """Classes, config and notes of other types."""
    path = choose(case, {name: value for name, value in ZIPS.items() if name != 'published.pth'})
    content = load(path)
    content.setdefault('meta', {})
    meta = content['meta']
    found = [place for place in places(meta) if place[0] != 'cfg'] + [('dataset_meta',), ('cfg',)]
    for _ in range(case.rng.choice((1, 2))):
        place = case.rng.choice(found)
        try:
            change(case.rng, meta, place, VALUES + EXTREMES + ['\x1b[31mESC', ['\x1b[31mESC'] * 3])
        except (KeyError, IndexError, TypeError):
            meta[place[0]] = copy.deepcopy(case.rng.choice(VALUES))
    if case.rng.random() < 0.1:
        content['meta'] = copy.deepcopy(case.rng.choice(VALUES))
    case.note = f'{place}'
    torch.save(content, path)


@kind
def payloads(case: Case) -> None:
    """Code in a pickle, in all formats and by all tools."""
    path = choose(case, ZIPS | OTHERS)
    payload = Payload(case.witness)
    content = dict(state_dict=dict(w=torch.ones(1)), meta=dict(evil=payload))
    where = case.rng.choice(('meta', 'state', 'top', 'key', 'optimizer'))
    if where == 'state':
        content['state_dict']['w'] = payload
    elif where == 'top':
        content = payload
    elif where == 'optimizer':
        content['optimizer'] = dict(state={0: payload})
    form = case.rng.choice(('zip', 'legacy', 'plain', 'protocol 0', 'deflated'))
    data = io.BytesIO()
    if form in ('zip', 'deflated', 'legacy'):
        torch.save(content, data, _use_new_zipfile_serialization=form != 'legacy')
    packed = data.getvalue() or pickle.dumps(content, protocol=0 if form == 'protocol 0' else 4)
    if form == 'deflated':
        packed = rewrite(packed, lambda name, content: content, zipfile.ZIP_DEFLATED)
    case.note, case.expect = f'{where}, {form}, as {path.name}', Expect.REFUSED
    case.put(path, packed)


#: Pickles by hand: opcodes that call, import or grow.
def _opcodes(witness: Path) -> dict[str, bytes]:
    name = str(witness).encode()
    text = b'X' + struct.pack('<I', len(name)) + name
    call = text + b'\x85R.'
    return dict(
        system=b'\x80\x04cos\nmkdir\n' + call,
        posix=b'\x80\x04cposix\nmkdir\n' + call,
        stacked=b'\x80\x04\x8c\x02os\x8c\x05mkdir\x93' + call,
        dotted=b'\x80\x04\x8c\x07pathlib\x8c\x0aos.makedirs\x93' + call,
        through=b'\x80\x04\x8c\x08builtins\x8c\x07getattr\x93c__builtin__\n__import__\n\x8c\x02os'
        b'\x85R\x8c\x05mkdir\x86R' + call,
        instance=b'(' + text + b'ios\nmkdir\n.',
        build=b'\x80\x02ccollections\nOrderedDict\n)R}' + b'X\x04\0\0\0hook' + text + b'sb.',
        extension=b'\x80\x02\x82\x01.',
        deep=b'\x80\x02' + b'(' * 200000 + b't' * 1 + b'.',
        lists=b'\x80\x02' + b']' * 100000 + b'a' * 99999 + b'.',
        growing=b'\x80\x02' + b'X\x01\0\0\0aq\x00' + b'h\x00h\x00\x86q\x00' * 60 + b'.',
        memory=b'\x80\x04\x8e' + struct.pack('<Q', 2**40) + b'.',
        text=b'\x80\x04\x8d' + struct.pack('<Q', 2**62) + b'.',
        frame=b'\x80\x04\x95' + struct.pack('<Q', 2**50) + b'.',
        big=b'\x80\x02\x8b' + struct.pack('<i', 2**31 - 1) + b'.',
        array=b'\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\x01b\x87R.',
        bytearray=b'\x80\x02cbuiltins\nbytearray\n\x8a\x06'
        + struct.pack('<Q', 2**36)[:6]
        + b'\x85R.',
    )


@kind
def pickles_by_hand(case: Case) -> None:
    """Opcodes that import, call, nest or grow."""
    path = choose(case, ZIPS | OTHERS)
    codes = _opcodes(case.witness)
    how = case.rng.choice([*codes])
    code = codes[how]
    case.note, case.expect = how, Expect.REFUSED
    if case.rng.random() < 0.5:
        case.put(path, code)
        return
    data = io.BytesIO()
    torch.save(dict(state_dict={}), data)
    replaced = rewrite(
        data.getvalue(), lambda name, old: code if name.endswith('data.pkl') else old
    )
    case.put(path, replaced)


@kind
def tensors_beyond_storage(case: Case) -> None:
    """Tensors whose size, stride or offset reaches beyond their bytes."""
    path = choose(case, ZIPS)
    data = path.read_bytes()
    done = []

    def edit(name: str, content: bytes) -> bytes:
        if not name.endswith('data.pkl'):
            return content
        # K and M are small numbers: sizes, strides, offsets and counts of elements among others
        found = [i for i in range(len(content) - 3) if content[i : i + 1] in (b'K', b'M')]
        spot = case.rng.choice(found)
        wide = content[spot : spot + 1] == b'M'
        value = case.rng.choice(
            (b'K\x00', b'K\xff', b'M\xff\xff', b'J\xff\xff\xff\x7f', b'J\xff' * 1)
        )
        if value == b'J\xff':
            value = b'J\xff\xff\xff\xff'
        done.append((spot, value))
        return content[:spot] + value + content[spot + (3 if wide else 2) :]

    case.put(path, rewrite(data, edit))
    case.note = str(done)


@kind
def bombs(case: Case) -> None:
    """Records that unpack to gigabytes."""
    path = choose(case, ZIPS)
    data = path.read_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
    target = case.rng.choice([name for name in names if '/data/' in name or 'data.pkl' in name])
    size = case.rng.choice((3, 6)) * 10**9
    case.note, case.expect = f'{target}: {size / 1e9:.0f} GB', Expect.REFUSED
    case.put(path, _bomb(data, target, size))


def _bomb(data: bytes, target: str, size: int) -> bytes:
    """The zip with one record of zeros, compressed; its checksum is wrong, which comes too late."""
    block = 2**20
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(bytes(block)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = first * (size // block) + b'\x03\0'
    small = rewrite(
        data, lambda name, old: b'Z' * len(packed) if name == target else old, zipfile.ZIP_STORED
    )
    changed = bytearray(small)
    start = small.index(b'Z' * min(len(packed), 10**5))
    changed[start : start + len(packed)] = packed
    size = size // block * block
    with zipfile.ZipFile(io.BytesIO(small)) as archive:
        item = archive.getinfo(target)
        directory = small.rindex(b'PK\x01\x02', 0, small.rindex(target.encode()))
    size = min(size, 2**32 - 2)
    struct.pack_into('<H', changed, item.header_offset + 8, zipfile.ZIP_DEFLATED)
    struct.pack_into('<I', changed, item.header_offset + 22, size)
    struct.pack_into('<H', changed, directory + 10, zipfile.ZIP_DEFLATED)
    struct.pack_into('<I', changed, directory + 24, size)
    return bytes(changed)
