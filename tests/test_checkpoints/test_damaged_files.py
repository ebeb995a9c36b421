"""Files that were packed anew, changed or made to take more memory than they have bytes."""

import hashlib
import io
import json
import pickle
import random
import struct
import zipfile
from collections import Counter, OrderedDict

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from mmvseg.checkpoints.files import (
    DamagedCheckpointError,
    load_checkpoint_file,
    save_checkpoint_file,
)
from mmvseg.errors import UserError

MAPPED = pytest.mark.parametrize('mmap', [False, True])


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / 'model.pth'
    weights = dict(a=torch.arange(3000.0), b=torch.arange(16.0))
    save_checkpoint_file(dict(state_dict=weights), path)
    return path


def repack(path, out, compression=zipfile.ZIP_STORED, **changed):
    """The same archive with some records replaced, by the end of their names."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, 'w', compression) as new:
        for entry in old.infolist():
            name = entry.filename.rpartition('/')[2]
            new.writestr(entry.filename, changed.get(f'_{name}', old.read(entry)))
    return out


# What torch writes


DTYPES = [
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.complex64),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool, torch.uint16),
    torch.float8_e5m2,
]
CONTENT = dict(
    state_dict=OrderedDict((str(dtype), torch.tensor([0, 1, 3]).to(dtype)) for dtype in DTYPES),
    view=torch.arange(12.0).view(3, 4).T[1:],
    none=torch.zeros(0, 3),
    expanded=torch.ones(1).expand(7),
    parameter=torch.nn.Parameter(torch.ones(2)),
    others=[torch.Size([2]), torch.float16, Counter('aab'), {1}, (True, None, 2**70, 0.5, b'x')],
)


@pytest.mark.parametrize('kind', ['zip', 'mapped', 'serial'])
def test_all_that_torch_reads_in_safe_mode(tmp_path, kind):
    path = tmp_path / 'model.pth'
    torch.save(CONTENT, path, _use_new_zipfile_serialization=kind != 'serial')
    loaded = load_checkpoint_file(path, mmap=kind == 'mapped')
    for key, tensor in {**loaded.pop('state_dict'), **loaded}.items():
        if key == 'others':
            assert tensor == [(2,), *CONTENT['others'][1:]]
            continue
        theirs = CONTENT['state_dict'].get(key, CONTENT.get(key))
        assert tensor.dtype == theirs.dtype
        assert tensor.float().equal(theirs.float())
    assert loaded['view'].stride() == CONTENT['view'].stride()


@MAPPED
def test_shared_memory_stays_shared(tmp_path, mmap):
    path = tmp_path / 'model.pth'
    block = torch.arange(6.0)
    torch.save(dict(a=block, b=block[2:], c=block), path)
    loaded = load_checkpoint_file(path, mmap=mmap)
    storages = {tensor.untyped_storage().data_ptr() for tensor in loaded.values()}
    assert len(storages) == 1
    assert loaded['b'].tolist() == [2, 3, 4, 5]


@MAPPED
def test_values_of_the_other_byte_order(saved, tmp_path, mmap):
    swapped = np.arange(16, dtype='>f4').tobytes()
    with zipfile.ZipFile(saved) as archive:
        values = np.frombuffer(archive.read('archive/data/0'), '<f4').astype('>f4').tobytes()
    path = repack(saved, tmp_path / 'big.pth', _byteorder=b'big', _0=values, _1=swapped)
    loaded = load_checkpoint_file(path, mmap=mmap)['state_dict']
    assert loaded['a'].equal(torch.arange(3000.0))
    assert loaded['b'].equal(torch.arange(16.0))


# Packed anew


@MAPPED
@pytest.mark.parametrize('method', [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressed_records(saved, tmp_path, method, mmap):
    path = repack(saved, tmp_path / 'deflated.pth', method)
    with pytest.raises(UserError, match=r'deflated\.pth: its record .* is compressed'):
        load_checkpoint_file(path, mmap=mmap)
    with pytest.raises(UserError, match='is compressed'):
        load_checkpoint_file(path, allow_pickle=True)
    stored = repack(path, tmp_path / 'stored.pth')
    assert load_checkpoint_file(stored, mmap=mmap)['state_dict']['b'].sum() == 120


@MAPPED
def test_a_single_compressed_record(saved, tmp_path, mmap):
    path = tmp_path / 'bomb.pth'
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(path, 'w') as new:
        for entry in old.infolist():
            kind = zipfile.ZIP_DEFLATED if entry.filename.endswith('/0') else zipfile.ZIP_STORED
            new.writestr(entry.filename, old.read(entry), kind)
    with pytest.raises(UserError, match=r'bomb\.pth: its record data/0 is compressed'):
        load_checkpoint_file(path, mmap=mmap)


@MAPPED
@pytest.mark.filterwarnings('ignore:Duplicate name')
def test_records_that_are_there_twice(saved, tmp_path, mmap):
    path = tmp_path / 'twice.pth'
    path.write_bytes(saved.read_bytes())
    with zipfile.ZipFile(path, 'a') as archive:
        archive.writestr('archive/data/0', bytes(12_000))
    with pytest.raises(DamagedCheckpointError, match=r"the record 'data/0' twice"):
        load_checkpoint_file(path, mmap=mmap)


def change_directory(path, name, **values):
    """Let the archive's list of records say something else of one of them."""
    fields = dict(size=(20, '<II', 2), offset=(42, '<I', 1))  # compressed and plain size
    content = bytearray(path.read_bytes())
    entry = content.rindex(name.encode()) - 46
    assert content[entry : entry + 4] == b'PK\x01\x02'
    for field, value in values.items():
        place, form, count = fields[field]
        struct.pack_into(form, content, entry + place, *[value] * count)
    path.write_bytes(content)


@MAPPED
def test_records_longer_than_the_file(saved, mmap):
    change_directory(saved, 'archive/data/0', size=2**31)
    with pytest.raises(DamagedCheckpointError, match=r'model\.pth: cannot be read'):
        load_checkpoint_file(saved, mmap=mmap)


@MAPPED
def test_records_that_lie_in_each_other(saved, mmap):
    with zipfile.ZipFile(saved) as archive:
        inside = archive.getinfo('archive/data/0').header_offset
    change_directory(saved, 'archive/data/1', offset=inside)
    with pytest.raises(DamagedCheckpointError, match='where it should be'):
        load_checkpoint_file(saved, mmap=mmap)


# Changed


@MAPPED
def test_flipped_bits_in_weights_are_found(saved, tmp_path, mmap):
    with zipfile.ZipFile(saved) as archive:
        where = archive.read('archive/data/0')
    content = saved.read_bytes()
    start, generator = content.index(where), random.Random(0)
    for number in range(10):
        changed = bytearray(content)
        changed[start + generator.randrange(len(where))] ^= 1 << generator.randrange(8)
        path = tmp_path / f'{number}.pth'
        path.write_bytes(changed)
        message = rf'{number}\.pth: is damaged: its record data/0 holds other bytes'
        with pytest.raises(DamagedCheckpointError, match=message):
            load_checkpoint_file(path, mmap=mmap)


def test_a_file_is_compared_anew_when_it_changes(saved):
    assert load_checkpoint_file(saved, mmap=True)
    content = bytearray(saved.read_bytes())
    content[content.index(torch.arange(3000.0).numpy().tobytes()) + 9] ^= 1
    saved.write_bytes(content)
    with pytest.raises(DamagedCheckpointError, match='is damaged'):
        load_checkpoint_file(saved, mmap=True)


@MAPPED
@pytest.mark.skipif(
    not hasattr(torch.serialization, 'set_crc32_options'), reason='torch always takes checksums'
)
def test_files_without_checksums(tmp_path, mmap):
    path = tmp_path / 'model.pth'
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(dict(a=torch.arange(4.0)), path)
    finally:
        torch.serialization.set_crc32_options(True)
    assert load_checkpoint_file(path, mmap=mmap)['a'].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize('suffix', ['pth', 'safetensors', 'pkl'])
@pytest.mark.parametrize('count', [8, 64])
def test_digits_in_a_name(tmp_path, suffix, count):
    path = tmp_path / f'model.{suffix}'
    if suffix == 'pkl':
        path.write_bytes(pickle.dumps(dict(a=np.ones(2))))
    else:
        save_checkpoint_file(dict(state_dict=dict(a=torch.ones(2))), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert any(digit in 'abcdef' for digit in digest[:8])
    assert load_checkpoint_file(path.rename(tmp_path / f'm-{digest[:count]}.{suffix}'))
    other = digest[1:count] + 'a'
    renamed = (tmp_path / f'm-{digest[:count]}.{suffix}').rename(tmp_path / f'm-{other}.{suffix}')
    with pytest.raises(DamagedCheckpointError, match=rf'its SHA-256 begins with {digest[:count]}'):
        load_checkpoint_file(renamed)


@pytest.mark.parametrize(
    'name',
    [
        *('run-20240115', 'run-20240115093000', 'run-00012345', 'run-1700000000'),
        *('tevit-1a2b3c', 'tevit-1a2b3c4g', 'tevit_abcdef01'),
    ],
)
def test_names_without_digits_of_a_hash(saved, name):
    assert load_checkpoint_file(saved.rename(saved.with_stem(name)))


def test_digits_without_a_letter(saved):
    with pytest.raises(DamagedCheckpointError, match='not with 12345678'):
        load_checkpoint_file(saved.rename(saved.with_stem('tevit-12345678')))


# More memory than bytes


class Call:
    """Pickled as a call."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def view(size, stride):
    storage = torch.ones(4).untyped_storage()
    typed = torch.storage.TypedStorage(wrap_storage=storage, dtype=torch.float32, _internal=True)
    return Call(torch._utils._rebuild_tensor_v2, typed, 0, size, stride, False, OrderedDict())


@pytest.mark.parametrize(
    'tensor', [view((10**6, 10**6), (0, 0)), view((2**40, 2**40), (0, 0)), view((-1,), (1,))]
)
@pytest.mark.parametrize('kind', ['zip', 'serial', 'pickle'])
def test_tensors_of_more_values_than_the_file(tmp_path, tensor, kind):
    path = tmp_path / 'model.pth'
    if kind == 'pickle':
        path.write_bytes(pickle.dumps(dict(a=tensor)))
    else:
        torch.save(dict(a=tensor), path, _use_new_zipfile_serialization=kind == 'zip')
    with pytest.raises(DamagedCheckpointError, match=r'model\.pth: cannot be read'):
        load_checkpoint_file(path)


def test_many_tensors_of_the_same_values(tmp_path):
    path = tmp_path / 'model.pth'
    block = torch.zeros(250_000)
    torch.save(dict(state_dict={f'{n}': block[n:] for n in range(20)}), path)
    with pytest.raises(DamagedCheckpointError, match=r'far more bytes than the 1,00'):
        load_checkpoint_file(path)
    torch.save(dict(state_dict={f'{n}': block[n:] for n in range(6)}), path)  # as shared heads
    assert len(load_checkpoint_file(path)['state_dict']) == 6


def test_storage_that_states_more_than_its_record(saved, tmp_path):
    """Values of the next record would be read, or memory beyond the file."""
    with zipfile.ZipFile(saved) as archive:
        content = archive.read('archive/data.pkl')
    longer = content.replace(struct.pack('<H', 3000), struct.pack('<H', 4000))
    path = repack(saved, tmp_path / 'longer.pth', **{'_data.pkl': longer})
    for mmap in (False, True):
        with pytest.raises(DamagedCheckpointError, match='tensors of 16000 bytes in 12000 bytes'):
            load_checkpoint_file(path, mmap=mmap)


def serial_file(count, keys=('0',), values=bytes(16)):
    """A file of before torch 1.6 whose storage states ``count`` elements."""
    file = io.BytesIO()
    for header in (0x1950A86A20F9469CFC6C, 1001, dict(little_endian=True)):
        pickle.dump(header, file, 2)

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return (
                ('storage', torch.FloatStorage, '0', 'cpu', count, None) if value is KEY else None
            )

    Pickler(file, 2).dump(
        dict(a=Call(torch._utils._rebuild_tensor_v2, KEY, 0, (4,), (1,), False, OrderedDict()))
    )
    pickle.dump(list(keys), file, 2)
    file.write(struct.pack('<q', count) + values)
    return file.getvalue()


KEY = object()


@pytest.mark.parametrize(
    'content',
    [
        serial_file(10**12),
        serial_file(2**62),
        serial_file(-1),
        serial_file(8),
        serial_file(4, keys=()),
        serial_file(4, keys=('1',)),
        serial_file(4)[:-1],
    ],
)
def test_old_files_that_state_more_than_they_hold(tmp_path, content):
    path = tmp_path / 'old.pth'
    path.write_bytes(serial_file(4))
    assert load_checkpoint_file(path)['a'].tolist() == [0, 0, 0, 0]
    path.write_bytes(content)
    with pytest.raises(DamagedCheckpointError, match=r'old\.pth: cannot be read'):
        load_checkpoint_file(path)


@pytest.mark.parametrize(
    'content',
    [
        b'\x80\x04Nr\xff\xff\xff\x7f.',  # note number 2 ** 31
        b'\x80\x05\x96' + struct.pack('<Q', 2**40) + b'x.',  # bytearray
        b'\x80\x04\x8e' + struct.pack('<Q', 2**40) + b'x.',  # bytes
        b'\x80\x04\x8d' + struct.pack('<Q', 2**40) + b'x.',  # text
        b'\x80\x02\x8b' + struct.pack('<i', 2**31 - 1) + b'x.',  # number
        b'\x80\x04\x95' + struct.pack('<Q', 2**50) + b'N.',  # frame
        b'\x80\x02cbuiltins\nbytearray\n\x8a\x05\x00\x00\x00\x00\x10\x85R.',
    ],
)
def test_pickles_that_state_more_than_they_hold(tmp_path, content):
    path = tmp_path / 'model.pkl'
    path.write_bytes(content)
    with pytest.raises(UserError, match=r'model\.pkl: (cannot be read|refused|holds a)'):
        load_checkpoint_file(path)


@pytest.mark.parametrize('end', [b'Nsu.', b'cbuiltins\nset\n](h\x00e\x85R.', b'.'])
def test_tuples_that_hold_each_other_again_and_again(tmp_path, end):
    """Their hash or text would take years."""
    path = tmp_path / 'model.pkl'
    code = b'\x80\x02}(X\x01\0\0\0aq\x00' + b'h\x00h\x00\x86q\x00' * 60 + end
    path.write_bytes(code)
    with pytest.raises(DamagedCheckpointError, match='tuples in tuples of'):
        load_checkpoint_file(path)


def array(data, code, shape, order='<'):
    """A numpy array as protocol 2 writes it."""

    class Made:
        def __reduce__(self):
            dtype = np.dtype(code).newbyteorder(order)
            state = (1, shape, dtype, False, data)
            return np.core.multiarray._reconstruct, (np.ndarray, (0,), b'b'), state

    return Made()


@pytest.mark.parametrize(
    ('data', 'code', 'shape'),
    [(b'', 'U1', (10**9, 0)), (bytes(8), 'f4', (10**9,)), (bytes(8), 'f4', (2**62, 2**62))],
)
@pytest.mark.filterwarnings('ignore:numpy.core')
def test_arrays_of_absurd_shapes(tmp_path, data, code, shape):
    path = tmp_path / 'model.pkl'
    path.write_bytes(pickle.dumps(dict(a=array(data, code, shape)), 2))
    try:
        assert load_checkpoint_file(path) == dict(a=[])
    except UserError as error:
        assert 'cannot be read' in str(error)  # noqa: PT017 - either will do


@pytest.mark.filterwarnings('ignore:numpy.core')
def test_text_of_numbers_that_no_character_has(tmp_path):
    path = tmp_path / 'model.pkl'
    path.write_bytes(pickle.dumps(dict(a=array(b'\xff\xff\xff\x7f', 'U1', (1,))), 2))
    with pytest.raises(DamagedCheckpointError, match='text that is none'):
        load_checkpoint_file(path)


@pytest.mark.filterwarnings('ignore:numpy.core')
def test_many_arrays_of_the_same_bytes(tmp_path):
    path = tmp_path / 'model.pkl'
    data = bytes(2**20)
    path.write_bytes(pickle.dumps([array(data, 'f4', (2**18,), '>') for _ in range(30)], 2))
    with pytest.raises(DamagedCheckpointError, match='far more bytes than'):
        load_checkpoint_file(path)


def safetensors_file(header, size=None):
    text = json.dumps(header).encode()
    return struct.pack('<Q', len(text) if size is None else size) + text + bytes(16)


@pytest.mark.parametrize(
    'content',
    [
        safetensors_file({}, 2**63),
        safetensors_file({}, 2**40),
        safetensors_file(dict(a=dict(dtype='F32', shape=[10**12], data_offsets=[0, 4 * 10**12]))),
        safetensors_file(dict(a=dict(dtype='F32', shape=[2**62, 2**62], data_offsets=[0, 16]))),
        safetensors_file(dict(a=dict(dtype='F32', shape=[5], data_offsets=[0, 16]))),
        safetensors_file(dict(a=dict(dtype='F32', shape=[-4], data_offsets=[0, 16]))),
        safetensors_file({n: dict(dtype='F32', shape=[4], data_offsets=[0, 16]) for n in 'ab'}),
        b'',
        b'\x00',
    ],
)
def test_safetensors_of_absurd_sizes(tmp_path, content):
    path = tmp_path / 'model.safetensors'
    save_file({'a': torch.ones(4)}, path)
    path.write_bytes(content)
    with pytest.raises(DamagedCheckpointError, match=r'model\.safetensors: cannot be read'):
        load_checkpoint_file(path)
